using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Contracts.Agents;

/// <summary>
/// The waits that servers name, already spread, as their callers read them; a gRPC call that is refused for now names its own in a trailer, in whole
/// milliseconds.
/// </summary>
public static class RetryAfter
{
    public const string Trailer = "retry-after-ms";

    // Carriers are not trusted: one that names a longer wait would silence the device.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static string Text(TimeSpan wait) => ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    /// <summary>The wait in a trailer; null where there is none, or none that makes sense.</summary>
    public static TimeSpan? Read(string? trailer) =>
        long.TryParse(trailer, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= Longest.TotalMilliseconds
            ? Read(TimeSpan.FromMilliseconds(milliseconds))
            : null;

    /// <summary>The wait in a message of the agents' protocol; null as above.</summary>
    public static TimeSpan? Read(Duration? named) =>
        named is { Seconds: >= 0, Nanos: >= 0 and < Duration.NanosecondsPerSecond } && named.Seconds <= Longest.TotalSeconds ? Read(named.ToTimeSpan()) : null;

    /// <summary>The wait in a message of the link; null as above.</summary>
    public static TimeSpan? Read(TimeSpan named) => named > TimeSpan.Zero && named <= Longest ? named : null;
}
