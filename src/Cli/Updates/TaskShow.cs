using System.CommandLine;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update task show</c>.</summary>
internal static class TaskShow
{
    public static Command Make(FleetCommands commands)
    {
        var name = TaskCommands.Name();
        return commands.Remote("show", "Shows a task, and how it stands at each distribution point: what is there, what lacks and why.", "fleet update task show nightly",
            async call =>
            {
                var task = await call.Client.Get(TaskCommands.PathOf(call.Value(name)), ApiJson.Default.DownloadTaskResource, call.Cancellation).ConfigureAwait(false);
                Told(call, new TaskDetailResource(task, await Nodes(call, task).ConfigureAwait(false)));
            },
            name);
    }

    public static async Task<IReadOnlyList<DownloadNodeResource>> Nodes(RemoteCall call, DownloadTaskResource task)
    {
        var nodes = new List<DownloadNodeResource>();
        await foreach (var node in call.Client.List(TaskCommands.PathOf(task.Name, "/nodes"), ApiJson.Default.ListPageDownloadNodeResource, null, call.Cancellation).ConfigureAwait(false))
            nodes.Add(node);
        return nodes;
    }

    public static void Told(RemoteCall call, TaskDetailResource detail) => call.Display.Show(detail, UpdateJson.Default.TaskDetailResource, () =>
    {
        TaskCommands.Told(call, detail.Task);
        call.Display.Section("Distribution points", ["OFFICE", "NODE", "STATE", "HERE", "RATE", "LEFT", "TIMESTAMP", "SINCE"], detail.Nodes.Select(IReadOnlyList<string> (n) =>
        [
            n.Office, n.Node, n.State, n.Total > 0 ? $"{Words.Size(n.Here)} of {Words.Size(n.Total)}" : Words.None, n.BytesPerSecond > 0 ? $"{Words.Size(n.BytesPerSecond)}/s" : Words.None,
            n.SecondsLeft is { } left ? Words.Length(TimeSpan.FromSeconds(left)) : Words.None, Words.Number(n.Timestamp),
            (n.EndedAt ?? n.BeganAt) is { } since ? Words.Ago(since, call.Terminal.Clock.GetUtcNow()) : Words.None,
        ]));
        call.Display.Section("Why", ["NODE", "WHY"], detail.Nodes.Where(n => n.Why is not null).Select(IReadOnlyList<string> (n) => [n.Node, n.Why!]));
        if (detail.Nodes.Count == 0)
            call.Terminal.Error.WriteLine(detail.Task.Labels is { } labels
                ? $"no distribution point runs it; label the device of one: fleet device label DEVICE {string.Join(' ', labels.Select(l => $"{l.Key}={l.Value}"))}"
                : "no distribution point runs it; make a node one: fleet node assign NAME.OFFICE --role distribution-point");
    });
}

/// <summary>What <c>fleet update task show</c> and <c>run</c> print as JSON.</summary>
internal sealed record TaskDetailResource(DownloadTaskResource Task, IReadOnlyList<DownloadNodeResource> Nodes);
