using Akka.Persistence;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// When a twin saves its next snapshot, and how far its events and older snapshots may go: the snapshot before the newest is kept as a second leg, and events go
/// once both it and the read model are past them (decision 14).
/// </summary>
/// <param name="within">A snapshot is saved after this long, however little happens.</param>
internal sealed class SnapshotPlan(TimeSpan within)
{
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(5);

    private long _at;
    private DateTimeOffset _dueAt;
    private int _since;
    private long _covered;
    private long _deletedTo;

    /// <summary>The twin began with a snapshot.</summary>
    public void Offered(SnapshotMetadata snapshot) => (_at, _dueAt) = (snapshot.SequenceNr, snapshot.Timestamp + within);

    /// <param name="overdue">How long a snapshot waits that should have been saved by now.</param>
    public void Recovered(DateTimeOffset now, TimeSpan overdue)
    {
        if (_dueAt <= now)
            _dueAt = now + (_at > 0 ? overdue : within);
    }

    public void Count(int events) => _since += events;

    /// <returns>Whether a snapshot is to be saved now.</returns>
    /// <param name="every">After so many events it is, whatever the time.</param>
    public bool Begin(DateTimeOffset now, int every)
    {
        if (_since == 0 || (_since < every && now < _dueAt))
            return false;
        (_dueAt, _since) = (now + within, 0);
        return true;
    }

    public void Saved(SnapshotMetadata snapshot) => (_covered, _at) = (_at, snapshot.SequenceNr);

    /// <summary>Those there are stay, and so do the events behind them.</summary>
    public void Failed(DateTimeOffset now) => (_dueAt, _since) = (now + (AgainAfter < within ? AgainAfter : within), Math.Max(1, _since));

    /// <summary>Asked again and again: the read model may follow later than the snapshot, and the next snapshot may be long in coming.</summary>
    /// <returns>Up to where events go now, and snapshots before it; null: nothing does.</returns>
    public long? Over(long projectedTo)
    {
        var over = Math.Min(_covered, projectedTo);
        return over > _deletedTo ? _deletedTo = over : null;
    }
}
