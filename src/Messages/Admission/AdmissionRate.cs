namespace Fleet.Messages.Admission;

/// <summary>
/// Admits so many a second, and names the others a wait that is spread over the whole time their number will take, without a clamp that would
/// bunch them again. Clock and chance come from the caller; not for several threads at once.
/// </summary>
/// <param name="perSecond">Admitted a second in the long run.</param>
/// <param name="burst">How many may come at once after a quiet time.</param>
public sealed class AdmissionRate(double perSecond, int burst)
{
    private static readonly TimeSpan LeastWait = TimeSpan.FromSeconds(1);

    private DateTimeOffset _next;
    private DateTimeOffset _allBack;
    private int _waiting;

    /// <summary>May change with the load; over zero.</summary>
    public double PerSecond { get; set; } = perSecond;

    private TimeSpan Each => TimeSpan.FromSeconds(1 / PerSecond);

    /// <summary>Null to come in now, or how long to wait.</summary>
    /// <param name="chance">From 0 to 1.</param>
    public TimeSpan? Wait(DateTimeOffset now, double chance)
    {
        if (IsIdle(now))
            _next = now;
        if (_next - now >= Each * burst)
            return Refuse(now, chance);
        _next += Each;
        _waiting = Math.Max(0, _waiting - 1);
        return null;
    }

    /// <summary>Nobody is admitted now, whatever the rate; how long to wait.</summary>
    public TimeSpan Refuse(DateTimeOffset now, double chance)
    {
        // Only once all must have come again is none of them waiting any more: a moment in which some are let in says nothing about the others.
        _waiting = now > _allBack ? 1 : _waiting + 1;
        var wait = LeastWait + LeastWait * chance + Each * (2 * _waiting * chance);
        _allBack = now + wait > _allBack ? now + wait : _allBack;
        return wait;
    }

    /// <summary>Whether all that were admitted have had their time.</summary>
    public bool IsIdle(DateTimeOffset now) => _next <= now;
}
