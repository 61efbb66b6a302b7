using Fleet.Contracts;
using Fleet.Messages.Link;
using MessagePack;

namespace Fleet.Messages.Offices;

// What is said to an office twin about the office's network, and what it journals of it: who polls and how, and the devices that polls saw and that have
// no agent. Heartbeats are not journaled: a device that is seen again as it was changes nothing but, at most every few hours, its time.

// ---- Commands ----

/// <summary>Begins a poll at the office's poller. Answer: <see cref="PollAccepted"/>.</summary>
/// <param name="Ranges">Instead of the plan's, for IP ranges.</param>
[MessagePackObject]
public sealed record StartPoll(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] PollMethod Method,
    [property: Key(2)] bool Full,
    [property: Key(3)] IReadOnlyList<string> Ranges,
    [property: Key(4)] bool AllowLarge,
    [property: Key(5)] string By) : IOfficeCommand;

[MessagePackObject]
public sealed record StopPoll([property: Key(0)] OfficeId OfficeId, [property: Key(1)] PollId PollId, [property: Key(2)] string By) : IOfficeCommand;

/// <summary>Sets how and when one method polls.</summary>
/// <param name="Schedule">Passwords are sealed for headquarters itself. One that is empty while the directory's user stays is kept.</param>
/// <param name="PacketsPerSecond">Of all polls of the office; null: as before.</param>
[MessagePackObject]
public sealed record SchedulePolls(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] PollSchedule Schedule,
    [property: Key(2)] int? PacketsPerSecond,
    [property: Key(3)] string By) : IOfficeCommand;

/// <summary>Leaves a discovered device out of lists, or takes it in again.</summary>
[MessagePackObject]
public sealed record IgnoreDiscovered(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DiscoveredId DiscoveredId,
    [property: Key(2)] bool Ignored,
    [property: Key(3)] string By) : IOfficeCommand;

// ---- Replies ----

[MessagePackObject]
public sealed record PollAccepted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] PollId PollId, [property: Key(2)] NodeId NodeId) : IOfficeReply;

// ---- Events: journaled, so extended and never edited ----

/// <summary>Every event about the office's polls.</summary>
public interface IPollingEvent : IOfficeEvent;

/// <param name="Plan">The whole plan. Passwords in it are sealed for headquarters itself; the last times are empty.</param>
[MessagePackObject]
public sealed record PollsScheduled(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] PollPlan Plan,
    [property: Key(2)] string By,
    [property: Key(3)] DateTimeOffset At) : IPollingEvent;

/// <summary>The node polls from now on.</summary>
[MessagePackObject]
public sealed record PollerChosen([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] DateTimeOffset At) : IPollingEvent;

/// <summary>The node is the poller no more. Until it has said so itself, or can't poll for want of a link, nobody is.</summary>
[MessagePackObject]
public sealed record PollerReleased([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] string Why, [property: Key(3)] DateTimeOffset At) : IPollingEvent;

/// <param name="By">Who asked for it; blank: the plan.</param>
[MessagePackObject]
public sealed record PollBegun(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] PollId PollId,
    [property: Key(3)] PollMethod Method,
    [property: Key(4)] bool Full,
    [property: Key(5)] IReadOnlyList<string> Ranges,
    [property: Key(6)] bool AllowLarge,
    [property: Key(7)] string By,
    [property: Key(8)] DateTimeOffset At) : IPollingEvent;

[MessagePackObject]
public sealed record PollFinished([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] PollEnded Ended, [property: Key(3)] DateTimeOffset At) : IPollingEvent;

/// <summary>The node is desired to be something else, for other reasons than its roles: the poll plan it has, or no longer has.</summary>
[MessagePackObject]
public sealed record NodeDesiredRaised([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] ulong Version, [property: Key(3)] DateTimeOffset At) : IOfficeEvent;

/// <summary>Every event about devices without an agent.</summary>
public interface IDiscoveryEvent : IOfficeEvent;

/// <summary>A device that was not known, or one that is another now.</summary>
/// <param name="Device">As it is now.</param>
/// <param name="What">What is new, for people.</param>
[MessagePackObject]
public sealed record DeviceDiscovered(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DiscoveredDevice Device,
    [property: Key(2)] string What,
    [property: Key(3)] DateTimeOffset At) : IDiscoveryEvent;

