using System.Text.Json.Serialization;

namespace Fleet.Cli.Sizing;

/// <summary>What a headquarters needs for a fleet, computed from what was <see cref="Measured"/>.</summary>
/// <param name="ChangesPercentAMinute">How many of all devices report a change each minute.</param>
/// <param name="AlwaysConnectedPercent">How many of them keep a line open.</param>
/// <param name="MemoryBytes">Resident, of all nodes together.</param>
/// <param name="Processors">Busy on average, PostgreSQL's part with it.</param>
/// <param name="JournalBytesADay">Written; most goes again with snapshots.</param>
/// <param name="DiskBytes">Journal and read model at most, beside update content.</param>
/// <param name="Storage"><c>sqlite</c> or <c>postgresql</c>.</param>
/// <param name="NodeMemoryBytes">What each node's machine should have.</param>
/// <param name="NodeProcessors">Likewise.</param>
internal sealed record Sizing(
    long Offices,
    long Devices,
    double ChangesPercentAMinute,
    double AlwaysConnectedPercent,
    double ChangesPerSecond,
    long MemoryBytes,
    double Processors,
    long JournalBytesADay,
    long DiskBytes,
    string Storage,
    int Nodes,
    long NodeMemoryBytes,
    int NodeProcessors)
{
    private const double Megabyte = 1 << 20;
    private const double Gigabyte = 1 << 30;
    private const int SecondsADay = 24 * 60 * 60;

    /// <summary>Of a device that syncs periodically (offices.sync-interval).</summary>
    private const double SyncSeconds = 15 * 60;

    /// <summary>Events of an office between two snapshots at least (offices.snapshot-every); twice as many as it has devices, where those are more.</summary>
    private const double SnapshotEvery = 1000;

    /// <summary>Of which the last two are kept, with the events since.</summary>
    private const double SnapshotsKept = 2;

    /// <summary>For hours that are not average, storms after an outage, garbage that waits to be collected.</summary>
    private const double Reserve = 2;

    /// <summary>One may be lost, and the others still are most.</summary>
    private const int LeastNodes = 3;

    private const int LeastProcessors = 2;

    public static Sizing Of(long offices, long devices, double changesPercentAMinute, double alwaysConnectedPercent)
    {
        var changes = devices * changesPercentAMinute / 100 / 60;
        var cluster = devices > Measured.MostDevices || changes > Measured.MostReports / Reserve;
        var nodes = cluster ? Math.Max(LeastNodes, 1 + (int)Math.Ceiling((double)devices / Measured.MostDevices)) : 1;
        var carrying = Math.Max(1, nodes - 1);
        var load = (offices * Measured.OfficeKilobytes * 1024) + (devices * Measured.DeviceKilobytes * 1024);
        var seen = devices * (100 - alwaysConnectedPercent) / 100 / SyncSeconds;
        var busy = ((offices * Measured.OfficeMilliseconds) + (seen * Measured.SeenMilliseconds) + (changes * (cluster ? Measured.ClusterReportMilliseconds : Measured.ReportMilliseconds))) / 1000;
        var kept = SnapshotsKept * offices * Math.Max(SnapshotEvery, 2.0 * devices / Math.Max(1, offices)) * Measured.ReportBytes;
        return new Sizing(offices, devices, changesPercentAMinute, alwaysConnectedPercent, Math.Round(changes, 1),
            (long)((nodes * Measured.NodeMegabytes * Megabyte) + load),
            Math.Round(busy, 2),
            (long)(changes * SecondsADay * Measured.ReportBytes),
            (long)(kept + (devices * Measured.ReadModelBytes)),
            cluster ? "postgresql" : "sqlite",
            nodes,
            (long)(PowerAbove(Reserve * ((Measured.NodeMegabytes * Megabyte) + (load / carrying)) / Gigabyte) * Gigabyte),
            Math.Max(LeastProcessors, (int)Math.Ceiling(Reserve * busy / carrying)));
    }

    // Machines come so.
    private static double PowerAbove(double size) => Math.Pow(2, Math.Max(0, Math.Ceiling(Math.Log2(size))));
}

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Sizing))]
internal sealed partial class SizingJson : JsonSerializerContext;
