using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using JoinKind = Fleet.Messages.Offices.JoinKind;

namespace Fleet.Headquarters.ReadModel;

// What the queries answer.

/// <summary>One page of a list.</summary>
/// <param name="Total">How many there are on all pages.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, int Total);

/// <summary>Which part of a list is wanted.</summary>
public readonly record struct PageRequest(int Skip, int Take)
{
    /// <summary>The most rows that one page holds.</summary>
    public const int MaxTake = 500;

    public static PageRequest First { get; } = new(0, 50);

    public int Skip { get; } = Math.Max(0, Skip);

    public int Take { get; } = Math.Clamp(Take, 1, MaxTake);
}

public sealed record OfficeView(OfficeId OfficeId, string Title, DateTimeOffset OpenedAt, int Nodes, int LinkedNodes, int Devices);

/// <param name="Text">Part of the id or title.</param>
/// <param name="DownFirst">Those with a node that is down before the others.</param>
public sealed record OfficeFilter(PageRequest Page, string? Text = null, OfficeId? Office = null, bool DownFirst = false);

/// <param name="DesiredRoles">What headquarters wants the node to be.</param>
/// <param name="Roles">What the node last said it is.</param>
/// <param name="LinkedBy">The way its link went last, as the node says.</param>
/// <param name="Through">The node that it is to link through.</param>
/// <param name="DmzAddress">Where headquarters dials it.</param>
/// <param name="LinkSince">Since when it is linked or not.</param>
/// <param name="LinkReason">Why it is not linked.</param>
public sealed record NodeView(
    NodeId NodeId,
    OfficeId OfficeId,
    DeviceId DeviceId,
    IReadOnlyList<NodeRole> DesiredRoles,
    ulong DesiredVersion,
    DateTimeOffset? DesiredAt,
    IReadOnlyList<NodeRole> Roles,
    ulong AppliedVersion,
    DateTimeOffset? ReportedAt,
    IReadOnlyList<string> GatewayAddresses,
    IReadOnlyList<string> PushAddresses,
    IReadOnlyList<string> LinkAddresses,
    string LinkedBy,
    NodeId? Through,
    string? DmzAddress,
    string Version,
    string HostName,
    DateTimeOffset? StartedAt,
    IReadOnlyList<string> Problems,
    bool Linked,
    DateTimeOffset? LinkSince,
    string LinkReason,
    DateTimeOffset EnrolledAt,
    string CertificateSerial,
    DateTimeOffset CertificateNotAfter,
    LinkModeView Mode,
    IReadOnlyList<string> ContentAddresses,
    MirrorState? Mirror);

/// <summary>Whether a node keeps its link or dials periodically.</summary>
/// <param name="Set">For this node alone; null: policies decide.</param>
/// <param name="Interval">How often it dials where it is periodic.</param>
/// <param name="Why">Why it is refused a place in the budget; empty: it is not.</param>
public sealed record LinkModeView(bool Periodic, bool? Set, TimeSpan Interval, string Why);

