using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>What carriers told of a device.</summary>
/// <param name="Line">Where it keeps a line open; null: nowhere.</param>
/// <param name="End">How its last line ended, where none is open.</param>
internal sealed record DeviceSigns(DateTimeOffset? LastSync, NodeId? Through, OpenAt? Line, LineEnd End, DateTimeOffset EndedAt)
{
    public static DeviceSigns None { get; } = new(null, null, null, LineEnd.None, default);

    /// <summary>Within which its push server had asked it to come back.</summary>
    public TimeSpan ReturnWithin { get; init; }
}

/// <param name="Node">Null: headquarters itself.</param>
internal sealed record OpenAt(NodeId? Node, DateTimeOffset Since);

/// <param name="ChangesAt">When it may change by time alone; null: never.</param>
internal readonly record struct Judgement(PresenceState State, DateTimeOffset Since, string Why, DateTimeOffset? ChangesAt = null);

/// <summary>
/// Whether a device is there. Leases, not guesses: "online" is somebody's word that has not run out, "offline" is a lease that did, or the device's own
/// goodbye; where the way to headquarters is down nobody can know, and so it says. Pure.
/// </summary>
internal static class PresenceRule
{
    /// <summary>After a line broke, a device has this long to come back before it is offline. With a push server's probes (10 s and 10 s) a frozen device is offline after 40 s.</summary>
    public static readonly TimeSpan LineGrace = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan LongestReturn = TimeSpan.FromHours(1);

    /// <summary>For the dial itself.</summary>
    private static readonly TimeSpan ReturnMargin = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan SyncGrace = TimeSpan.FromSeconds(30);

    /// <summary>How long one sync of a periodic device vouches for it: its interval twice, as one sync may be lost.</summary>
    public static TimeSpan LeaseOf(TimeSpan syncInterval) => (2 * syncInterval) + SyncGrace;

    /// <param name="keepsLine">Headquarters wants it to keep a line open.</param>
    public static Judgement Judge(DeviceSigns signs, IReadOnlyDictionary<NodeId, NodeSnapshot> nodes, TimeSpan lease, bool keepsLine, DateTimeOffset startedAt, DateTimeOffset now)
    {
        if (signs.Line is { } line)
            return Unlinked(line.Node, nodes, now) ?? new Judgement(PresenceState.Online, line.Since, $"connected to {Shown(line.Node, nodes)}", DialOver(line.Node, nodes));
        if (signs.End == LineEnd.Shutdown && !(signs.LastSync > signs.EndedAt))
            return new Judgement(PresenceState.Offline, signs.EndedAt, "its agent was shut down");
        // One that may do without hung up, as far as anybody knows.
        if (signs.End == LineEnd.Lost && keepsLine && !(signs.LastSync > signs.EndedAt))
            return now < signs.EndedAt + GraceOf(signs)
                ? new Judgement(PresenceState.Unknown, signs.EndedAt, "its connection broke", signs.EndedAt + GraceOf(signs))
                : new Judgement(PresenceState.Offline, signs.EndedAt, "its connection broke and it did not come back");
        if (signs.LastSync is not { } last)
            return now < startedAt + lease
                ? new Judgement(PresenceState.Unknown, startedAt, "not heard of since headquarters started", startedAt + lease)
                : new Judgement(PresenceState.Offline, startedAt, "not seen since headquarters started");
        lease += DialLease(signs.Through, nodes);
        return Unlinked(signs.Through, nodes, now)
            ?? (now < last + lease
                ? new Judgement(PresenceState.Online, last, $"syncs with {Shown(signs.Through, nodes)}", Earlier(last + lease, DialOver(signs.Through, nodes)))
                : new Judgement(PresenceState.Offline, last, $"no sync for {DurationText.Of(lease)}"));
    }

    // A device that waits its turn in a storm, as it was asked to, is not offline. What a carrier names is bounded: it is not trusted.
    private static TimeSpan GraceOf(DeviceSigns signs)
    {
        var asked = (signs.ReturnWithin < LongestReturn ? signs.ReturnWithin : LongestReturn) + ReturnMargin;
        return asked > LineGrace ? asked : LineGrace;
    }

    // The office's state is one incident; of its devices nobody knows.
    private static Judgement? Unlinked(NodeId? at, IReadOnlyDictionary<NodeId, NodeSnapshot> nodes, DateTimeOffset now) =>
        at is { } id && !(nodes.TryGetValue(id, out var node) && node.Linked) && !(now < DialOver(at, nodes))
            ? new Judgement(PresenceState.Unknown, node?.LinkSince ?? default, $"the link of {id} is down: {node?.LinkReason ?? "it was removed"}")
            : null;

    // A node that dials periodically vouches for what it told at its last dial, until two of its dials are overdue.
    private static TimeSpan DialLease(NodeId? at, IReadOnlyDictionary<NodeId, NodeSnapshot> nodes) =>
        at is { } id && nodes.TryGetValue(id, out var node) && node.Periodic ? LeaseOf(node.DialInterval) : TimeSpan.Zero;

    private static DateTimeOffset? DialOver(NodeId? at, IReadOnlyDictionary<NodeId, NodeSnapshot> nodes) =>
        at is { } id && nodes.TryGetValue(id, out var node) && node is { Periodic: true, Linked: false } ? node.LinkSince + LeaseOf(node.DialInterval) : null;

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset? other) => other < one ? other.Value : one;

    private static string Shown(NodeId? at, IReadOnlyDictionary<NodeId, NodeSnapshot> nodes) =>
        at is { } id && nodes.TryGetValue(id, out var node) && node.Periodic ? $"{Name(at)}, which dials every {DurationText.Of(node.DialInterval)}" : Name(at);

    private static string Name(NodeId? node) => node?.Value ?? "headquarters";
}
