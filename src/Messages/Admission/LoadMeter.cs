namespace Fleet.Messages.Admission;

/// <param name="Processors">The share of this machine's processors that this process uses, from 0 to 1.</param>
/// <param name="PerSecond">What was taken a second, averaged over about a minute.</param>
public readonly record struct LoadSample(double Processors, double PerSecond);

/// <summary>Measures what a server has to do: what it takes, and what of the processors that needs. Looks at most once a second, when asked. For several threads.</summary>
/// <param name="processorTime">The time that this process has used on all processors together.</param>
public sealed class LoadMeter(TimeProvider clock, Func<TimeSpan> processorTime)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _taken;
    private long _lookedAt = clock.GetTimestamp();
    private TimeSpan _used = processorTime();
    private LoadSample _sample;

    public LoadMeter(TimeProvider clock)
        : this(clock, () => Environment.CpuUsage.TotalTime)
    {
    }

    /// <summary>One message or call was taken.</summary>
    public void Took() => Interlocked.Increment(ref _taken);

    public LoadSample Now
    {
        get
        {
            lock (_gate)
            {
                var passed = clock.GetElapsedTime(_lookedAt);
                if (passed < LookEvery)
                    return _sample;
                var (taken, used) = (Interlocked.Exchange(ref _taken, 0), processorTime());
                var fresh = 1 - Math.Exp(-passed / Memory);
                _sample = new LoadSample(
                    Math.Min(1, (used - _used) / passed / Environment.ProcessorCount),
                    _sample.PerSecond + (((taken / passed.TotalSeconds) - _sample.PerSecond) * fresh));
                (_lookedAt, _used) = (clock.GetTimestamp(), used);
                return _sample;
            }
        }
    }
}
