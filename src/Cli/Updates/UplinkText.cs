using System.Globalization;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Updates;

/// <summary>How much of an office's uplink downloads may take, as people write it: <c>0-6=20MB,6-22=1MB</c>; hours that are not named have no limit.</summary>
internal static class UplinkText
{
    public const string Form = "FROM-TO=RATE,…";

    private const int Hours = 24;

    private static readonly (string Name, long Bytes)[] Units = [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("kB", 1_000), ("B", 1)];

    /// <summary>The limits, or what is wrong with the text.</summary>
    public static IReadOnlyList<UplinkLimit>? Read(string text, out string problem)
    {
        var rates = new long?[Hours];
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            problem = $"'{part}' is not FROM-TO=RATE with hours from 0 to 24 and a rate a second, such as 6-22=1MB";
            if (part.Split('=') is not [var hours, var much] || Rate(much) is not { } rate
                || hours.Split('-') is not [var first, var last] || Hour(first) is not { } from || Hour(last) is not { } to || from == Hours || from == to)
                return null;
            // 22-6 goes over midnight.
            for (var hour = from; hour != to % Hours || (hour == from && rates[hour] is null); hour = (hour + 1) % Hours)
            {
                if (rates[hour] is not null)
                {
                    problem = $"'{part}' gives hour {hour} a second limit";
                    return null;
                }

                rates[hour] = rate;
            }
        }

        problem = rates.All(r => r is null) ? $"'{text}' limits nothing; write {Form}, such as 0-6=20MB,6-22=1MB" : "";
        return problem.Length > 0 ? null : Changes(rates);
    }

    public static string Of(IReadOnlyList<UplinkLimit> limits)
    {
        var inOrder = limits.OrderBy(l => l.FromHour).ToList();
        return string.Join(',', inOrder.Select((l, i) => (Limit: l, To: i + 1 < inOrder.Count ? inOrder[i + 1].FromHour : inOrder[0].FromHour == 0 ? Hours : inOrder[0].FromHour))
            .Where(r => r.Limit.BytesPerSecond > 0).Select(r => $"{r.Limit.FromHour}-{r.To}={Rate(r.Limit.BytesPerSecond)}"));
    }

    // A limit holds until the next one's hour.
    private static List<UplinkLimit> Changes(long?[] rates) =>
        [.. Enumerable.Range(0, Hours).Where(h => h == 0 || rates[h] != rates[h - 1]).Select(h => new UplinkLimit(h, rates[h] ?? 0))];

    private static int? Hour(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var hour) && hour <= Hours ? hour : null;

    private static long? Rate(string text)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits < 1 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return null;
        var unit = Units.FirstOrDefault(u => u.Name == text[digits..]).Bytes;
        return unit > 0 && count > 0 && count <= long.MaxValue / unit ? count * unit : null;
    }

    private static string Rate(long bytes) => Units.First(u => bytes % u.Bytes == 0) is var (name, unit) ? $"{bytes / unit}{name}" : "";
}
