namespace Fleet.Contracts.Api;

/// <summary>A device in the lists of the REST API.</summary>
/// <param name="DesiredVersion">The version that headquarters wants it to run.</param>
/// <param name="AppliedVersion">The version it says it runs.</param>
/// <param name="ReportedVersion">The number of its newest report.</param>
/// <param name="Converged">Whether it runs what is desired.</param>
/// <param name="LastSync">When it was last seen; absent = never since presence is kept.</param>
/// <param name="Through">The node it last synced through; absent when directly with headquarters, or never.</param>
/// <param name="CloneSeenAt">When a second machine with its identity was last seen and refused.</param>
/// <param name="Presence"><c>online</c>, <c>offline</c>, or <c>unknown</c> while nobody can know.</param>
/// <param name="PresenceSince">Since when.</param>
/// <param name="PresenceWhy">Why that is thought.</param>
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
    DateTimeOffset? CloneSeenAt,
    string Presence,
    DateTimeOffset? PresenceSince,
    string PresenceWhy);

/// <summary>All about one device.</summary>
/// <param name="DesiredAt">When headquarters made the desired version.</param>
/// <param name="AppliedAt">When the device applied its version, by the device's clock.</param>
/// <param name="AppliedKnownAt">When headquarters heard of that, by its own clock.</param>
/// <param name="DelaySeconds">From the desired version made to headquarters' knowing it applied; absent while it is not applied.</param>
/// <param name="Settings">The effective settings that run on the device.</param>
/// <param name="Problems">What the device could not do, in its own words.</param>
/// <param name="Connection">Set for this device alone: <c>always</c> or <c>periodic</c>; absent: policies decide.</param>
/// <param name="Wake">Its newest wake-up; absent: none yet.</param>
/// <param name="SeenOnNetwork">When a poll of the office's network last met its machine; absent: not yet.</param>
/// <param name="Connects"><c>always</c> or <c>periodic</c>: what holds now, by its own setting, policies and the budget.</param>
/// <param name="ConnectionRefusal">Why it is periodic although it should keep a line: the budget, the count and the setting; absent: no reason.</param>
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
    IReadOnlyList<string> Problems,
    string? Connection,
    WakeResource? Wake,
    SeenOnNetworkResource? SeenOnNetwork,
    string Connects,
    string? ConnectionRefusal,
    IReadOnlyList<PackageResource> Packages);

/// <summary>How a package stands on a device, as it reported.</summary>
/// <param name="Wanted">The version that headquarters wants; absent: none any more.</param>
/// <param name="Installed">The version that is on it; absent: none.</param>
/// <param name="Step"><c>fetching</c>, <c>waiting</c>, <c>installing</c>, <c>installed</c>, <c>failed</c> or <c>rolled-back</c>.</param>
/// <param name="Detail">What it waits for, or why it failed.</param>
/// <param name="Rollout">The rollout that the wanted version is of.</param>
public sealed record PackageResource(string Name, string? Wanted, string? Installed, string Step, string? Detail, DateTimeOffset? Since, string? Rollout);

/// <summary>A wake-up.</summary>
/// <param name="Id">Rises with each of the device.</param>
/// <param name="State"><c>running</c>, <c>woken</c> or <c>failed</c>.</param>
/// <param name="Channel">By which the device was woken: <c>office-push</c>, <c>headquarters-push</c>, <c>datagram-from-headquarters</c>, <c>datagram-from-an-office-node</c>, <c>wake-on-lan</c> or <c>periodic-sync</c>.</param>
/// <param name="Milliseconds">From the request accepted to the device's sync.</param>
/// <param name="Failures">What failed on the way.</param>
public sealed record WakeResource(
    string Id, string State, DateTimeOffset RequestedAt, DateTimeOffset? EndedAt, string? Channel, double? Milliseconds, IReadOnlyList<string> Failures);

/// <summary>The answer to POST /api/v1/devices/{id}/wake.</summary>
/// <param name="Wake">The id of the wake-up, new or already under way.</param>
/// <param name="Note">What it has to wait for: the next dial of a node that dials periodically; absent: nothing.</param>
public sealed record WakeRequested(string Id, string Wake, DateTimeOffset RequestedAt, string? Note = null);

/// <summary>The answer to POST /api/v1/offices/{id}/wake.</summary>
/// <param name="Wakes">One a device: the id of its wake-up, new or already under way.</param>
public sealed record OfficeWakeRequested(string Office, DateTimeOffset RequestedAt, IReadOnlyList<WakeRequested> Wakes);

/// <summary>POST /api/v1/offices/wake.</summary>
/// <param name="Offices">Absent: all.</param>
public sealed record OfficesToWake(IReadOnlyList<string>? Offices);

/// <summary>The answer to it.</summary>
/// <param name="Devices">So many are being woken.</param>
/// <param name="Refused">Offices that were not, and why.</param>
public sealed record OfficesWakeRequested(DateTimeOffset RequestedAt, int Offices, int Devices, IReadOnlyList<OfficeNotWoken> Refused);

public sealed record OfficeNotWoken(string Office, string Why);

/// <summary>What <c>fleet device wake</c> prints for each device.</summary>
public sealed record WakeOutcome(string Id, string Name, WakeResource Wake);

/// <summary>POST /api/v1/devices/{id}/connection.</summary>
/// <param name="Mode"><c>always</c> or <c>periodic</c>; absent: as policies say.</param>
public sealed record ConnectionChange(string? Mode);

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
