using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Monitoring;

/// <summary>How many offices and devices the twins on one headquarters node have, the devices by presence. Each twin says what changed. For several threads.</summary>
public sealed class PresenceCounts
{
    private static readonly PresenceState[] States = Enum.GetValues<PresenceState>();

    private readonly long[] _devices = new long[(int)States.Max() + 1];
    private long _offices;

    public long Offices => Volatile.Read(ref _offices);

    public IEnumerable<(PresenceState State, long Devices)> Devices => States.Select(s => (s, Volatile.Read(ref _devices[(int)s])));

    public void OfficeBegan() => Interlocked.Increment(ref _offices);

    public void OfficeEnded() => Interlocked.Decrement(ref _offices);

    /// <summary>A device is judged otherwise.</summary>
    /// <param name="before">Null: it is new here.</param>
    /// <param name="now">Null: it is gone from here.</param>
    public void Moved(PresenceState? before, PresenceState? now)
    {
        if (before == now)
            return;
        if (before is { } left)
            Interlocked.Decrement(ref _devices[(int)left]);
        if (now is { } came)
            Interlocked.Increment(ref _devices[(int)came]);
    }
}
