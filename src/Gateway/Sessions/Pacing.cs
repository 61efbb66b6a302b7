using Fleet.Contracts.Agents;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Gateway.Sessions;

/// <summary>Names waits, each already spread, so that many who ask at once do not come back at once.</summary>
public sealed class Pacing(TimeSpan retryAfter, Random random)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>When to sync next; null: the device decides.</summary>
    public Duration? NextSync(Pace pace, TimeSpan? interval) => pace switch
    {
        Pace.AtOnce => null,
        Pace.Soon => Spread(Soon, 0.5),
        Pace.Retry => Spread(interval is { } own && own < retryAfter ? own : retryAfter, 0.5),
        // A tenth each way keeps devices that started together from staying together, and the interval recognisable.
        _ => interval is { } wanted ? Spread(wanted, 0.1) : null,
    };

    /// <summary>The answer for those who need headquarters now and can't have it.</summary>
    public Refusal Unreachable(Contracts.RefusalCode code, string detail) =>
        new() { Code = (int)code, Detail = detail, RetryAfter = Spread(retryAfter, 0.5) };

    private Duration Spread(TimeSpan middle, double part) => Duration.FromTimeSpan(middle * (1 - part + 2 * part * random.NextDouble()));
}
