using Fleet.Contracts;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Discovery;

/// <summary>
/// Which node polls: one of those that hold the role, and never two. A node polls only in an epoch in which headquarters said that it does, so one whose
/// link is down long enough has stopped; one that is linked has when it says that it obeys the document which no longer names it. Pure.
/// </summary>
internal static class PollerRule
{
    /// <summary>What must be journaled now; empty: all is as it should be.</summary>
    public static IReadOnlyList<IOfficeEvent> Step(Office office, TimeSpan moveAfter, DateTimeOffset now)
    {
        var events = new List<IOfficeEvent>();
        if (office.Polling.Poller is { } poller && WhyNot(office, poller, moveAfter, now) is { } why)
        {
            events.Add(new PollerReleased(office.Id, poller, why, now));
            // Polls that it was asked for are over with its role; its own word on them may never come.
            events.AddRange(Interrupted(office, poller, $"{poller} is the poller no more: {why}", now));
            events.AddRange(Raised(office, poller, now));
        }

        var after = office.Apply(events);
        if (after.Polling.Poller is not null || !HasLetGo(after, moveAfter, now) || Next(after) is not { } next)
            return events;
        return [.. events, new PollerChosen(office.Id, next, now), .. Raised(after, next, now)];
    }

    /// <summary>The end of all polls that the node has under way.</summary>
    public static IEnumerable<IOfficeEvent> Interrupted(Office office, NodeId node, string why, DateTimeOffset now) => office.Polling.Open.Values.Where(p => p.NodeId == node)
        .Select(p => new PollFinished(office.Id, node, new PollEnded(p.PollId, p.Method, p.Full, p.At, now, PollOutcome.Interrupted, why, 0, 0, 0, []), now));

    /// <summary>The node's document is another now.</summary>
    public static IEnumerable<IOfficeEvent> Raised(Office office, NodeId node, DateTimeOffset now) =>
        office.Nodes.TryGetValue(node, out var known) ? [new NodeDesiredRaised(office.Id, node, known.DesiredVersion + 1, now)] : [];

    // Null: it polls on.
    private static string? WhyNot(Office office, NodeId poller, TimeSpan moveAfter, DateTimeOffset now)
    {
        if (!office.Nodes.TryGetValue(poller, out var node))
            return "it was removed";
        if (!node.Roles.Contains(NodeRole.Poller))
            return "the role was taken from it";
        return !node.Linked && now >= node.LinkSince + moveAfter && Next(office) is not null ? $"its link is down: {node.LinkReason}" : null;
    }

    private static bool HasLetGo(Office office, TimeSpan moveAfter, DateTimeOffset now)
    {
        if (office.Polling.Leaving is not { } leaving)
            return true;
        if (!office.Nodes.TryGetValue(leaving, out var node))
            return now >= office.Polling.ChangedAt + moveAfter;
        return node.Linked ? node.Report?.AppliedVersion >= node.DesiredVersion : now >= node.LinkSince + moveAfter;
    }

    private static NodeId? Next(Office office) => office.Nodes.Values.Where(n => n.Linked && n.Roles.Contains(NodeRole.Poller))
        .OrderBy(n => n.NodeId.Value, StringComparer.Ordinal).Select(n => (NodeId?)n.NodeId).FirstOrDefault();
}
