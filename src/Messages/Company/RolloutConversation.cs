using Fleet.Contracts;
using MessagePack;

namespace Fleet.Messages.Company;

// Rollouts: the company owns them, decides when their next ring is reached, and makes the releases in the book of updates of them.

/// <summary>Begins a rollout. Doing the same again changes nothing.</summary>
[MessagePackObject]
public sealed record CreateRollout([property: Key(0)] RolloutPlan Plan, [property: Key(1)] string By) : ICompanyCommand;

/// <summary>No further ring is begun; devices of the rings that are reached go on.</summary>
[MessagePackObject]
public sealed record PauseRollout([property: Key(0)] RolloutName Name, [property: Key(1)] string By) : ICompanyCommand;

[MessagePackObject]
public sealed record ResumeRollout([property: Key(0)] RolloutName Name, [property: Key(1)] string By) : ICompanyCommand;

/// <summary>Ends a rollout: no device that does not have the version begins to install it.</summary>
/// <param name="RollBack">Devices that have it get the version before.</param>
[MessagePackObject]
public sealed record HaltRollout([property: Key(0)] RolloutName Name, [property: Key(1)] bool RollBack, [property: Key(2)] string By) : ICompanyCommand;

/// <summary>A version is withdrawn: its rollouts are halted, and no device is told to have it.</summary>
[MessagePackObject]
public sealed record WithdrawVersion([property: Key(0)] string Package, [property: Key(1)] string PackageVersion, [property: Key(2)] string By) : ICompanyCommand;

/// <summary>An office twin says how rollouts stand with its devices; sent when it changed, until answered. Not journaled. Answer: <see cref="RolloutsCounted"/>.</summary>
/// <param name="Number">Names this count.</param>
/// <param name="BookVersion">Of the book of updates under which it was counted.</param>
/// <param name="Counts">Rings that pick nobody are left out.</param>
/// <param name="Failures">Devices that failed, the first <see cref="RolloutFailure.Most"/> of a rollout.</param>
[MessagePackObject]
public sealed record CountRollouts(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] ulong Number,
    [property: Key(2)] ulong BookVersion,
    [property: Key(3)] IReadOnlyList<RingCount> Counts,
    [property: Key(4)] IReadOnlyList<RolloutFailure>? Failures) : ICompanyCommand;

[MessagePackObject]
public sealed record RolloutsCounted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] ulong Number) : ICompanyReply;

/// <summary>How the devices that a ring is the first to pick stand; those that are in none of the three others are under way.</summary>
/// <param name="Picked">All of them.</param>
/// <param name="Installed">Have the version.</param>
/// <param name="Failed">Gave up.</param>
/// <param name="RolledBack">Had it, were not healthy, and are back on the version before.</param>
[MessagePackObject]
public sealed record RingCount(
    [property: Key(0)] RolloutName Rollout,
    [property: Key(1)] string Ring,
    [property: Key(2)] int Picked,
    [property: Key(3)] int Installed,
    [property: Key(4)] int Failed,
    [property: Key(5)] int RolledBack);

/// <summary>A device that a rollout failed on. Once the rollout is halted the device is told otherwise, and says no more of it.</summary>
/// <param name="RolledBack">It had the version, and is back on the one before.</param>
/// <param name="Detail">Why, in the device's words.</param>
[MessagePackObject]
public sealed record RolloutFailure(
    [property: Key(0)] RolloutName Rollout,
    [property: Key(1)] OfficeId OfficeId,
    [property: Key(2)] DeviceId DeviceId,
    [property: Key(3)] string Name,
    [property: Key(4)] string Ring,
    [property: Key(5)] bool RolledBack,
    [property: Key(6)] string Detail,
    [property: Key(7)] DateTimeOffset? Since)
{
    /// <summary>The most that an office tells of, and that are kept, of one rollout.</summary>
    public const int Most = 20;
}

// ---- Events ----

public interface IRolloutEvent : ICompanyEvent
{
    RolloutName Name { get; }
}

