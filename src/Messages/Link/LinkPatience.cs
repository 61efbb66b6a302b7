namespace Fleet.Messages.Link;

/// <summary>
/// How long one side of a link hears nothing before it takes the link for lost: the lease, and longer where words came late lately, or where this side itself is late.
/// What is overloaded answers late before it answers not at all, and a link that is given up for that brings it a handshake, an announce and what was under way once more: with
/// 4,000 offices linked and a journal that took 8 s for a write, 2,800 links ended within 10 s, and their return kept headquarters so (bench/results/2026-11-28.md).
/// Not thread-safe.
/// </summary>
/// <param name="lease">With a side that is on time.</param>
/// <param name="wordEvery">A word is due so often at least: the interval of pings.</param>
/// <param name="opening">From Hello to Welcome, which is due at once: with a third of a ping's time the first lateness, since a new link is when both sides have most to do.</param>
public sealed class LinkPatience(TimeSpan lease, TimeSpan wordEvery, TimeSpan opening, TimeProvider clock)
{
    /// <summary>
    /// A silence is never longer than so many leases, 54 s with a lease of 9 s: less than any wait after which headquarters gives a node's role to another (discovery.move-poller-after, 2 minutes).
    /// </summary>
    public const int MostLeases = 6;

    /// <summary>By how often the lateness the wait grows: what gets later grows fast.</summary>
    private const int PerLate = 3;

    /// <summary>So long a lateness counts.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(1);

    private long _heardAt = clock.GetTimestamp();
    private long _lateAt = clock.GetTimestamp();
    private TimeSpan _late = opening + (wordEvery / 3);
    private TimeSpan _own;

    /// <summary>Since the last word.</summary>
    public TimeSpan Silence => clock.GetElapsedTime(_heardAt);

    /// <summary>Until <see cref="IsOver"/> is to be asked; not positive: now.</summary>
    public TimeSpan Left => Least(lease + (PerLate * _late) + _own, Most) - Silence;

    private TimeSpan Most => lease * MostLeases;

    /// <summary>A word came.</summary>
    public void Heard()
    {
        var (now, late) = (clock.GetTimestamp(), Silence - wordEvery);
        if (late > _late || clock.GetElapsedTime(_lateAt, now) > Remembered)
            (_late, _lateAt) = (late > TimeSpan.Zero ? late : TimeSpan.Zero, now);
        (_heardAt, _own) = (now, TimeSpan.Zero);
    }

    /// <summary>Whether the link is lost; false: ask again once <see cref="Left"/> has passed. To be asked as soon as that has: who asks late was held up, and words may wait to be heard.</summary>
    public bool IsOver()
    {
        var overdue = -Left;
        if (overdue < TimeSpan.Zero)
            return false;
        if (overdue <= wordEvery / 2 || Silence >= Most)
            return true;
        _own += overdue + wordEvery;
        return false;
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