/// <param name="Offices">Of one of these; null or empty: any.</param>
/// <param name="Labels">Labels that the node's own device must all have, with these values.</param>
public sealed record NodeFilter(PageRequest Page, OfficeId? Office = null, NodeRole? Role = null, bool? Linked = null, string? Text = null, bool? Down = null, IReadOnlyList<OfficeId>? Offices = null,
    IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>A device in a list.</summary>
/// <param name="LastSync">When a gateway (or headquarters) last saw it; null = never since presence is kept.</param>
public sealed record DeviceView(
    DeviceId DeviceId,
    OfficeId OfficeId,
    string Name,
    string HostName,
    string Os,
    string AgentVersion,
    ulong DesiredVersion,
    ulong AppliedVersion,
    ulong ReportedVersion,
    DateTimeOffset? ReportedAt,
    DateTimeOffset? LastSync,
    NodeId? Through,
    IReadOnlyDictionary<string, string> Labels,
    DateTimeOffset? CloneSeenAt,
    PresenceView Presence);

/// <summary>Whether a device is there, since when, and why that is thought.</summary>
public sealed record PresenceView(PresenceState State, DateTimeOffset? Since, string Why)
{
    public static PresenceView None { get; } = new(PresenceState.Unknown, null, "not heard of yet");
}

/// <summary>A device's newest wake-up.</summary>
/// <param name="EndedAt">Null: under way.</param>
/// <param name="Channel">By which the device was woken; null while under way, or where it did not sync.</param>
/// <param name="Detail">What failed on the way, one a line.</param>
public sealed record WakeView(ulong Counter, DateTimeOffset RequestedAt, DateTimeOffset? EndedAt, WakeChannel? Channel, TimeSpan? Took, string Detail);

public enum DeviceSort
{
    Name = 1,
    Office = 2,
    LastSync = 3,
    ReportedAt = 4,
    EnrolledAt = 5,
}

/// <param name="Text">Part of the id, name or host name.</param>
/// <param name="Labels">Labels it must all have, with these values.</param>
/// <param name="Converged">True: runs what is desired; false: does not yet.</param>
/// <param name="SeenBefore">Last sync before this time, or never.</param>
/// <param name="State">Only devices in this state.</param>
/// <param name="Package">Only devices that have it.</param>
/// <param name="PackageVersion">In this version; null: in any.</param>
public sealed record DeviceFilter(
    PageRequest Page,
    OfficeId? Office = null,
    string? Text = null,
    IReadOnlyDictionary<string, string>? Labels = null,
    bool? Converged = null,
    bool? Cloned = null,
    DateTimeOffset? SeenBefore = null,
    PresenceState? State = null,
    DeviceSort Sort = DeviceSort.Name,
    bool Descending = false,
    string? Package = null,
    string? PackageVersion = null);

/// <summary>All about one device.</summary>
/// <param name="DesiredAt">When headquarters made the desired version.</param>
/// <param name="AppliedAt">When the device applied it, by the device's clock.</param>
/// <param name="AppliedKnownAt">When headquarters heard of that, by its own clock.</param>
/// <param name="Delay">From the desired version made to headquarters' knowing it applied; null while it is not applied.</param>
/// <param name="Report">The newest report (without events); null = none yet.</param>
/// <param name="SeenOnNetwork">When a poll last met its machine; null: not yet.</param>
/// <param name="AlwaysConnected">Whether it keeps a line open, over what policies say; null: they decide.</param>
/// <param name="HasPlace">Whether it is to keep a line open now.</param>
/// <param name="PlaceWhy">Why it is refused that; empty: it is not.</param>
public sealed record DeviceDetail(
    DeviceView Device,
    DateTimeOffset EnrolledAt,
    string CertificateSerial,
    DateTimeOffset CertificateNotAfter,
    uint KeyGeneration,
    DateTimeOffset? DesiredAt,
    DateTimeOffset? AppliedAt,
    DateTimeOffset? AppliedKnownAt,
    TimeSpan? Delay,
    string CloneEvidence,
    DeviceReport? Report,
    WakeView? Wake,
    bool? AlwaysConnected,
    NetworkSeenView? SeenOnNetwork,
    bool HasPlace,
    string PlaceWhy);

/// <summary>One entry of a history.</summary>
/// <param name="Position">Rises over the whole fleet; where the next page or a live view goes on.</param>
/// <param name="Number">The source's own number; 0 for what headquarters did.</param>
/// <param name="SourceTime">By the clock of the device or node.</param>
public sealed record EventView(long Position, OfficeId OfficeId, string Subject, ulong Number, string Kind, string Text, DateTimeOffset? SourceTime, DateTimeOffset At);

public enum TokenState
{
    Usable = 1,
    Spent = 2,
    Expired = 3,
    Revoked = 4,
}

public sealed record TokenView(
    TokenId TokenId,
    OfficeId OfficeId,
    JoinKind Kind,
    int Uses,
    int Used,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? RevokedAt,
    string CreatedBy,
    TokenState State);

public sealed record TokenFilter(PageRequest Page, OfficeId? Office = null, bool UsableOnly = false);

public sealed record PolicyView(PolicyDocument Document, ulong Version, DateTimeOffset AppliedAt, string AppliedBy);

/// <summary>The fleet in numbers.</summary>
/// <param name="Converged">Devices that run what is desired.</param>
/// <param name="JournalPosition">How far the read model has followed the journal.</param>
/// <param name="Unreadable">Rows of the journal that can't be read; some of them, where there are many.</param>
public sealed record FleetStatus(int Offices, int Nodes, int LinkedNodes, int Devices, int Converged, int Clones, int Policies, int Incidents, long JournalPosition, IReadOnlyList<UnreadableRow> Unreadable);

/// <summary>Something that went wrong, once.</summary>
/// <param name="Subject">The node that is down; where it is the whole office, the office.</param>
/// <param name="WholeOffice">None of the office's nodes is linked.</param>
/// <param name="ClosedAt">Null: it goes on.</param>
/// <param name="Devices">How many devices the office had when it began.</param>
public sealed record IncidentView(string Id, OfficeId OfficeId, string Subject, bool WholeOffice, DateTimeOffset OpenedAt, DateTimeOffset? ClosedAt, string Why, int Devices);

public sealed record IncidentFilter(PageRequest Page, OfficeId? Office = null, bool Open = true);
