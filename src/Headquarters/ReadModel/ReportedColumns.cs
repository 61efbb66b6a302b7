using System.Data;
using Fleet.Contracts.Agents;

namespace Fleet.Headquarters.ReadModel;

/// <summary>What a device's report means for its row.</summary>
internal sealed record ReportedColumns(
    long Version, DateTimeOffset At, byte[] Report, long AppliedVersion, DateTimeOffset? AppliedAt, DateTimeOffset AppliedKnownAt, string Packages, string HostName, string Os, string AgentVersion)
{
    /// <summary>Puts them into a row that is not read.</summary>
    public static DeviceStatement<ReportedColumns> Statement { get; } = new(
        """
        reported_version = @version, reported_at = @at, report = @report, packages = @packages, host_name = @host, os = @os, agent_version = @agent,
        applied_at = CASE WHEN applied_version <> @applied THEN @applied_at ELSE applied_at END,
        applied_known_at = CASE WHEN applied_version <> @applied THEN @applied_known_at ELSE applied_known_at END,
        applied_version = @applied
        """,
        ("@version", DbType.Int64, r => r.Version),
        ("@at", DbType.Int64, r => r.At.ToUnixTimeMilliseconds()),
        ("@report", DbType.Binary, r => r.Report),
        ("@packages", DbType.String, r => r.Packages),
        ("@host", DbType.String, r => r.HostName),
        ("@os", DbType.String, r => r.Os),
        ("@agent", DbType.String, r => r.AgentVersion),
        ("@applied", DbType.Int64, r => r.AppliedVersion),
        ("@applied_at", DbType.Int64, r => r.AppliedAt?.ToUnixTimeMilliseconds()),
        ("@applied_known_at", DbType.Int64, r => r.AppliedKnownAt.ToUnixTimeMilliseconds()));

    /// <param name="bytes">A serialized DeviceReport.</param>
    public static ReportedColumns Of(ulong version, ReadOnlyMemory<byte> bytes, DateTimeOffset at)
    {
        var report = DeviceReport.Parser.ParseFrom(bytes.Span);
        var inventory = report.Inventory ?? new Inventory();
        return new ReportedColumns((long)version, at, bytes.ToArray(), (long)report.AppliedVersion, report.AppliedAt?.ToDateTimeOffset(), at,
            string.Concat(report.Packages.Where(p => p.InstalledVersion.Length > 0).Select(p => $"\n{p.Name} {p.InstalledVersion}\n")),
            inventory.HostName, $"{inventory.OsName} {inventory.OsVersion}".Trim(), inventory.AgentVersion);
    }

    /// <summary>What both came to, this one after the other. Null: only one after the other can be written.</summary>
    public ReportedColumns? After(ReportedColumns before) =>
        before.AppliedVersion == AppliedVersion ? this with { AppliedAt = before.AppliedAt, AppliedKnownAt = before.AppliedKnownAt } : null;

    /// <summary>Puts them into a row that is read already; means the same as <see cref="Statement"/>.</summary>
    public void Fill(DeviceRow row)
    {
        (row.ReportedVersion, row.ReportedAt, row.Report) = (Version, At, Report);
        if (row.AppliedVersion != AppliedVersion)
            (row.AppliedVersion, row.AppliedAt, row.AppliedKnownAt) = (AppliedVersion, AppliedAt, AppliedKnownAt);
        (row.Packages, row.HostName, row.Os, row.AgentVersion) = (Packages, HostName, Os, AgentVersion);
    }
}
