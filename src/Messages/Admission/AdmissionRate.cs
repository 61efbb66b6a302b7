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
    /// <param name="again">This one was told to wait, and has.</param>
    public TimeSpan? Wait(DateTimeOffset now, double chance, bool again = false)
    {
        if (IsIdle(now))
            _next = now;
        if (_next - now >= Each * burst)
            return Refuse(now, chance, again);
        _next += Each;
        _waiting -= again && _waiting > 0 ? 1 : 0;
        return null;
    }

    /// <summary>Nobody is admitted now, whatever the rate; how long to wait.</summary>
    /// <param name="chance">From 0 to 1.</param>
    /// <param name="again">This one was told to wait, and has.</param>
    public TimeSpan Refuse(DateTimeOffset now, double chance, bool again = false)
    {
        // Once all must have come again none of them is waiting any more; until then a moment in which some are let in says nothing about the others.
        _waiting = now > _allBack ? 1 : _waiting + (again && _waiting > 0 ? 0 : 1);
        var wait = LeastWait + LeastWait * chance + Each * (_waiting * chance);
        _allBack = now + wait > _allBack ? now + wait : _allBack;
        return wait;
    }

    /// <summary>Whether all that were admitted have had their time.</summary>
    public bool IsIdle(DateTimeOffset now) => _next <= now;
}
