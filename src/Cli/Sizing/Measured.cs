namespace Fleet.Cli.Sizing;

/// <summary>
/// What headquarters was measured to cost: the one place of these numbers. Each is from <see cref="Results"/>, by the benchmark that is named with it, or an estimate where it says so; whoever
/// measures anew changes them here, and the table in docs/operations.md with them (a test holds the two together). Two cores of an AMD EPYC of 2026.
/// </summary>
internal static class Measured
{
    public const string Results = "bench/results/2026-11-27.md";

    /// <summary>Resident memory of a headquarters node with nearly nothing to do (<c>footprint</c>).</summary>
    public const double NodeMegabytes = 211;

    /// <summary>Resident memory that an office and its link add: an estimate of the share that is no device's (<c>fleet-idle</c>).</summary>
    public const double OfficeKilobytes = 200;

    /// <summary>Resident memory that a device adds, whether it keeps a line to its office's push server or not (<c>fleet-idle</c>).</summary>
    public const double DeviceKilobytes = 4.3;

    /// <summary>Processor time that an idle office takes a second: pings, presence (<c>fleet-idle</c>).</summary>
    public const double OfficeMilliseconds = 0.18;

    /// <summary>Processor time for a device that is told of as seen: reading the digest, judging presence (<c>micro</c>). One that keeps a line is told of when the line changes alone.</summary>
    public const double SeenMilliseconds = 0.0036;

    /// <summary>Processor time for a changed report, with journal and read model on SQLite (<c>sync-throughput</c>).</summary>
    public const double ReportMilliseconds = 0.098;

    /// <summary>The same in a cluster, with PostgreSQL's own part: an estimate, not measured yet.</summary>
    public const double ClusterReportMilliseconds = 0.3;

    /// <summary>What a changed report takes in the journal (<c>micro</c>: a row of 1,000); more where machines have more to tell than those of the benchmark.</summary>
    public const double ReportBytes = 291;

    /// <summary>What a device with its labels, presence and some history takes in the read model (<c>lists</c>).</summary>
    public const double ReadModelBytes = 1_450;

    /// <summary>Changed reports a second that one node takes on SQLite at most (<c>sync-throughput</c>).</summary>
    public const double MostReports = 10_359;

    /// <summary>Devices that were measured on one node (<c>fleet-idle</c>).</summary>
    public const int MostDevices = 100_000;
}
