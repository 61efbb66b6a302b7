using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Company;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.Offices;

/// <summary>What a twin leaves of its events once snapshots have them.</summary>
public sealed class CompactionTests
{
    private const string Twin = "office-leeds";

    public static TheoryData<StorageProvider> Both => TestStorage.Both;

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task Events_that_two_snapshots_have_go_and_the_office_begins_with_what_is_left(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, 10, Leeds);
        var till = await company.EnrolDevice(Leeds, "till-1");
        for (ulong version = 1; version <= 60; version++)
            await company.Report(till, Leeds, till.Report(version, events: [version]));
        await ReadModelShows(() => Task.FromResult(Rows(company) is { Events: < 30, Snapshots: <= 2 }), "old events go, and old snapshots");

        await company.Restart();
        await company.Report(till, Leeds, till.Report(61, events: [61]));

        await ReadModelShows(async () => (await company.ReadModel.Device(till.Id))!.Report!.Version == 61, "the office goes on");
        Assert.Equal(61, (await company.ReadModel.DeviceEvents(till.Id, new PageRequest(0, 200))).Items.Count(e => e.Number > 0));
    }

    [SkippableTheory, MemberData(nameof(Both))]
    public async Task Where_little_happens_events_go_by_their_age(StorageProvider storage)
    {
        await using var company = await TestCompany.Start(storage, 1000, Leeds);
        company.SnapshotWithin = TimeSpan.FromMilliseconds(200);
        await company.Restart();
        await ReadModelShows(() => Task.FromResult(Rows(company).Snapshots == 1), "a snapshot of what there was");
        var before = Last(company);
        await company.Token(Leeds, Messages.Offices.JoinKind.Agent);

        await ReadModelShows(() => Task.FromResult(First(company) == before + 1), "what the first snapshot has goes with the second");

        await company.Company(new AddOffice(York, "York", "test"));
        await ReadModelShows(() => Task.FromResult(new JournalRows(company.Journal).SnapshotsOf("company").Any()), "the company does the same");
    }

    private static (int Events, int Snapshots) Rows(TestCompany company) => (new JournalRows(company.Journal).EventsOf(Twin).Count(), new JournalRows(company.Journal).SnapshotsOf(Twin).Count());

    private static long First(TestCompany company) => new JournalRows(company.Journal).EventsOf(Twin).First().SequenceNr;

    private static long Last(TestCompany company) => new JournalRows(company.Journal).EventsOf(Twin).Last().SequenceNr;
}
