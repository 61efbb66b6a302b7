using Fleet.Contracts;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

/// <summary>Ends of polls that can't tell of them themselves.</summary>
internal static class PollEnds
{
    public static PollEnded Refused(RunPoll wanted, string why, DateTimeOffset now) =>
        new(wanted.PollId, wanted.Method, wanted.Full, now, now, PollOutcome.Refused, why, 0, 0, 0, []);

    /// <summary>A poll that broke off by a fault of its own: what it found was told on its way.</summary>
    public static PollEnded Broken(PollId id, PollMethod method, bool full, DateTimeOffset startedAt, DateTimeOffset now) =>
        new(id, method, full, startedAt, now, PollOutcome.Failed, "it broke; the node's log says why", 0, 0, 0, []);

    /// <summary>A cancelled poll that is not under way here: headquarters knows its method.</summary>
    public static PollEnded Unknown(PollId id, DateTimeOffset now) =>
        new(id, PollMethod.IpRange, Full: false, now, now, PollOutcome.Interrupted, "this poll is not under way here", 0, 0, 0, []);
}
