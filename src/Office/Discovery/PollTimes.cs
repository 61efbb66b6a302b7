using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

/// <summary>When a method is due. A full poll counts as a quick one.</summary>
internal static class PollTimes
{
    /// <param name="lastQuick">When the last quick or full poll began; null: never.</param>
    /// <param name="lastFull">The same for full ones.</param>
    /// <returns>When the next is due, in the past where it is overdue, and whether it is full; null: none is.</returns>
    public static (DateTimeOffset At, bool Full)? Next(PollSchedule schedule, DateTimeOffset? lastQuick, DateTimeOffset? lastFull)
    {
        // Without a directory there is nobody to ask: that is no failure to tell of every hour.
        if (!schedule.Enabled || schedule is { Method: PollMethod.Ldap, Directories.Count: 0 })
            return null;
        var full = Due(schedule.FullEvery, lastFull);
        var quick = Due(schedule.QuickEvery, lastQuick);
        return (full, quick) switch
        {
            (null, null) => null,
            ({ } at, null) => (at, true),
            (null, { } at) => (at, false),
            // Due together the full one runs: it does for both.
            ({ } a, { } b) => a <= b ? (a, true) : (b, false),
        };
    }

    private static DateTimeOffset? Due(TimeSpan every, DateTimeOffset? last) => every <= TimeSpan.Zero ? null : last is { } began ? began + every : DateTimeOffset.MinValue;
}
