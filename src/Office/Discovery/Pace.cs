namespace Fleet.Office.Discovery;

/// <summary>
/// Spaces packets: some a second on average, the gap between two varied, so that a switch with small buffers, or a machine that polls as well, does not meet a
/// steady beat. For any number of senders at a time.
/// </summary>
public sealed class Pace
{
    /// <summary>A sender that comes late may catch up this much: timers wake a few milliseconds late, and the average would fall.</summary>
    private static readonly TimeSpan MaxCatchUp = TimeSpan.FromMilliseconds(10);

    private readonly Lock _guard = new();
    private readonly Pace? _whole;
    private readonly TimeProvider _clock;
    private readonly double _jitter;
    private double _gap;
    private double _due;
    private long _packets;

    /// <param name="jitter">0 (steady) to 1 (from none to double the gap).</param>
    public Pace(int perSecond, double jitter, TimeProvider clock) =>
        (_clock, _gap, _jitter, _due) = (clock, clock.TimestampFrequency / (double)perSecond, jitter, clock.GetTimestamp());

    /// <summary>One sender's part of a pace that it shares with others: only its packets are counted.</summary>
    public Pace(Pace whole) => (_whole, _clock) = (whole, whole._clock);

    /// <summary>Changes how many a second there are.</summary>
    public void Be(int perSecond) => Volatile.Write(ref _gap, _clock.TimestampFrequency / (double)perSecond);

    /// <summary>Packets that were let go.</summary>
    public long Packets => Interlocked.Read(ref _packets);

    /// <summary>Done when the next packet may go.</summary>
    public ValueTask Next(CancellationToken stop)
    {
        Interlocked.Increment(ref _packets);
        if (_whole is not null)
            return _whole.Next(stop);
        var wait = Take();
        return wait > TimeSpan.Zero ? new ValueTask(Task.Delay(wait, _clock, stop)) : stop.IsCancellationRequested ? ValueTask.FromCanceled(stop) : ValueTask.CompletedTask;
    }

    private TimeSpan Take()
    {
        lock (_guard)
        {
            var now = _clock.GetTimestamp();
            var slot = Math.Max(_due, now - (MaxCatchUp.TotalSeconds * _clock.TimestampFrequency));
            _due = slot + (Volatile.Read(ref _gap) * (1 + (_jitter * ((2 * Random.Shared.NextDouble()) - 1))));
            return TimeSpan.FromSeconds((slot - now) / _clock.TimestampFrequency);
        }
    }
}
