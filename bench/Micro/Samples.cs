using System.Globalization;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Google.Protobuf;

namespace Fleet.Micro;

/// <summary>Messages as large as usual.</summary>
internal static class Samples
{
    /// <summary>As many as a relay's frame holds (office.relay.frame-items).</summary>
    private const int FrameItems = 200;

    private const int Devices = 1000;

    public static DateTimeOffset Noon { get; } = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static OfficeId Office { get; } = new("leeds");

    public static NodeId Node { get; } = new("gw1.leeds");

    public static UpFrame Frame { get; } = new("8f2a61c09d3b4e57", 12345, [.. Enumerable.Range(0, FrameItems).Select(n => new DeviceEnvelopeUp(Device(n), Report(n).ToByteArray(), Office))]);

    public static PresenceDigest Digest { get; } = new([.. Enumerable.Range(0, Devices).Select(n => new DeviceSeen(Device(n), Noon.AddSeconds(n)))]);

    public static OfficeEvents Row { get; } = new(Office, [.. Enumerable.Range(0, Devices).Select(n => new DeviceReported(Office, Device(n), (ulong)n, (ulong)n, 1, new byte[16], Report(n).ToByteArray(), Noon))]);

    public static IEnumerable<IOfficeEvent> Enrolled =>
    [
        new OfficeOpened(Office, "Leeds", "micro", Noon),
        .. Enumerable.Range(0, Devices).Select(n => new DeviceEnrolled(Office, Device(n), $"till-{n}", default, new CertificateRecord("01", default, 1, Noon.AddDays(30)), new TokenId("t"), Noon)),
    ];

    public static DeviceId Device(int number) => new(string.Create(CultureInfo.InvariantCulture, $"d-{number:x20}"));

    public static DeviceReport Report(int number) => new()
    {
        Version = (ulong)number,
        RunId = ByteString.CopyFrom(new byte[16]),
        Machine = ByteString.CopyFrom(new byte[32]),
        Inventory = new Inventory { HostName = $"till-{number}", OsName = "Debian GNU/Linux", OsVersion = "12", Kernel = "6.1.0", Architecture = "x64", CpuModel = "Lab CPU", CpuCores = 4, MemoryBytes = 8L << 30, AgentVersion = "0.1.0" },
        ReachedThrough = Node.Value,
        Settings = { ["sync.interval"] = "15m", ["agent.connection"] = "always" },
        Packages = { new PackageStatus { Name = "tills", WantedVersion = "1.4.0", InstalledVersion = "1.4.0" } },
    };
}
