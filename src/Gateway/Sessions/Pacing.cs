using Fleet.Contracts.Agents;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Gateway.Sessions;

/// <summary>Names waits, each already spread, so that many who ask at once do not come back at once.</summary>
public sealed class Pacing(TimeSpan retryAfter, Random random)
{
    /// <summary>An agent's first wait (fleet.agent.sync.first-retry): a few bytes less in each answer.</summary>
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>When to sync next; null: the device decides.</summary>
    /// <param name="queue">How long those will take who wait for headquarters already.</param>
    public Duration? NextSync(Pace pace, TimeSpan? interval, TimeSpan queue) => pace switch
    {
        Pace.AtOnce => null,
        Pace.Soon => Spread(Soon, 0.5),
        Pace.Retry => Spread(queue + (interval is { } own && own < retryAfter ? own : retryAfter), 0.5),
        // A tenth each way keeps devices that started together from staying together, and the interval recognisable.
        _ => interval is { } wanted ? Spread(wanted, 0.1) : null,
    };

    /// <summary>What a device is told for the case that it loses this server; null where its own first wait is long enough: it waits half of the window.</summary>
    public static Duration? ReturnWithin(TimeSpan window) => window / 2 > LongEnough ? Duration.FromTimeSpan(window) : null;

    /// <summary>The answer for those who need headquarters now and can't have it.</summary>
    public Refusal Unreachable(Contracts.RefusalCode code, string detail) =>
        new() { Code = (int)code, Detail = detail, RetryAfter = Spread(retryAfter, 0.5) };

    private Duration Spread(TimeSpan middle, double part) => Duration.FromTimeSpan(middle * (1 - part + 2 * part * random.NextDouble()));
}
