namespace Fleet.Headquarters.Links;

/// <summary>
/// Admits so many a second, and names the others a wait that is spread over the whole time their number will take, without a clamp that would
/// bunch them again. Clock and chance come from the caller.
/// </summary>
/// <param name="perSecond">Admitted a second in the long run.</param>
/// <param name="burst">How many may come at once after a quiet time.</param>
internal sealed class HelloRate(int perSecond, int burst)
{
    private static readonly TimeSpan LeastWait = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _each = TimeSpan.FromSeconds(1.0 / perSecond);
    private DateTimeOffset _next;
    private int _waiting;

    /// <summary>Null to come in now, or how long to wait.</summary>
    /// <param name="chance">From 0 to 1.</param>
    public TimeSpan? Wait(DateTimeOffset now, double chance)
    {
        if (_next <= now)
            (_next, _waiting) = (now, 0);
        if (_next - now < _each * burst)
        {
            _next += _each;
            return null;
        }

        _waiting++;
        return LeastWait + LeastWait * chance + _each * (2 * _waiting * chance);
    }
}
