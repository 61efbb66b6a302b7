namespace Fleet.Headquarters.Links;

/// <summary>
/// How fast twins welcome nodes: as fast as the door lets them in, until many have waited for a while, which shows how fast it really is; and as fast as before some time after that. Looks at most
/// once a second, when asked. For several threads.
/// </summary>
/// <param name="most">A second.</param>
internal sealed class WelcomeRate(int most, TimeProvider clock)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>Longer than a headquarters that begins takes to read its offices: that they wait for that says nothing about those behind them.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private long _welcomed;
    private long _lookedAt = clock.GetTimestamp();
    private double _perSecond = most;

    /// <summary>One was welcomed.</summary>
    public void Welcomed() => Interlocked.Increment(ref _welcomed);

    /// <param name="manyWait">Whether twins have as many to welcome as they can.</param>
    public double PerSecond(bool manyWait)
    {
        lock (_gate)
        {
            var passed = clock.GetElapsedTime(_lookedAt);
            if (passed < LookEvery)
                return _perSecond;
            var seen = Interlocked.Exchange(ref _welcomed, 0) / passed.TotalSeconds;
            _perSecond += ((manyWait ? Math.Min(seen, most) : most) - _perSecond) * (1 - Math.Exp(-passed / Memory));
            _lookedAt = clock.GetTimestamp();
            return _perSecond;
        }
    }
}
