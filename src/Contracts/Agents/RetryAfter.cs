using System.Globalization;

namespace Fleet.Contracts.Agents;

/// <summary>How a gRPC call that is refused for now says when to try again: a trailer with whole milliseconds, already spread.</summary>
public static class RetryAfter
{
    public const string Trailer = "retry-after-ms";

    // Carriers are not trusted: one that names a longer wait would silence the device.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static string Text(TimeSpan wait) => ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    /// <summary>The wait in a trailer; null where there is none, or none that makes sense.</summary>
    public static TimeSpan? Read(string? trailer) =>
        long.TryParse(trailer, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0 && milliseconds <= Longest.TotalMilliseconds
            ? Sensible(TimeSpan.FromMilliseconds(milliseconds))
            : null;

    /// <summary>A wait that a server named; null where it is none, or longer than any server should name.</summary>
    public static TimeSpan? Sensible(TimeSpan? named) => named is { } wait && wait > TimeSpan.Zero && wait <= Longest ? wait : null;
}
