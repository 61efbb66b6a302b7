using System.Collections.Immutable;
using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Discovery;

/// <summary>Who polls an office's network, how, and which polls are under way. Pure: no clock, no I/O.</summary>
public sealed record Polling
{
    /// <summary>Null: the defaults. Passwords in it are sealed for headquarters itself.</summary>
    public PollPlan? Plan { get; init; }

    /// <summary>The one node that polls.</summary>
    public NodeId? Poller { get; init; }

    /// <summary>The poller before, which may poll still: nobody else does meanwhile.</summary>
    public NodeId? Leaving { get; init; }

    /// <summary>When a poller was last chosen or released.</summary>
    public DateTimeOffset ChangedAt { get; init; }

    /// <summary>Polls that have begun and not ended.</summary>
    public ImmutableDictionary<PollId, PollBegun> Open { get; init; } = ImmutableDictionary<PollId, PollBegun>.Empty;

    /// <summary>When the newest poll of each method began that came to its end; a full one counts as a quick one too.</summary>
    public ImmutableDictionary<(PollMethod Method, bool Full), DateTimeOffset> Last { get; init; } = ImmutableDictionary<(PollMethod, bool), DateTimeOffset>.Empty;

    public Polling Apply(IPollingEvent happened) => happened switch
    {
        PollsScheduled e => this with { Plan = e.Plan },
        PollerChosen e => this with { Poller = e.NodeId, Leaving = null, ChangedAt = e.At },
        PollerReleased e => this with { Poller = null, Leaving = e.NodeId, ChangedAt = e.At },
        PollBegun e => this with { Open = Open.SetItem(e.PollId, e) },
        PollFinished e => Ended(e.Ended),
        _ => throw new NotSupportedException($"{happened.GetType().Name} has no meaning for polls"),
    };

    public static Polling From(NetworkSnapshot s) => new()
    {
        Plan = s.Plan,
        Poller = s.Poller,
        Leaving = s.Leaving,
        ChangedAt = s.ChangedAt,
        Open = s.Open.ToImmutableDictionary(p => p.PollId),
        Last = s.Last.ToImmutableDictionary(l => (l.Method, l.Full), l => l.StartedAt),
    };

    public NetworkSnapshot ToSnapshot(IEnumerable<DiscoveredDevice> discovered) =>
        new(Plan, Poller, Leaving, ChangedAt, [.. Open.Values], [.. Last.Select(l => new LastPoll(l.Key.Method, l.Key.Full, l.Value))], [.. discovered]);

    private Polling Ended(PollEnded ended)
    {
        var rest = this with { Open = Open.Remove(ended.PollId) };
        // One that failed counts as well: its next turn is the schedule's, not at once.
        if (ended.Outcome is not (PollOutcome.Completed or PollOutcome.Failed))
            return rest;
        var last = rest.Last.SetItem((ended.Method, false), ended.StartedAt);
        return rest with { Last = ended.Full ? last.SetItem((ended.Method, true), ended.StartedAt) : last };
    }
}
