using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Offices;
using Google.Protobuf;

namespace Fleet.Headquarters.Tests.Offices;

/// <summary>Offices and reports as the pure rules see them.</summary>
internal static class Situation
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    public static readonly OfficeId Leeds = new("leeds");
    public static readonly OfficeId York = new("york");
    public static readonly DeviceId Till = new("d-till");
    public static readonly NodeId Node1 = new("gw1.leeds");
    public static readonly byte[] Enrolled = SHA256.HashData("the enrolled machine"u8);
    public static readonly byte[] Other = SHA256.HashData("another machine"u8);

    public static Office Open(OfficeId office) => new Office(office).Apply(new OfficeOpened(office, office.Value, "test", Noon));

    public static Office WithTill(this Office office) => office.With(new DeviceEnrolled(office.Id, Till, "till-1", Enrolled, Certificate(1), new TokenId("t-1"), Noon));

    public static Office WithGateway(this Office office) => office.With(new NodeEnrolled(office.Id, Node1, new DeviceId("d-gw1"), Certificate(1), Noon));

    /// <summary>With the events and what follows from them.</summary>
    public static Office With(this Office office, params IOfficeEvent[] events) => office.Apply(office.Settled(events, TestOffices.Options, Noon).Events);

    public static CertificateRecord Certificate(uint generation) => new($"{generation:X2}", new byte[] { (byte)generation }, generation, Noon.AddDays(30));

    public static Device NewDevice() => Device.From(new DeviceEnrolled(Leeds, Till, "till-1", Enrolled, Certificate(1), new TokenId("t-1"), Noon));

    public static DeviceReport Report(ulong version, byte[]? machine = null, string host = "till-1", params ulong[] events)
    {
        var report = new DeviceReport { Version = version, Machine = ByteString.CopyFrom(machine ?? Enrolled), Inventory = new Inventory { HostName = host } };
        report.Events.AddRange(events.Select(n => new DeviceEvent { Number = n, Kind = "test", Text = $"{n}" }));
        return report;
    }

    public static EnvelopeHeader Header(DeviceReport report, ulong counter, uint generation = 1) => new()
    {
        DeviceId = Till.Value,
        Kind = EnvelopeKind.Report,
        Version = report.Version,
        Counter = counter,
        KeyGeneration = generation,
        ContentHash = ByteString.CopyFrom(SHA256.HashData(report.ToByteArray())),
    };

    public static (Device Device, ReportDecision Decision) Hear(this Device device, DeviceReport report, ulong counter, DateTimeOffset? heardAt = null, DateTimeOffset? now = null, uint generation = 1)
    {
        var decision = device.Decide(Leeds, Header(report, counter, generation), report, new ReportCircumstances(now ?? Noon, heardAt ?? Noon, TimeSpan.FromMinutes(30)));
        return (decision.Events.Aggregate(device, (d, e) => d.Apply(e)), decision);
    }
}
