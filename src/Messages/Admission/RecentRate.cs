namespace Fleet.Messages.Admission;

/// <summary>How often something happens a second, averaged over about <paramref name="memory"/>. Looks at most once a second, when asked. For several threads.</summary>
public sealed class RecentRate(TimeProvider clock, TimeSpan memory)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _taken;
    private long _lookedAt = clock.GetTimestamp();
    private double _perSecond;

    /// <summary>It happened.</summary>
    public void Took() => Interlocked.Increment(ref _taken);

    public double PerSecond
    {
        get
        {
            lock (_gate)
            {
                var passed = clock.GetElapsedTime(_lookedAt);
                if (passed < LookEvery)
                    return _perSecond;
                _perSecond += ((Interlocked.Exchange(ref _taken, 0) / passed.TotalSeconds) - _perSecond) * (1 - Math.Exp(-passed / memory));
                _lookedAt = clock.GetTimestamp();
                return _perSecond;
            }
        }
    }
}
