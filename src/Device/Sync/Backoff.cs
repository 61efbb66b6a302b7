namespace Fleet.Device.Sync;

/// <summary>
/// How long to wait. Every wait of the device's own is spread over its whole length and nothing clamps it afterwards, so that thousands of
/// devices that lost the same carrier come back evenly; a wait that a server names is taken as it is: the server has spread it.
/// </summary>
/// <param name="First">The bound of the first wait after a failure; it doubles with each.</param>
public sealed record Backoff(TimeSpan First)
{
    /// <summary>The wait after failures in a row: anywhere from zero to a bound that doubles up to the interval.</summary>
    public TimeSpan AfterFailures(int failures, TimeSpan interval, Random random)
    {
        var bound = First * Math.Pow(2, Math.Min(failures - 1, 30));
        return (bound < interval ? bound : interval) * random.NextDouble();
    }

    /// <summary>The wait to the next periodic sync: the interval on average, half of it at least, one and a half at most.</summary>
    public static TimeSpan Periodic(TimeSpan interval, Random random) => interval * (0.5 + random.NextDouble());
}
