using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using LinqToDB;
using LinqToDB.Data;
using Microsoft.Extensions.Time.Testing;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.ReadModel;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly RetentionOptions Options = HeadquartersOptions.Load(null, []).Retention with { Batch = 7 };
    private readonly FakeTimeProvider _clock = new(Noon);

    public static TheoryData<StorageProvider> Both => TestStorage.Both;

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task What_is_too_old_goes_a_few_at_a_time_and_nothing_else(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        Happened(storage, [.. Enumerable.Range(1, 20).Select(n => Entry(n, "till", Noon.AddDays(n)))]);
        var histories = new Histories(storage.ReadModel, Options with { Devices = new Kept(TimeSpan.FromDays(30), 1000) }, _clock);
        _clock.Advance(TimeSpan.FromDays(45));

        List<int> steps = [.. RemoveAll(histories, "devices")];

        Assert.Equal([7, 7], steps);
        Assert.Equal([15, 16, 17, 18, 19, 20], Left(storage));
    }

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task Of_one_that_has_too_many_the_oldest_go_and_others_keep_theirs(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        Happened(storage, [.. Enumerable.Range(1, 30).Select(n => Entry(n, n <= 5 ? "quiet" : "noisy", Noon))]);
        var histories = new Histories(storage.ReadModel, Options with { Devices = new Kept(TimeSpan.FromDays(30), 10) }, _clock);

        var removed = RemoveAll(histories, "devices").Sum();

        Assert.Equal(16, removed);
        Assert.Equal([1, 2, 3, 4, 5, .. Enumerable.Range(22, 9)], Left(storage));
    }

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task Of_all_together_there_are_no_more_than_may_be(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        Happened(storage, [.. Enumerable.Range(1, 30).Select(n => Entry(n, $"till-{n}", Noon))]);
        var histories = new Histories(storage.ReadModel, Options with { Most = 12 }, _clock);

        var removed = RemoveAll(histories, "devices").Sum();

        Assert.Equal(18, removed);
        Assert.Equal(Enumerable.Range(19, 12), Left(storage));
    }

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task What_goes_on_stays_however_old_it_is(StorageProvider provider)
    {
        await using var storage = await TestStorage.New(provider);
        using (var db = storage.ReadModel.Open())
        {
            db.Insert(new IncidentRow { Position = 1, Subject = "gw1.leeds", OfficeId = "leeds", OpenedAt = Noon });
            db.Insert(new IncidentRow { Position = 1, Subject = "gw2.leeds", OfficeId = "leeds", OpenedAt = Noon, ClosedAt = Noon });
            db.Insert(new PollRow { PollId = "p-1", OfficeId = "leeds", NodeId = "gw1.leeds", BegunAt = Noon });
            db.Insert(new PollRow { PollId = "p-2", OfficeId = "leeds", NodeId = "gw1.leeds", BegunAt = Noon, EndedAt = Noon });
            db.Insert(new TokenRow { TokenId = "t-1", OfficeId = "leeds", CreatedAt = Noon, ExpiresAt = Noon.AddYears(2) });
            db.Insert(new TokenRow { TokenId = "t-2", OfficeId = "leeds", CreatedAt = Noon, ExpiresAt = Noon });
        }

        var histories = new Histories(storage.ReadModel, Options, _clock);
        _clock.Advance(TimeSpan.FromDays(366));

        foreach (var history in History.All)
            _ = RemoveAll(histories, history.Name).Sum();

        using var left = storage.ReadModel.Open();
        Assert.Equal("gw1.leeds", Assert.Single(left.Incidents.ToList()).Subject);
        Assert.Equal("p-1", Assert.Single(left.Polls.ToList()).PollId);
        Assert.Equal("t-1", Assert.Single(left.Tokens.ToList()).TokenId);
    }

    [Fact]
    public async Task Headquarters_keeps_its_histories_short_by_itself_while_it_serves()
    {
        await using var company = await TestCompany.Start(1000, Leeds);
        company.Retention = company.Retention with { Devices = new Kept(TimeSpan.FromDays(1), 20), Every = TimeSpan.FromMilliseconds(200), Batch = 5 };
        await company.Restart();
        var till = await company.EnrolDevice(Leeds, "till-1");
        for (ulong version = 1; version <= 60; version++)
            await company.Report(till, Leeds, till.Report(version, events: [version]));

        await ReadModelShows(async () => (await company.ReadModel.DeviceEvents(till.Id, PageRequest.First)) is { Total: <= 20, Items: [{ Number: 60 }, ..] }, "the newest of the history is kept, and no more than may be");
    }

    private static IEnumerable<int> RemoveAll(Histories histories, string name)
    {
        var history = History.All.Single(h => h.Name == name);
        while (histories.RemoveSome(history) is > 0 and var removed)
            yield return removed;
    }

    private static DeviceEventRow Entry(long position, string device, DateTimeOffset at) => new() { Position = position, DeviceId = device, OfficeId = "leeds", Kind = "test", At = at };

    private static void Happened(TestStorage storage, IReadOnlyList<DeviceEventRow> entries)
    {
        using var db = storage.ReadModel.Open();
        db.DeviceEvents.BulkCopy(entries);
    }

    private static List<int> Left(TestStorage storage)
    {
        using var db = storage.ReadModel.Open();
        return [.. db.DeviceEvents.OrderBy(e => e.Position).Select(e => (int)e.Position)];
    }
}
