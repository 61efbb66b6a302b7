using System.Globalization;

namespace Fleet.Contracts;

/// <summary>Durations as HOCON writes them: a whole number and <c>ms</c>, <c>s</c>, <c>m</c>, <c>h</c> or <c>d</c>.</summary>
public static class DurationText
{
    // Longer ones are mistakes, and no timer takes them.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    /// <summary>Reads a duration over zero and up to a year.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits < 1 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return false;
        TimeSpan? unit = text[digits..].Trim() switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            _ => null,
        };
        if (unit is not { } one || count <= 0 || count > Longest / one)
            return false;
        duration = one * count;
        return true;
    }

    /// <summary>The shortest text that reads back as this duration.</summary>
    public static string Of(TimeSpan duration) => duration switch
    {
        _ when duration.Ticks % TimeSpan.TicksPerDay == 0 => $"{duration.Ticks / TimeSpan.TicksPerDay}d",
        _ when duration.Ticks % TimeSpan.TicksPerHour == 0 => $"{duration.Ticks / TimeSpan.TicksPerHour}h",
        _ when duration.Ticks % TimeSpan.TicksPerMinute == 0 => $"{duration.Ticks / TimeSpan.TicksPerMinute}m",
        _ when duration.Ticks % TimeSpan.TicksPerSecond == 0 => $"{duration.Ticks / TimeSpan.TicksPerSecond}s",
        _ => $"{duration.Ticks / TimeSpan.TicksPerMillisecond}ms",
    };
}
