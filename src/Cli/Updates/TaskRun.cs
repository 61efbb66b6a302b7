using System.CommandLine;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;
using Spectre.Console;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update task run</c>.</summary>
internal static class TaskRun
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    public static Command Make(FleetCommands commands)
    {
        var name = TaskCommands.Name();
        var wait = new Option<bool>("--wait") { Description = "Wait until each distribution point that is linked is done; fails where one lacks something." };
        return commands.Remote("run", "Makes a task run now, whatever its schedule says.", "fleet update task run nightly --wait",
            async call =>
            {
                var task = await call.Client.Post(TaskCommands.PathOf(call.Value(name), "/run"), ApiJson.Default.DownloadTaskResource, call.Cancellation).ConfigureAwait(false);
                var nodes = await (call.Value(wait) ? Watched(call, task) : TaskShow.Nodes(call, task)).ConfigureAwait(false);
                TaskShow.Told(call, new TaskDetailResource(task, nodes));
                if (call.Value(wait) && nodes.Where(n => n.State != "full").Select(n => n.Node).ToList() is { Count: > 0 } lacking)
                    throw new CommandFailure($"{lacking.Count} of {nodes.Count} distribution points are not full: {Words.Many(lacking.Take(5))}{(lacking.Count > 5 ? ", …" : "")}");
            },
            name, wait);
    }

    private static Task<IReadOnlyList<DownloadNodeResource>> Watched(RemoteCall call, DownloadTaskResource task) => call.Terminal.IsInteractive && !call.Display.Json
        ? call.Display.Drawing.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new RemainingTimeColumn()).StartAsync(progress =>
        {
            var bar = progress.AddTask(task.Name);
            return Done(call, task, nodes =>
            {
                bar.MaxValue = Math.Max(1, nodes.Sum(n => n.Total));
                bar.Value = nodes.Sum(n => n.Here);
                bar.Description = $"{task.Name}: {nodes.Count(n => !IsUnderWay(n))} of {nodes.Count} done, {Words.Size(nodes.Sum(n => n.BytesPerSecond))}/s";
            });
        })
        : Done(call, task, _ => { });

    private static async Task<IReadOnlyList<DownloadNodeResource>> Done(RemoteCall call, DownloadTaskResource task, Action<IReadOnlyList<DownloadNodeResource>> tell)
    {
        while (true)
        {
            var nodes = await TaskShow.Nodes(call, task).ConfigureAwait(false);
            tell(nodes);
            if (!nodes.Any(IsUnderWay))
                return nodes;
            await Task.Delay(LookEvery, call.Terminal.Clock, call.Cancellation).ConfigureAwait(false);
        }
    }

    // A node that is away runs it when it is back, and nobody knows when that is.
    private static bool IsUnderWay(DownloadNodeResource node) => node is { Linked: true, State: "waits" or "running" or "stopped" or "unknown" };
}
