namespace Fleet.Headquarters.Monitoring;

/// <summary>
/// How far the read model is behind the journal: measured on the node that writes it, which tells the others. Whoever looks at the journal now and then says where its end is; how long the read
/// model has not come to an end that was seen is its delay, right to within the time between two looks. For several threads.
/// </summary>
/// <param name="clock">Null: the machine's.</param>
public sealed class ProjectionLag(TimeProvider? clock = null)
{
    /// <summary>Looks that are remembered: with one in five seconds, more than two hours of standing still.</summary>
    private const int Remembered = 2000;

    /// <summary>What another node told counts so long; it tells every five seconds.</summary>
    private static readonly TimeSpan ToldFor = TimeSpan.FromSeconds(15);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Lock _gate = new();
    private readonly Queue<(long Position, long At)> _ahead = [];
    private long? _reached;
    private long _newest;
    private (TimeSpan Behind, long At)? _told;

    /// <summary>Null: another node writes the read model.</summary>
    public (long Rows, TimeSpan Time)? Now
    {
        get
        {
            lock (_gate)
                return _reached is not { } reached ? null
                    : _ahead.TryPeek(out var oldest) ? (_newest - reached, _clock.GetElapsedTime(oldest.At)) : (0, TimeSpan.Zero);
        }
    }

    /// <summary>How late what the journal has is shown, as far as this node knows.</summary>
    public TimeSpan Behind
    {
        get
        {
            if (Now is { } measured)
                return measured.Time;
            lock (_gate)
                return _told is { } told && _clock.GetElapsedTime(told.At) < ToldFor ? told.Behind : TimeSpan.Zero;
        }
    }

    /// <summary>The node that writes the read model says how far it is behind.</summary>
    public void Told(TimeSpan behind)
    {
        lock (_gate)
            _told = (behind, _clock.GetTimestamp());
    }

    /// <summary>The newest row of the journal stands there.</summary>
    public void Saw(long newest)
    {
        lock (_gate)
        {
            if (newest <= (_reached ?? 0))
                return;
            _newest = newest;
            // The first look that was not reached says since when; what comes behind it only has to be told apart.
            if (_ahead.Count < Remembered)
                _ahead.Enqueue((newest, _clock.GetTimestamp()));
        }
    }

    /// <summary>The read model has everything up to there.</summary>
    public void Reached(long position)
    {
        lock (_gate)
        {
            _reached = position;
            while (_ahead.TryPeek(out var oldest) && oldest.Position <= position)
                _ahead.Dequeue();
        }
    }

    /// <summary>This node no longer writes the read model.</summary>
    public void Ends()
    {
        lock (_gate)
        {
            _reached = null;
            _ahead.Clear();
        }
    }
}
