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
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset? EndedAt);

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
