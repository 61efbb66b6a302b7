using Fleet.Messages.Link;
using MessagePack;

namespace Fleet.Office.DistributionPoint;

/// <summary>The last run of a task.</summary>
/// <param name="At">When it began; of a task that never ran, when it was first heard of.</param>
/// <param name="RunNumber">Of the task, when it began.</param>
/// <param name="Outcome">Null: the task never ran.</param>
/// <param name="CancelNumber">Of the task, when it began.</param>
/// <param name="RetryAt">When what lacked something is tried again; null: not.</param>
/// <param name="Failures">Runs in a row that lacked something.</param>
[MessagePackObject]
public sealed record DownloadRunRecord(
    [property: Key(0)] string Task,
    [property: Key(1)] DateTimeOffset At,
    [property: Key(2)] ulong RunNumber,
    [property: Key(3)] DownloadOutcome? Outcome = null,
    [property: Key(4)] DateTimeOffset? EndedAt = null,
    [property: Key(5)] string Problem = "",
    [property: Key(6)] ulong CancelNumber = 0,
    [property: Key(7)] DateTimeOffset? RetryAt = null,
    [property: Key(8)] int Failures = 0)
{
    /// <summary>It began and did not come to its end: its node was stopped, or its task paused.</summary>
    [IgnoreMember]
    public bool IsUnfinished => Outcome is DownloadOutcome.Running or DownloadOutcome.Stopped;

    /// <summary>For headquarters; null: there was no run.</summary>
    public DownloadRun? Told() => Outcome is { } outcome ? new DownloadRun(Task, RunNumber, outcome, At, EndedAt, Problem) : null;
}
