using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.ReadModel;

// What the queries answer about offices' networks.

/// <summary>A device without an agent.</summary>
/// <param name="Vendor">Who made its network card; empty: not known.</param>
/// <param name="LastSeen">May be later than what the device's own record says: being seen is not journaled each time.</param>
public sealed record DiscoveredView(OfficeId OfficeId, string Name, string Vendor, DateTimeOffset LastSeen, NodeId SeenBy, PollMethod SeenWith, bool Ignored, DiscoveredDevice Device);

public enum DiscoveredSort
{
    Name = 1,
    Office = 2,
    Vendor = 3,
    FirstSeen = 4,
    LastSeen = 5,
}

/// <param name="Text">Part of the id, name, MAC, vendor, or an address or service.</param>
/// <param name="Ignored">Null: all.</param>
public sealed record DiscoveredFilter(
    PageRequest Page,
    OfficeId? Office = null,
    string? Text = null,
    bool? Ignored = false,
    DateTimeOffset? SeenBefore = null,
    DiscoveredSort Sort = DiscoveredSort.Name,
    bool Descending = false);

/// <param name="AskedBy">Blank: the plan.</param>
/// <param name="Outcome">Null: under way.</param>
/// <param name="Total">0: not known yet.</param>
public sealed record PollView(
    PollId PollId,
    OfficeId OfficeId,
    NodeId NodeId,
    PollMethod Method,
    bool Full,
    string Ranges,
    string AskedBy,
    DateTimeOffset BegunAt,
    DateTimeOffset? EndedAt,
    PollOutcome? Outcome,
    string Why,
    int Done,
    int Total,
    int Found,
    long Packets,
    IReadOnlyList<string> CannotSee);

/// <param name="Running">True: under way; false: ended.</param>
public sealed record PollFilter(PageRequest Page, OfficeId? Office = null, PollMethod? Method = null, bool? Running = null);

/// <param name="Plan">Null: the defaults. Passwords in it stay sealed.</param>
public sealed record PollingView(OfficeId OfficeId, NodeId? Poller, PollPlan? Plan);

/// <summary>An agent that is or was set up on a discovered device.</summary>
/// <param name="DeviceId">As which it joined; null: it has not.</param>
/// <param name="Outcome">Null: under way.</param>
public sealed record InstallView(
    InstallId InstallId,
    OfficeId OfficeId,
    DiscoveredId DiscoveredId,
    string Name,
    NodeId NodeId,
    string Address,
    int Port,
    DateTimeOffset BegunAt,
    InstallStep? Step,
    DeviceId? DeviceId,
    DateTimeOffset? EndedAt,
    InstallOutcome? Outcome,
    string Detail,
    string HostKey);

/// <summary>When and how a managed device was last met by a poll.</summary>
public sealed record NetworkSeenView(DateTimeOffset At, NodeId By, PollMethod With);
