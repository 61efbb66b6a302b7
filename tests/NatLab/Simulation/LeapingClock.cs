using System.Collections.Concurrent;

namespace Fleet.NatLab.Simulation;

/// <summary>Real time that can be moved on: it runs as ever, and after a leap it is later, and every timer that became due meanwhile is due at once.</summary>
public sealed class LeapingClock : TimeProvider
{
    private readonly ConcurrentDictionary<LeapingTimer, bool> _timers = [];
    private long _ahead;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;

    /// <summary>In ticks of <see cref="TimeSpan"/>.</summary>
    public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Ahead.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new LeapingTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Leap(TimeSpan time)
    {
        Interlocked.Add(ref _ahead, time.Ticks);
        foreach (var timer in _timers.Keys)
            timer.Leapt();
    }

    private TimeSpan Ahead => new(Volatile.Read(ref _ahead));

    /// <summary>A real timer that knows when it is due, so that a leap can bring that nearer. Fires once at most for each leap, like a machine's that slept.</summary>
    private sealed class LeapingTimer : ITimer
    {
        private readonly Lock _gate = new();
        private readonly LeapingClock _clock;
        private readonly ITimer _real;
        private readonly TimerCallback _callback;
        private TimeSpan _period;
        private long? _due;

        public LeapingTimer(LeapingClock clock, TimerCallback callback, object? state)
        {
            (_clock, _callback) = (clock, callback);
            _real = System.CreateTimer(Fire, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_gate)
            {
                // A leap that does not find it here yet is counted in its due time.
                if (dueTime < TimeSpan.Zero)
                    _clock._timers.TryRemove(this, out _);
                else
                    _clock._timers[this] = true;
                _period = period;
                _due = dueTime < TimeSpan.Zero ? null : _clock.GetTimestamp() + dueTime.Ticks;
                return _real.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }

        public void Leapt()
        {
            lock (_gate)
                if (_due is { } due)
                    Arm(due);
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _due = null;
                _clock._timers.TryRemove(this, out _);
            }

            _real.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Arm(long due) =>
            _real.Change(TimeSpan.FromMilliseconds(Math.Ceiling(TimeSpan.FromTicks(Math.Max(0, due - _clock.GetTimestamp())).TotalMilliseconds)), Timeout.InfiniteTimeSpan);

        private void Fire(object? state)
        {
            lock (_gate)
            {
                // Disposed or put off while this was on its way; the real timer, which counts whole milliseconds, may be early too.
                if (_due is not { } due)
                    return;
                if (due > _clock.GetTimestamp())
                {
                    Arm(due);
                    return;
                }

                if (_period > TimeSpan.Zero)
                    Change(_period, _period);
                else
                    Change(Timeout.InfiniteTimeSpan, _period);
            }

            _callback(state);
        }
    }
}
