using System.Globalization;

namespace Fleet.Device.Updates;

/// <summary>
/// When packages may be installed, in the device's local time: <c>22:00-05:00</c>, with the days on which it opens before it where it is not every day,
/// <c>Mon-Fri 22:00-05:00</c> or <c>Sat,Sun 08:00-20:00</c>. One that ends at or before its beginning ends on the next day.
/// </summary>
public sealed record MaintenanceWindow(IReadOnlySet<DayOfWeek> Days, TimeOnly From, TimeOnly To)
{
    private static readonly string[] Names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

    /// <summary>Null: it can't be read, and the problem says what is wrong.</summary>
    public static MaintenanceWindow? Parse(string text, out string problem)
    {
        problem = $"'{text}' is no maintenance window; write 22:00-05:00, or with days Mon-Fri 22:00-05:00";
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var days = parts.Length == 2 ? DaysOf(parts[0]) : new HashSet<DayOfWeek>(Enum.GetValues<DayOfWeek>());
        if (parts.Length is not (1 or 2) || days is null || parts[^1].Split('-') is not [var from, var to] || TimeOf(from) is not { } begins || TimeOf(to) is not { } ends)
            return null;
        if (begins == ends)
        {
            problem = $"'{text}' is no maintenance window: it ends when it begins";
            return null;
        }

        problem = "";
        return new MaintenanceWindow(days, begins, ends);
    }

    /// <param name="local">As clocks on the wall show it.</param>
    public bool IsOpen(DateTime local)
    {
        var time = TimeOnly.FromDateTime(local);
        var beganToday = Days.Contains(local.DayOfWeek) && time >= From && (time < To || EndsNextDay);
        return beganToday || (EndsNextDay && time < To && Days.Contains(local.AddDays(-1).DayOfWeek));
    }

    /// <summary>When it opens next after a moment at which it is closed.</summary>
    public DateTime OpensAfter(DateTime local)
    {
        var today = local.Date + From.ToTimeSpan();
        return Enumerable.Range(0, 8).Select(day => today.AddDays(day)).First(opens => opens > local && Days.Contains(opens.DayOfWeek));
    }

    private bool EndsNextDay => To < From;

    private static HashSet<DayOfWeek>? DaysOf(string text)
    {
        var days = new HashSet<DayOfWeek>();
        foreach (var part in text.Split(','))
        {
            if (part.Split('-') is not ([_] or [_, _]) || part.Split('-').Select(Named).ToList() is var ends && ends.Contains(-1))
                return null;
            for (var day = ends[0]; ; day = (day + 1) % Names.Length)
            {
                days.Add((DayOfWeek)day);
                if (day == ends[^1])
                    break;
            }
        }

        return days;
    }

    private static int Named(string day) => Array.FindIndex(Names, n => n.Equals(day, StringComparison.OrdinalIgnoreCase));

    // 24:00 is how people write the end of a day.
    private static TimeOnly? TimeOf(string text) => text == "24:00"
        ? TimeOnly.MinValue
        : TimeOnly.TryParseExact(text, ["HH:mm", "H:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;
}
