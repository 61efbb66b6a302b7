namespace Fleet.Device.Sync;

/// <summary>How a round of synchronization ended, as far as the next wait is concerned.</summary>
public enum RoundEnd
{
    /// <summary>Both sides agree.</summary>
    Done = 1,

    /// <summary>A carrier answered, and headquarters' acknowledgement is outstanding.</summary>
    Held = 2,

    /// <summary>Nobody could be reached, or headquarters refused.</summary>
    Failed = 3,

    /// <summary>Headquarters asked for another sync at once.</summary>
    Again = 4,
}

/// <summary>Decides the wait between two rounds. Remembers how many in a row ended badly.</summary>
public sealed class SyncWait(Backoff backoff, Random random)
{
    // Carriers are not trusted: one that names a longer wait would silence the device.
    private static readonly TimeSpan LongestNamed = TimeSpan.FromDays(1);
    private static readonly TimeSpan AgainWithin = TimeSpan.FromSeconds(1);
    private int _failures;

    /// <param name="named">The wait a server named, already spread by it, or null.</param>
    public TimeSpan After(RoundEnd end, TimeSpan? named, TimeSpan interval)
    {
        _failures = end is RoundEnd.Held or RoundEnd.Failed ? _failures + 1 : 0;
        if (named is { } wait && wait > TimeSpan.Zero && wait <= LongestNamed)
            return wait;
        return end switch
        {
            RoundEnd.Done => Backoff.Periodic(interval, random),
            RoundEnd.Again => AgainWithin * random.NextDouble(),
            _ => backoff.AfterFailures(_failures, interval, random),
        };
    }
}
