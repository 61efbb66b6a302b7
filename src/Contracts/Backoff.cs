namespace Fleet.Contracts;

/// <summary>
/// How long to wait before whatever was lost is tried again: the one rule of office nodes, agents and their lines. Every wait is spread over its
/// whole length, the first too, and nothing clamps it afterwards, so that thousands who lost the same server come back evenly. Where the server named
/// a window, a wait takes half of it: who fails once is still back within it. A wait that a server names for one caller is taken as it is: the server
/// has spread it.
/// </summary>
/// <param name="First">The bound of the first wait after a failure; it doubles with each.</param>
public sealed record Backoff(TimeSpan First)
{
    /// <summary>The wait after failures in a row: anywhere from zero to half of the window, or, without one, to a bound that doubles up to <paramref name="longest"/>.</summary>
    /// <param name="window">Within which the server, while it was there, asked all of its callers to come back. Zero: none was named.</param>
    public TimeSpan AfterFailures(int failures, TimeSpan longest, TimeSpan window, Random random)
    {
        var doubled = First * Math.Pow(2, Math.Min(failures - 1, 30));
        var bound = doubled < longest ? doubled : longest;
        return (window > TimeSpan.Zero ? window / 2 : bound) * random.NextDouble();
    }

    /// <summary>The wait to the next periodic turn: the interval on average, half of it at least, one and a half at most.</summary>
    public static TimeSpan Periodic(TimeSpan interval, Random random) => interval * (0.5 + random.NextDouble());
}
