using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Headquarters.Tests.ReadModel;

/// <summary>What events come to is the same however many are written together.</summary>
public sealed class BatchTests
{
    private static readonly OfficeId Leeds = new("leeds");
    private static readonly DeviceId Till = new("till");
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly string[] Histories = ["report", "two reports", "back and forth", "report, then label", "label, then report", "report of one that is removed", "moved in, then report", "woken twice", "woken, then label", "label, then woken", "woken, reported back and forth, and over", "woken and removed"];

    public static TheoryData<StorageProvider, string> Cases
    {
        get
        {
            var cases = new TheoryData<StorageProvider, string>();
            foreach (var history in Histories)
                cases.Add(StorageProvider.Sqlite, history);
            foreach (var history in (string[])["back and forth", "woken, reported back and forth, and over"])
                cases.Add(StorageProvider.PostgreSql, history);
            return cases;
        }
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public async Task A_history_comes_to_the_same_event_by_event_in_one_batch_and_in_one_row(StorageProvider provider, string which)
    {
        IReadOnlyList<IOfficeEvent> history = [new OfficeOpened(Leeds, "Leeds", "test", Noon), Enrolled(Till), Enrolled(new DeviceId("other")), .. History(which)];

        var alone = await After(provider, [.. history.Select(e => new[] { e })]);
        var together = await After(provider, [[.. history]]);
        var asOneRow = await After(provider, [[new OfficeEvents(Leeds, history)]]);

        Assert.Equal(alone, together);
        Assert.Equal(alone, asOneRow);
        Assert.Contains("till", alone);
    }

    [Fact]
    public async Task Events_of_one_row_are_told_apart_and_stay_in_their_order()
    {
        await using var storage = await TestStorage.New(TestStorage.Usual);
        var store = storage.ReadModel;
        Write(store, [new OfficeEvents(Leeds, [Enrolled(Till), Recorded(1), Recorded(2)])], from: 7);
        Write(store, [Recorded(3)], from: 8);
        var queries = new ReadModelQueries(store, TimeProvider.System);

        var all = await queries.EventsAfter(0, 50);
        Assert.Equal([0UL, 1UL, 2UL, 3UL], all.Select(e => e.Number));
        Assert.Equal(all.Select(e => e.Position).Distinct().Order(), all.Select(e => e.Position));
        Assert.Equal([2UL, 3UL], (await queries.EventsAfter(all[1].Position, 50)).Select(e => e.Number));
        Assert.Empty(await queries.EventsAfter(await queries.Position(), 50));
    }

    private static IEnumerable<IOfficeEvent> History(string which) => which switch
    {
        "report" => [Reported(1, applied: 1)],
        "two reports" => [Reported(1, applied: 1), Reported(2, applied: 1)],
        "back and forth" => [Reported(1, applied: 2), Reported(2, applied: 1), Reported(3, applied: 2)],
        "report, then label" => [Reported(1, applied: 1), Labelled(), new DeviceDesiredChanged(Leeds, Till, 4, default, Noon)],
        "label, then report" => [Labelled(), new DeviceDesiredChanged(Leeds, Till, 4, default, Noon), Reported(1, applied: 4)],
        "report of one that is removed" => [new DeviceRemoved(Leeds, Till, "test", Noon), Reported(1, applied: 1)],
        "moved in, then report" => [Reported(1, applied: 1), new DeviceMovedIn(Leeds, Till, new OfficeId("york"), Headquarters.Devices.Device.From(Enrolled(Till)).Known, Noon), Reported(2, applied: 1)],
        "woken twice" => [Woken(1), Over(1, null), Woken(2)],
        "woken, then label" => [Woken(1), Over(1, WakeChannel.OfficePush), Labelled(), new DeviceDesiredChanged(Leeds, Till, 4, default, Noon)],
        "label, then woken" => [Labelled(), new DeviceDesiredChanged(Leeds, Till, 4, default, Noon), Woken(1), Over(1, WakeChannel.OfficePush)],
        "woken, reported back and forth, and over" => [Woken(1), Reported(1, applied: 2), Reported(2, applied: 1), Reported(3, applied: 2), Over(1, WakeChannel.OfficePush)],
        "woken and removed" => [Woken(1), new DeviceRemoved(Leeds, Till, "test", Noon), Over(1, null)],
        _ => throw new ArgumentException(which),
    };

    private static async Task<string> After(StorageProvider provider, IReadOnlyList<IOfficeEvent[]> batches)
    {
        await using var storage = await TestStorage.New(provider);
        var store = storage.ReadModel;
        var position = 1;
        foreach (var batch in batches)
        {
            Write(store, batch, position);
            position += batch.Length;
        }

        var queries = new ReadModelQueries(store, TimeProvider.System);
        var details = new[] { await queries.Device(Till), await queries.Device(new DeviceId("other")) };
        var notes = await queries.EventsAfter(0, 50);
        return System.Text.Json.JsonSerializer.Serialize(new { details, notes = notes.Select(n => n with { Position = 0 }) });
    }

    private static void Write(ReadModelStore store, IReadOnlyList<IOfficeEvent> rows, long from) => store.Write(from + rows.Count - 1, [], projection =>
    {
        projection.Expect(rows);
        foreach (var (at, row) in rows.Index())
            projection.Apply(from + at, row);
    });

    private static DeviceEnrolled Enrolled(DeviceId device) =>
        new(Leeds, device, device.Value, new byte[] { 1 }, new CertificateRecord("01", default, 1, Noon.AddDays(30)), new TokenId("token"), Noon);

    private static DeviceLabelled Labelled() => new(Leeds, Till, new Dictionary<string, string> { ["ring"] = "canary" }, "test", Noon);

    private static DeviceEventRecorded Recorded(ulong number) => new(Leeds, Till, number, "started", "", Noon, Noon);

    private static DeviceWakeRequested Woken(ulong counter) => new(Leeds, Till, counter, "ann", Noon.AddHours(counter));

    private static DeviceWakeEnded Over(ulong counter, WakeChannel? channel) =>
        new(Leeds, Till, counter, channel, TimeSpan.FromMilliseconds(1500.5), channel is null ? "no\0body\nanswered" : "", Noon.AddHours(counter).AddMinutes(1));

    // Each a minute after the one before.
    private static DeviceReported Reported(ulong version, ulong applied)
    {
        var at = Noon.AddMinutes(version);
        var report = new DeviceReport
        {
            Version = version,
            AppliedVersion = applied,
            AppliedAt = Timestamp.FromDateTimeOffset(at),
            Machine = ByteString.CopyFrom(1),
            Inventory = new Inventory { HostName = $"host\0-{version}", OsName = "Debian", OsVersion = "12", AgentVersion = $"0.{version}" },
            Packages = { new PackageStatus { Name = "till", InstalledVersion = $"1.{version}" } },
        };
        return new DeviceReported(Leeds, Till, version, version, 1, default, report.ToByteArray(), at);
    }
}
