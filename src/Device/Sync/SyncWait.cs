using Fleet.Contracts;

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
    private static readonly TimeSpan AgainWithin = TimeSpan.FromSeconds(1);
    private int _failures;

    /// <param name="named">The wait a server named, already spread by it, or null.</param>
    /// <param name="window">Within which the carrier, while it answered, asked its devices to come back if they lose it; zero: none.</param>
    public TimeSpan After(RoundEnd end, TimeSpan? named, TimeSpan interval, TimeSpan window)
    {
        _failures = end is RoundEnd.Held or RoundEnd.Failed ? _failures + 1 : 0;
        if (named is { } wait)
            return wait;
        return end switch
        {
            RoundEnd.Done => Backoff.Periodic(interval, random),
            RoundEnd.Again => AgainWithin * random.NextDouble(),
            _ => backoff.AfterFailures(_failures, interval, window < 2 * interval ? window : 2 * interval, random),
        };
    }
}
