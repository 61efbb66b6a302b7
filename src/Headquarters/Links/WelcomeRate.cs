namespace Fleet.Headquarters.Links;

/// <summary>
/// How fast twins welcome nodes: as fast as the door lets them in, until many have waited for a while, which shows how fast it really is; and as fast as before some time after that. Looks at most
/// once a second, when asked. For several threads.
/// </summary>
/// <param name="most">A second.</param>
/// <param name="memory">Over which it averages.</param>
internal sealed class WelcomeRate(double most, TimeSpan memory, TimeProvider clock)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _welcomed;
    private long _lookedAt = clock.GetTimestamp();
    private double? _perSecond;

    /// <summary>One was welcomed.</summary>
    public void Welcomed() => Interlocked.Increment(ref _welcomed);

    /// <param name="manyWait">Whether twins have as many to welcome as they can.</param>
    public double PerSecond(bool manyWait)
    {
        lock (_gate)
        {
            var (known, passed) = (_perSecond ?? most, clock.GetElapsedTime(_lookedAt));
            if (passed < LookEvery)
                return known;
            var seen = Interlocked.Exchange(ref _welcomed, 0) / passed.TotalSeconds;
            var rate = known + (((manyWait ? Math.Min(seen, most) : most) - known) * (1 - Math.Exp(-passed / memory)));
            (_perSecond, _lookedAt) = (rate, clock.GetTimestamp());
            return rate;
        }
    }
}