/// <param name="BookVersion">Of the book of updates that has its first ring.</param>
[MessagePackObject]
public sealed record RolloutCreated([property: Key(0)] RolloutPlan Plan, [property: Key(1)] ulong BookVersion, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : IRolloutEvent
{
    [IgnoreMember]
    public RolloutName Name => Plan.Name;
}

/// <summary>Enough of the ring has the version; the next is begun when it has soaked.</summary>
[MessagePackObject]
public sealed record RolloutRingSucceeded(
    [property: Key(0)] RolloutName Name, [property: Key(1)] string Ring, [property: Key(2)] DateTimeOffset SoaksUntil, [property: Key(3)] DateTimeOffset At) : IRolloutEvent;

/// <param name="Reached">How many rings are reached now.</param>
/// <param name="BookVersion">Of the book of updates that has the ring.</param>
[MessagePackObject]
public sealed record RolloutAdvanced(
    [property: Key(0)] RolloutName Name, [property: Key(1)] int Reached, [property: Key(2)] ulong BookVersion, [property: Key(3)] DateTimeOffset At) : IRolloutEvent;

[MessagePackObject]
public sealed record RolloutPaused([property: Key(0)] RolloutName Name, [property: Key(1)] string By, [property: Key(2)] DateTimeOffset At) : IRolloutEvent;

[MessagePackObject]
public sealed record RolloutResumed([property: Key(0)] RolloutName Name, [property: Key(1)] string By, [property: Key(2)] DateTimeOffset At) : IRolloutEvent;

/// <param name="RolledBack">Devices that have it are told to have the version before.</param>
/// <param name="Counts">How it stood.</param>
/// <param name="Failures">Devices that failed.</param>
[MessagePackObject]
public sealed record RolloutHalted(
    [property: Key(0)] RolloutName Name,
    [property: Key(1)] string Why,
    [property: Key(2)] bool RolledBack,
    [property: Key(3)] IReadOnlyList<RingCount> Counts,
    [property: Key(4)] string By,
    [property: Key(5)] DateTimeOffset At,
    [property: Key(6)] IReadOnlyList<RolloutFailure>? Failures) : IRolloutEvent;

/// <summary>Its last ring has succeeded and soaked: the version is what its devices should have until another takes its place.</summary>
[MessagePackObject]
public sealed record RolloutDone([property: Key(0)] RolloutName Name, [property: Key(1)] DateTimeOffset At) : IRolloutEvent;

/// <summary>It is over and the oldest of too many.</summary>
[MessagePackObject]
public sealed record RolloutForgotten([property: Key(0)] RolloutName Name, [property: Key(1)] DateTimeOffset At) : IRolloutEvent;

// ---- Documents ----

/// <summary>What an operator wants: a version of a package on devices, ring by ring.</summary>
/// <param name="Manifest">SHA-256 of the package's manifest, in lower-case hexadecimal.</param>
/// <param name="Length">Bytes of all its files.</param>
/// <param name="For">The devices that it is for at all.</param>
/// <param name="RollBack">Whether devices get the version before when it halts by itself.</param>
/// <param name="Parameters">How it is installed; keys as the agent knows them.</param>
[MessagePackObject]
public sealed record RolloutPlan(
    [property: Key(0)] RolloutName Name,
    [property: Key(1)] string Package,
    [property: Key(2)] string PackageVersion,
    [property: Key(3)] string Kind,
    [property: Key(4)] string Manifest,
    [property: Key(5)] long Length,
    [property: Key(6)] ReleaseSelector For,
    [property: Key(7)] IReadOnlyList<RingPlan> Rings,
    [property: Key(8)] bool RollBack,
    [property: Key(9)] IReadOnlyDictionary<string, string> Parameters);

/// <param name="Percent">Of the devices that <paramref name="Picks"/> has, so many in a hundred.</param>
/// <param name="SuccessPercent">Of the ring's devices, so many in a hundred must have the version.</param>
/// <param name="FailCount">So many that failed halt the rollout; 0: their number does not.</param>
/// <param name="FailPercent">The same in a hundred of the ring's devices.</param>
/// <param name="Soak">How long the ring must stand well before the next is begun.</param>
[MessagePackObject]
public sealed record RingPlan(
    [property: Key(0)] string Name,
    [property: Key(1)] ReleaseSelector Picks,
    [property: Key(2)] int Percent,
    [property: Key(3)] int SuccessPercent,
    [property: Key(4)] int FailCount,
    [property: Key(5)] int FailPercent,
    [property: Key(6)] TimeSpan Soak);

/// <summary>Numbers are in the journal.</summary>
public enum RolloutState
{
    Running = 1,
    Paused = 2,
    Halted = 3,
    Done = 4,
}

/// <summary>A rollout and how far it has got; the company's state and in its snapshot.</summary>
/// <param name="Reached">How many rings are reached.</param>
/// <param name="BookVersion">Of the book of updates that has the newest of them: older counts say nothing of it.</param>
/// <param name="SoaksUntil">When the next ring may be begun; null: the newest has not succeeded.</param>
/// <param name="Counts">How it stood when it was halted.</param>
/// <param name="Failed">Devices that had failed then.</param>
[MessagePackObject]
public sealed record RolloutSnapshot(
    [property: Key(0)] RolloutPlan Plan,
    [property: Key(1)] RolloutState State,
    [property: Key(2)] int Reached,
    [property: Key(3)] ulong BookVersion,
    [property: Key(4)] DateTimeOffset ReachedAt,
    [property: Key(5)] DateTimeOffset? SoaksUntil,
    [property: Key(6)] string Why,
    [property: Key(7)] bool RolledBack,
    [property: Key(8)] IReadOnlyList<RingCount> Counts,
    [property: Key(9)] string By,
    [property: Key(10)] DateTimeOffset CreatedAt,
    [property: Key(11)] DateTimeOffset? EndedAt,
    [property: Key(12)] IReadOnlyList<RolloutFailure>? Failed)
{
    [IgnoreMember]
    public IReadOnlyList<RolloutFailure> Failures => Failed ?? [];
}
