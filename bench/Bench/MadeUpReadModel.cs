using System.Globalization;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.NatLab.Fleets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Bench;

/// <summary>
/// A read model that is filled as the projection fills it, from events of a fleet that was never there: offices with a node each, and devices with labels, a
/// report, a history and presence. Shares are those of a company in the middle of a rollout.
/// </summary>
internal sealed class MadeUpReadModel(ReadModelStore store, int offices, int devicesPerOffice)
{
    /// <summary>Entries of each device's history beside its enrolment and labels.</summary>
    private const int Happened = 3;

    private static readonly DateTimeOffset Began = new(2026, 1, 1, 8, 0, 0, TimeSpan.Zero);

    private long _ordering;
    private ulong _version = 1;

    public int Offices => offices;

    public int Devices => offices * devicesPerOffice;

    public static string Office(int office) => string.Create(CultureInfo.InvariantCulture, $"office-{office:0000}");

    public static string Node(int office) => $"gw1.{Office(office)}";

    // Spread like the ids that headquarters makes: neighbours in a list are not neighbours by id.
    public static string Device(int device) => string.Create(CultureInfo.InvariantCulture, $"d-{(uint)device * 2654435761u:x8}{device:x8}");

    public static string Name(int device) => string.Create(CultureInfo.InvariantCulture, $"till-{device:000000}");

    /// <summary>Writes all of it, a transaction an office.</summary>
    public void Fill()
    {
        for (var office = 0; office < offices; office++)
        {
            var happened = Of(office).Chunk(OfficeEvents.Most).Select(some => new OfficeEvents(new OfficeId(Office(office)), some)).ToList();
            store.Write(_ordering += happened.Count, [], projection =>
            {
                projection.Expect(happened);
                foreach (var (at, row) in happened.Index())
                    projection.Apply(_ordering - happened.Count + at + 1, row);
            });
            store.Write(Seen(Enumerable.Range(office * devicesPerOffice, devicesPerOffice).Where(d => d % 50 != 49), Began.AddDays(300)));
        }
    }

    /// <summary>So many devices, any, report a change and are seen.</summary>
    public void Change(int devices, Random random)
    {
        var some = Enumerable.Range(0, devices).Select(_ => random.Next(Devices)).ToList();
        var now = DateTimeOffset.UtcNow;
        _version++;
        var reported = some.Distinct().Select(d => (IOfficeEvent)Reported(d, _version, now)).ToList();
        store.Write(++_ordering, [], projection => projection.Apply(_ordering, new OfficeEvents(new OfficeId(Office(0)), reported)));
        store.Write(Seen(some, now));
    }

    private IEnumerable<IOfficeEvent> Of(int office)
    {
        var (id, node) = (new OfficeId(Office(office)), new NodeId(Node(office)));
        yield return new OfficeOpened(id, $"Branch {office}", "bench", Began);
        yield return new NodeEnrolled(id, node, new DeviceId($"n-{office:x8}"), Certificate(office), Began);
        yield return new NodeReported(id, node, new NodeReport(1, [NodeRole.Gateway, NodeRole.PushServer], ["192.168.1.10:13000"], "0.1.0", $"gw-{office}", Began, [], ["192.168.1.10:13295"], [], "directly", [], null), Began);
        yield return new NodeLinkChanged(id, node, Up: true, "", Began);
        if (office % 50 == 0)
            yield return new NodeLinkChanged(id, node, Up: false, "the connection was closed", Began.AddDays(300));
        for (var device = office * devicesPerOffice; device < (office + 1) * devicesPerOffice; device++)
            foreach (var happened in Of(id, device))
                yield return happened;
    }

    private IEnumerable<IOfficeEvent> Of(OfficeId office, int device)
    {
        var (id, at) = (new DeviceId(Device(device)), Began.AddSeconds(device));
        yield return new DeviceEnrolled(office, id, Name(device), default, Certificate(device), new TokenId("t"), at);
        yield return new DeviceLabelled(office, id, Labels(device), "bench", at);
        yield return new DeviceDesiredChanged(office, id, 2, default, at);
        yield return Reported(device, _version, at);
        for (var number = 1; number <= Happened; number++)
            yield return new DeviceEventRecorded(office, id, (ulong)number, "package-installed", $"tills 1.{number}.0", at.AddDays(number), at.AddDays(number));
    }

    private static Dictionary<string, string> Labels(int device) => new()
    {
        ["ring"] = (device % 100) switch { 0 => "canary", < 10 => "ten", _ => "rest" },
        ["kind"] = (device % 3) switch { 0 => "till", 1 => "scale", _ => "kiosk" },
    };

    private DeviceReported Reported(int device, ulong version, DateTimeOffset at)
    {
        var report = new DeviceReport
        {
            Version = version,
            AppliedVersion = device % 33 == 0 ? 1ul : 2,
            AppliedAt = Timestamp.FromDateTimeOffset(at),
            Inventory = new MadeUpMachine(Name(device)).Inventory(),
            ReachedThrough = Node(device / devicesPerOffice),
            Settings = { ["sync.interval"] = "15m", ["agent.connection"] = "always" },
            Packages =
            {
                new PackageStatus { Name = "tills", WantedVersion = "1.4.0", InstalledVersion = device % 20 == 0 ? "1.4.0" : "1.3.0" },
                new PackageStatus { Name = "scales", WantedVersion = "3.2", InstalledVersion = "3.2" },
            },
        };
        return new DeviceReported(new OfficeId(Office(device / devicesPerOffice)), new DeviceId(Device(device)), version, version, 1, default, report.ToByteArray(), at);
    }

    private SeenChanges Seen(IEnumerable<int> devices, DateTimeOffset at)
    {
        var seen = new SeenChanges();
        foreach (var device in devices)
        {
            var (id, office, gone) = (new DeviceId(Device(device)), Office(device / devicesPerOffice), device % 12 == 0);
            var since = at.AddSeconds(-(device % 100_000));
            seen.Presence[id] = (new OfficeId(office), new DevicePresence(id, gone ? since : at.AddMilliseconds(device % 1000), new NodeId($"gw1.{office}"),
                gone ? PresenceState.Offline : PresenceState.Online, since, gone ? "its line broke and it did not come back" : "keeps a line open"));
        }

        return seen;
    }

    private static CertificateRecord Certificate(int number) => new(number.ToString("x16", CultureInfo.InvariantCulture), default, 1, Began.AddYears(1));
}
