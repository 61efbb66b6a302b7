namespace Fleet.Device.Updates;

/// <summary>Block <c>fleet.agent.updates</c>; reasons and units stand there.</summary>
/// <param name="Packages">Empty: in the data directory.</param>
/// <param name="RequireVendor">A package that no vendor covers is not installed.</param>
public sealed record UpdateOptions(
    string Packages,
    long Quota,
    long MinFree,
    int DeltaMaxFile,
    TimeSpan FirstRetry,
    TimeSpan LongestRetry,
    TimeSpan HeadquartersAfter,
    TimeSpan TellWithin,
    TimeSpan HealthTimeout,
    TimeSpan RunTimeout,
    TimeSpan Probation,
    bool RequireVendor);
