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
    private int _waiting;

    /// <summary>May change with the load; over zero.</summary>
    public double PerSecond { get; set; } = perSecond;

    private TimeSpan Each => TimeSpan.FromSeconds(1 / PerSecond);

    /// <summary>Null to come in now, or how long to wait.</summary>
    /// <param name="chance">From 0 to 1.</param>
    public TimeSpan? Wait(DateTimeOffset now, double chance)
    {
        if (IsIdle(now))
            (_next, _waiting) = (now, 0);
        if (_next - now < Each * burst)
        {
            _next += Each;
            return null;
        }

        return Refuse(chance);
    }

    /// <summary>Nobody is admitted now, whatever the rate; how long to wait.</summary>
    public TimeSpan Refuse(double chance)
    {
        _waiting++;
        return LeastWait + LeastWait * chance + Each * (2 * _waiting * chance);
    }

    /// <summary>Whether all that were admitted have had their time.</summary>
    public bool IsIdle(DateTimeOffset now) => _next <= now;
}
