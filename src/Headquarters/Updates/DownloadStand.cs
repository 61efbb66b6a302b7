using System.Text.Json;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Updates;

/// <summary>How a download task stands at a distribution point, by what that last said. Pure.</summary>
internal static class DownloadStand
{
    // Counts come every few seconds while something changes.
    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(1);

    public static DownloadNodeResource Of(DownloadTask task, NodeView node, (MirrorProgress Progress, DateTimeOffset At)? counted, DateTimeOffset now)
    {
        var run = node.Mirror?.Runs?.FirstOrDefault(r => r.Task == task.Name);
        var (state, why) = State(task, node, run);
        var progress = counted?.Progress ?? new MirrorProgress(0, 0, 0);
        var rate = node.Linked && now - counted?.At < FreshFor ? progress.BytesPerSecond : 0;
        return new DownloadNodeResource(
            node.OfficeId.Value, node.NodeId.Value, node.Linked, state, why.Length > 0 ? why : null, run?.RunNumber ?? 0, run?.BeganAt, run?.EndedAt, node.Mirror?.Timestamp ?? 0,
            progress.Here, progress.Total, rate, rate > 0 && progress.Total > progress.Here ? (progress.Total - progress.Here) / (double)rate : null);
    }

    private static (string State, string Why) State(DownloadTask task, NodeView node, DownloadRun? run)
    {
        var away = node.Linked ? "" : $"the node is not linked{(node.LinkReason.Length > 0 ? $": {node.LinkReason}" : "")}";
        if (node.Mirror?.Runs is null)
            return ("unknown", away.Length > 0 ? away : "the node has not said yet how its mirror stands");
        if (task.RunNumber > (run?.RunNumber ?? 0) && task.RunNumber > task.CancelNumber)
            return ("waits", away.Length > 0 ? away : task.Paused ? "the task is paused" : "the node begins as soon as it is done with what is under way");
        if (run is null)
            return ("waits", away.Length > 0 ? away : task.Paused ? "the task is paused" : task.Schedule.Length > 0 ? $"its schedule: {task.Schedule}" : "an operator: the task runs only when told");
        return (JsonNamingPolicy.KebabCaseLower.ConvertName(run.Outcome.ToString()), run.Problem.Length > 0 ? run.Problem : run.Outcome == DownloadOutcome.Running ? away : "");
    }
}
