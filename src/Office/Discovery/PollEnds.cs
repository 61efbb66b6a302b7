using Fleet.Contracts;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

/// <summary>Ends of polls that never ran.</summary>
internal static class PollEnds
{
    public static PollEnded Refused(RunPoll wanted, string why, DateTimeOffset now) =>
        new(wanted.PollId, wanted.Method, wanted.Full, now, now, PollOutcome.Refused, why, 0, 0, 0, []);

    /// <summary>A cancelled poll that is not under way here: headquarters knows its method.</summary>
    public static PollEnded Unknown(PollId id, DateTimeOffset now) =>
        new(id, PollMethod.IpRange, Full: false, now, now, PollOutcome.Interrupted, "this poll is not under way here", 0, 0, 0, []);
}