/// <summary>Devices were seen again as they were; journaled seldom, so that a restart does not take them for gone.</summary>
[MessagePackObject]
public sealed record DiscoveredDevicesSeen([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<DiscoveredDevice> Devices, [property: Key(2)] DateTimeOffset At) : IDiscoveryEvent;

[MessagePackObject]
public sealed record DiscoveredDeviceIgnored(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DiscoveredId DiscoveredId,
    [property: Key(2)] bool Ignored,
    [property: Key(3)] string By,
    [property: Key(4)] DateTimeOffset At) : IDiscoveryEvent;

/// <summary>The device is known no more: it was not seen for long, is another one, or has an agent now.</summary>
[MessagePackObject]
public sealed record DiscoveredDeviceGone([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DiscoveredId DiscoveredId, [property: Key(2)] string Why, [property: Key(3)] DateTimeOffset At) : IDiscoveryEvent;

// ---- Parts of events and snapshots ----

/// <summary>A device that polls saw and that has no agent.</summary>
/// <param name="Mac">Empty: not seen.</param>
/// <param name="Identity">What a directory names it by; empty: none does.</param>
/// <param name="Addresses">The newest first.</param>
/// <param name="Names">The most trusted first.</param>
/// <param name="SeenBy">The node that saw it last.</param>
/// <param name="SeenWith">The method that saw it last.</param>
/// <param name="Methods">All methods that ever saw it.</param>
/// <param name="HostKey">The SSH host key that it showed first, as <c>ssh-ed25519 SHA256:…</c>; empty: none yet.</param>
[MessagePackObject]
public sealed record DiscoveredDevice(
    [property: Key(0)] DiscoveredId DiscoveredId,
    [property: Key(1)] string Mac,
    [property: Key(2)] string Identity,
    [property: Key(3)] IReadOnlyList<SeenAddress> Addresses,
    [property: Key(4)] IReadOnlyList<SeenName> Names,
    [property: Key(5)] IReadOnlyList<SeenService> Services,
    [property: Key(6)] string OperatingSystem,
    [property: Key(7)] DateTimeOffset FirstSeen,
    [property: Key(8)] DateTimeOffset LastSeen,
    [property: Key(9)] NodeId SeenBy,
    [property: Key(10)] PollMethod SeenWith,
    [property: Key(11)] IReadOnlyList<PollMethod> Methods,
    [property: Key(12)] bool Ignored,
    [property: Key(13)] string HostKey);

/// <param name="At">When it was last seen there.</param>
[MessagePackObject]
public sealed record SeenAddress([property: Key(0)] string Address, [property: Key(1)] DateTimeOffset At);

/// <summary>What an office's network is known by, in the office's snapshot.</summary>
/// <param name="Plan">Null: the defaults.</param>
/// <param name="Leaving">The poller before, while it may still poll.</param>
/// <param name="Last">The newest poll of each method and kind that came to its end.</param>
[MessagePackObject]
public sealed record NetworkSnapshot(
    [property: Key(0)] PollPlan? Plan,
    [property: Key(1)] NodeId? Poller,
    [property: Key(2)] NodeId? Leaving,
    [property: Key(3)] DateTimeOffset ChangedAt,
    [property: Key(4)] IReadOnlyList<PollBegun> Open,
    [property: Key(5)] IReadOnlyList<LastPoll> Last,
    [property: Key(6)] IReadOnlyList<DiscoveredDevice> Discovered);

[MessagePackObject]
public sealed record LastPoll([property: Key(0)] PollMethod Method, [property: Key(1)] bool Full, [property: Key(2)] DateTimeOffset StartedAt);

// ---- Notices ----

/// <summary>Twin → event stream of its node: who was seen on the network, and how far polls are, since the last one. Not journaled.</summary>
[MessagePackObject]
public sealed record NetworkSeen(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] IReadOnlyList<DiscoveredSeen> Discovered,
    [property: Key(2)] IReadOnlyList<DeviceSeenOnNetwork> Devices,
    [property: Key(3)] IReadOnlyList<PollProgress> Polls,
    [property: Key(4)] IReadOnlyList<InstallProgress> Installs);

[MessagePackObject]
public sealed record DiscoveredSeen([property: Key(0)] DiscoveredId DiscoveredId, [property: Key(1)] DateTimeOffset At, [property: Key(2)] NodeId By, [property: Key(3)] PollMethod With);

/// <summary>A managed device that a poll met. It says that its machine answers, not that its agent works: presence is another matter.</summary>
[MessagePackObject]
public sealed record DeviceSeenOnNetwork([property: Key(0)] DeviceId DeviceId, [property: Key(1)] DateTimeOffset At, [property: Key(2)] NodeId By, [property: Key(3)] PollMethod With);
