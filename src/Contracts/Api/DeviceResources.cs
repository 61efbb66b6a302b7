namespace Fleet.Contracts.Api;

/// <summary>A device in the lists of the REST API.</summary>
/// <param name="DesiredVersion">The version that headquarters wants it to run.</param>
/// <param name="AppliedVersion">The version it says it runs.</param>
/// <param name="ReportedVersion">The number of its newest report.</param>
/// <param name="Converged">Whether it runs what is desired.</param>
/// <param name="LastSync">When it was last seen; absent = never since presence is kept.</param>
/// <param name="Through">The node it last synced through; absent when directly with headquarters, or never.</param>
/// <param name="CloneSeenAt">When a second machine with its identity was last seen and refused.</param>
public sealed record DeviceResource(
    string Id,
    string Name,
    string Office,
    string HostName,
    string Os,
    string AgentVersion,
    ulong DesiredVersion,
    ulong AppliedVersion,
    ulong ReportedVersion,
    bool Converged,
    DateTimeOffset? ReportedAt,
    DateTimeOffset? LastSync,
    string? Through,
    IReadOnlyDictionary<string, string> Labels,
    DateTimeOffset? CloneSeenAt);

/// <summary>All about one device.</summary>
/// <param name="DesiredAt">When headquarters made the desired version.</param>
/// <param name="AppliedAt">When the device applied its version, by the device's clock.</param>
/// <param name="AppliedKnownAt">When headquarters heard of that, by its own clock.</param>
/// <param name="DelaySeconds">From the desired version made to headquarters' knowing it applied; absent while it is not applied.</param>
/// <param name="Settings">The effective settings that run on the device.</param>
/// <param name="Problems">What the device could not do, in its own words.</param>
public sealed record DeviceDetailResource(
    DeviceResource Device,
    DateTimeOffset EnrolledAt,
    DateTimeOffset? DesiredAt,
    DateTimeOffset? AppliedAt,
    DateTimeOffset? AppliedKnownAt,
    double? DelaySeconds,
    string CertificateSerial,
    DateTimeOffset CertificateNotAfter,
    uint KeyGeneration,
    string CloneEvidence,
    InventoryResource? Inventory,
    IReadOnlyDictionary<string, string> Settings,
    IReadOnlyList<string> Problems);

/// <summary>What the device says its machine is.</summary>
public sealed record InventoryResource(
    string HostName,
    string OsName,
    string OsVersion,
    string Kernel,
    string Architecture,
    string CpuModel,
    int CpuCores,
    long MemoryBytes,
    DateTimeOffset? BootedAt,
    IReadOnlyList<DiskResource> Disks,
    IReadOnlyList<InterfaceResource> Interfaces);

public sealed record DiskResource(string Mount, string FileSystem, long SizeBytes, long FreeBytes);

public sealed record InterfaceResource(string Name, string Mac, IReadOnlyList<string> Addresses);

/// <summary>POST /api/v1/devices/{id}/labels.</summary>
public sealed record LabelChange(IReadOnlyDictionary<string, string>? Set = null, IReadOnlyList<string>? Remove = null);

/// <summary>POST /api/v1/devices/{id}/move.</summary>
/// <param name="Office">The new home.</param>
public sealed record DeviceMove(string Office);

/// <summary>The answer to POST /api/v1/devices/{id}/sync: done once the device's <c>lastSync</c> is another than this one.</summary>
/// <param name="LastSync">The device's last sync before the request.</param>
public sealed record SyncRequested(string Id, DateTimeOffset RequestedAt, DateTimeOffset? LastSync);
