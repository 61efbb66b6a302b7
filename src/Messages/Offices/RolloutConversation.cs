using Fleet.Contracts;
using Fleet.Messages.Company;
using MessagePack;

namespace Fleet.Messages.Offices;

// How rollouts stand with an office's devices, asked of its twin: it knows them, its links, its distribution points and who is there.

/// <summary>The office's devices of a rollout; changes nothing. Answer: <see cref="RolloutDevices"/>.</summary>
/// <param name="All">Also those that have the version.</param>
[MessagePackObject]
public sealed record ListRolloutDevices([property: Key(0)] OfficeId OfficeId, [property: Key(1)] RolloutSnapshot Rollout, [property: Key(2)] bool All) : IOfficeCommand
{
    /// <summary>The most devices of an office that are listed.</summary>
    public const int Most = 500;
}

[MessagePackObject]
public sealed record RolloutDevices([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<RolloutDevice> Devices) : IOfficeReply;

/// <summary>One device of a rollout.</summary>
/// <param name="Ring">The ring that picks it.</param>
/// <param name="Stand"><c>installed</c>, <c>failed</c>, <c>rolled-back</c> or <c>under-way</c>.</param>
/// <param name="Installed">The version that is on it, as it reported; empty: none that it told of.</param>
/// <param name="Detail">What it waits for, or why it failed.</param>
/// <param name="Since">Since when; null: not known.</param>
[MessagePackObject]
public sealed record RolloutDevice(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] string Name,
    [property: Key(2)] string Ring,
    [property: Key(3)] string Stand,
    [property: Key(4)] string Installed,
    [property: Key(5)] string Detail,
    [property: Key(6)] DateTimeOffset? Since);

/// <summary>The way of packages to a device; changes nothing. Answer: <see cref="DeviceExplained"/>.</summary>
/// <param name="Rollouts">Those that may be for it, oldest first.</param>
[MessagePackObject]
public sealed record ExplainDevice([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId, [property: Key(2)] IReadOnlyList<RolloutSnapshot> Rollouts) : IOfficeCommand;

/// <param name="Paths">Of each package, the way of the newest rollout that is for the device.</param>
[MessagePackObject]
public sealed record DeviceExplained([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<PackagePath> Paths) : IOfficeReply;

/// <summary>The way of a version of a package from headquarters to a device.</summary>
/// <param name="Ring">The ring that picks the device, reached or not.</param>
[MessagePackObject]
public sealed record PackagePath(
    [property: Key(0)] RolloutName Rollout,
    [property: Key(1)] string Package,
    [property: Key(2)] string PackageVersion,
    [property: Key(3)] string Ring,
    [property: Key(4)] IReadOnlyList<PathStep> Steps);

/// <param name="Where"><c>headquarters</c>, <c>office</c>, <c>distribution-point</c>, <c>device</c> or <c>package</c>.</param>
/// <param name="Text">What is so, or what it waits for.</param>
/// <param name="Since">Since when; null: not known.</param>
[MessagePackObject]
public sealed record PathStep([property: Key(0)] string Where, [property: Key(1)] StepState State, [property: Key(2)] string Text, [property: Key(3)] DateTimeOffset? Since);

public enum StepState
{
    Done = 1,
    Waits = 2,
    Failed = 3,
}
