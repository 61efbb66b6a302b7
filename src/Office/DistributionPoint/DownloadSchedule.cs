using Cronos;
using Fleet.Messages.Company;

namespace Fleet.Office.DistributionPoint;

/// <summary>When a download task is due, and how fast it may go. Pure.</summary>
public static class DownloadSchedule
{
    /// <summary>The first time after that moment at which the task is to run by its schedule; null: its schedule names none, or can't be read.</summary>
    public static DateTimeOffset? Next(DownloadTask task, DateTimeOffset after)
    {
        if (task.Schedule.Length == 0 || task.Schedule == DownloadTask.OnChange || !CronExpression.TryParse(task.Schedule, out var cron))
            return null;
        return ZoneOf(task) is { } zone ? cron.GetNextOccurrence(after, zone) : null;
    }

    /// <summary>Whether the task should run now.</summary>
    /// <param name="last">What is known of its last run.</param>
    /// <param name="changed">There is something new.</param>
    /// <param name="spread">How much later than others this node begins, from 0 to 1.</param>
    public static bool IsDue(DownloadTask task, DownloadRunRecord last, bool changed, double spread, DateTimeOffset now)
    {
        if (task.Paused)
            return false;
        if (task.RunNumber > last.RunNumber && task.RunNumber > task.CancelNumber)
            return true;
        // Cut short by a pause or a restart, it goes on; what lacked something is tried again.
        if (task.CancelNumber <= last.CancelNumber && (last.IsUnfinished || now >= last.RetryAt))
            return true;
        // A run that was missed while the node was down is made up for.
        return task.Schedule == DownloadTask.OnChange ? changed : Next(task, last.At) is { } next && now >= next + (task.Spread * spread);
    }

    /// <summary>The most bytes a second that all downloads of the office together may take now; null: no limit.</summary>
    public static long? RateAt(IReadOnlyList<DownloadTask> tasks, DateTimeOffset now)
    {
        var rates = tasks.Select(t => RateAt(t, now)).OfType<long>().ToList();
        return rates.Count == 0 ? null : rates.Min();
    }

    private static long? RateAt(DownloadTask task, DateTimeOffset now)
    {
        if (task.Budget.Count == 0)
            return null;
        var hour = TimeZoneInfo.ConvertTime(now, ZoneOf(task) ?? TimeZoneInfo.Utc).Hour;
        var inOrder = task.Budget.OrderBy(b => b.From).ToList();
        // Before the first of the day the last of yesterday holds.
        var rate = (inOrder.LastOrDefault(b => b.From <= hour) ?? inOrder[^1]).BytesPerSecond;
        return rate > 0 ? rate : null;
    }

    // Null: this machine does not know it.
    private static TimeZoneInfo? ZoneOf(DownloadTask task) =>
        task.TimeZone.Length == 0 ? TimeZoneInfo.Utc : TimeZoneInfo.TryFindSystemTimeZoneById(task.TimeZone, out var zone) ? zone : null;
}
