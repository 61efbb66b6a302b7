namespace Fleet.Contracts.Api;

/// <summary>Picks devices; absent or empty lists pick all.</summary>
/// <param name="Offices">Of which offices.</param>
/// <param name="Labels">Labels that a device must all have, with these values.</param>
/// <param name="Devices">Ids of devices.</param>
public sealed record DeviceSelector(IReadOnlyList<string>? Offices = null, IReadOnlyDictionary<string, string>? Labels = null, IReadOnlyList<string>? Devices = null);

/// <summary>POST /api/v1/rollouts: brings a published version of a package to devices, ring by ring.</summary>
/// <param name="Name">Absent: made of package and version.</param>
/// <param name="For">The devices that it is for at all; absent: all.</param>
/// <param name="Rings">In order; absent: one of all devices.</param>
/// <param name="RollBack">Whether devices get the version before when it halts by itself.</param>
/// <param name="Parameters">How it is installed; keys as the agent knows them.</param>
public sealed record NewRollout(
    string Package,
    string Version,
    string? Name = null,
    DeviceSelector? For = null,
    IReadOnlyList<NewRing>? Rings = null,
    bool RollBack = false,
    IReadOnlyDictionary<string, string>? Parameters = null);

/// <summary>A ring of a rollout.</summary>
/// <param name="Picks">Its devices; absent: all that the rollout is for.</param>
/// <param name="Percent">Of these, so many in a hundred; which ones hangs on device and rollout alone.</param>
/// <param name="SuccessPercent">So many in a hundred of its devices must have the version before the next ring is begun.</param>
/// <param name="FailCount">So many that failed halt the rollout; 0: their number does not. Absent: 1, where <paramref name="FailPercent"/> is absent too.</param>
/// <param name="FailPercent">The same in a hundred of the ring's devices; 0 or absent: does not.</param>
/// <param name="SoakSeconds">How long it must stand well before the next is begun; absent: an hour, and nothing where there is one ring.</param>
public sealed record NewRing(
    string Name, DeviceSelector? Picks = null, int Percent = 100, int SuccessPercent = 100, int? FailCount = null, int? FailPercent = null, double? SoakSeconds = null);

/// <summary>POST /api/v1/rollouts/{name}/halt.</summary>
/// <param name="RollBack">Devices that have the version get the one before.</param>
public sealed record RolloutHalt(bool RollBack = false);

/// <summary>A rollout in the REST API.</summary>
/// <param name="State"><c>running</c>, <c>paused</c>, <c>halted</c> or <c>done</c>.</param>
/// <param name="RollBack">Whether devices get the version before when it halts by itself.</param>
/// <param name="RolledBack">Whether it was halted and devices get the version before.</param>
/// <param name="Why">Why it was halted; absent: it was not.</param>
/// <param name="WaitsFor">What it waits for; absent: it is over.</param>
/// <param name="Failures">Devices that had failed when it was halted, the first of many.</param>
/// <param name="EndedAt">When it was halted or done.</param>
public sealed record RolloutResource(
    string Name,
    string Package,
    string Version,
    string State,
    DeviceSelector For,
    IReadOnlyList<RingResource> Rings,
    bool RollBack,
    bool RolledBack,
    IReadOnlyDictionary<string, string> Parameters,
    string? Why,
    string? WaitsFor,
    IReadOnlyList<FailureResource> Failures,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset? EndedAt);

/// <summary>A device that a rollout failed on.</summary>
/// <param name="RolledBack">It had the version, and is back on the one before.</param>
/// <param name="Detail">Why, in the device's words.</param>
public sealed record FailureResource(string Device, string Name, string Office, string Ring, bool RolledBack, string Detail, DateTimeOffset? Since);

/// <summary>A ring and how its devices stand: those that it is the first to pick.</summary>
/// <param name="Reached">Whether it is begun.</param>
/// <param name="Picked">All its devices; those that are in none of the three others are under way.</param>
/// <param name="Installed">Have the version.</param>
/// <param name="Failed">Gave up.</param>
/// <param name="RolledBack">Had it, were not healthy, and are back on the version before.</param>
public sealed record RingResource(
    string Name,
    bool Reached,
    int Picked,
    int Installed,
    int Failed,
    int RolledBack,
    DeviceSelector Picks,
    int Percent,
    int SuccessPercent,
    int FailCount,
    int FailPercent,
    double SoakSeconds);

/// <summary>One entry of a rollout's history.</summary>
public sealed record RolloutEventResource(DateTimeOffset At, string Kind, string Text);

/// <summary>A device of a rollout.</summary>
/// <param name="Ring">The ring that picks it.</param>
/// <param name="State"><c>installed</c>, <c>failed</c>, <c>rolled-back</c> or <c>under-way</c>.</param>
/// <param name="Installed">The version that is on it, as it reported; absent: none that it told of.</param>
/// <param name="WaitsFor">What it waits for, or why it failed; absent: it has the version.</param>
/// <param name="Since">Since when it waits; absent: not known.</param>
public sealed record RolloutDeviceResource(string Id, string Name, string Office, string Ring, string State, string? Installed, string? WaitsFor, DateTimeOffset? Since);

/// <summary>The way of a version of a package from headquarters to a device: why it does not have it yet.</summary>
/// <param name="Ring">The ring that picks the device, reached or not.</param>
/// <param name="WaitsAt">The first step that is not done; absent: the device has the version.</param>
public sealed record PackagePathResource(string Device, string Rollout, string Package, string Version, string Ring, string? WaitsAt, IReadOnlyList<PathStepResource> Steps);

/// <param name="Where"><c>headquarters</c>, <c>office</c>, <c>distribution-point</c>, <c>device</c> or <c>package</c>.</param>
/// <param name="State"><c>done</c>, <c>waits</c> or <c>failed</c>.</param>
/// <param name="Since">Since when; absent: not known.</param>
public sealed record PathStepResource(string Where, string State, string Text, DateTimeOffset? Since);

/// <summary>What went through a distribution point of one version of a package, in bytes, since it began to count.</summary>
/// <param name="Package">Absent: metadata, and content that no known package names.</param>
/// <param name="Total">Of all its files.</param>
/// <param name="Here">Of them, those that are here and verified.</param>
/// <param name="FromSources">Came over the office's uplink, by source.</param>
/// <param name="FromPeers">Came from the office's other distribution points.</param>
/// <param name="ToDevices">Went to devices.</param>
/// <param name="FromCache">Of these, were here when they were asked for.</param>
/// <param name="Healed">Were brought again because the disk had lost or changed them.</param>
/// <param name="DeltaSaved">Did not have to come because a delta did.</param>
public sealed record CounterResource(
    string Office,
    string Node,
    string? Package,
    string? Version,
    long Total,
    long Here,
    IReadOnlyDictionary<string, long> FromSources,
    long FromPeers,
    long ToDevices,
    long FromCache,
    long Healed,
    long DeltaSaved,
    DateTimeOffset Since,
    DateTimeOffset At);
