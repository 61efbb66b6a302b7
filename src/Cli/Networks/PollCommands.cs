using System.CommandLine;
using System.Globalization;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;
using Spectre.Console;

namespace Fleet.Cli.Networks;

/// <summary><c>fleet poll</c>.</summary>
internal static class PollCommands
{
    private const string Running = "running";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    public static Command Make(FleetCommands commands) => new("poll", "Polls: looks at the offices' networks, each by one of the office's nodes.")
    {
        List(commands),
        Run(commands),
        Cancel(commands),
        PollSchedule.Make(commands),
    };

    /// <summary>The methods' names.</summary>
    internal static string[] Methods { get; } = ["ip-range", "mdns", "ldap"];

    private static Command List(FleetCommands commands)
    {
        var office = new Option<string?>("--office") { Description = "Polls of this office alone.", HelpName = "OFFICE" };
        var method = new Option<string?>("--method") { Description = "Polls by this method alone: ip-range, mdns or ldap.", HelpName = "METHOD" };
        method.AcceptOnlyFromAmong(Methods);
        var running = new Option<bool>("--running") { Description = "Only polls that are under way." };
        var limit = new Option<int?>("--limit") { Description = "At most this many.", HelpName = "N" };
        return commands.Remote("list", "Lists polls: those under way, then the newest.", "fleet poll list --office leeds",
            call => call.Display.List(
                call.Client.List(Query.Of("polls", ("office", call.Value(office)), ("method", call.Value(method)), ("running", call.Value(running) ? "true" : null)),
                    ApiJson.Default.ListPagePollResource, call.Value(limit), call.Cancellation),
                ApiJson.Default.PollResource,
                "no polls yet; give a node the role: fleet node assign NODE --role poller",
                ["POLL", "OFFICE", "METHOD", "KIND", "STATE", "BEGAN", "DONE", "FOUND", "NODE", "ASKED BY"],
                p => [p.Id, p.Office, p.Method, p.Kind, p.State, Words.Ago(p.StartedAt, call.Terminal.Clock.GetUtcNow()), Done(p), Words.Number(p.Found), p.Node, p.AskedBy ?? "schedule"]),
            office, method, running, limit);
    }

    private static Command Run(FleetCommands commands)
    {
        var office = new Argument<string>("office") { Description = "The office's id." };
        var method = new Option<string>("--method") { Description = "ip-range (default), mdns or ldap.", HelpName = "METHOD", DefaultValueFactory = _ => "ip-range" };
        method.AcceptOnlyFromAmong(Methods);
        var quick = new Option<bool>("--quick") { Description = "A quick poll: who is there, not what they offer." };
        var ranges = new Option<string[]>("--range") { Description = "Addresses to poll instead of the schedule's, such as 192.168.1.0/24; may repeat.", HelpName = "RANGE" };
        var force = new Option<bool>("--force") { Description = "Also more addresses than a /16 has." };
        var noWait = new Option<bool>("--no-wait") { Description = "Begin the poll and return." };
        return commands.Remote("run", "Polls an office's network now, and waits for the end.", """
            fleet poll run leeds
            fleet poll run leeds --range 192.168.1.0/24 --quick
            """,
            async call =>
            {
                var wanted = new NewPoll(call.Value(office), call.Value(method)!, call.Value(quick) ? "quick" : "full", call.Value(ranges), call.Value(force));
                var poll = await call.Client.Send(HttpMethod.Post, "polls", wanted, ApiJson.Default.NewPoll, ApiJson.Default.PollResource, call.Cancellation).ConfigureAwait(false);
                if (!call.Value(noWait))
                    poll = await Watched(call, poll).ConfigureAwait(false);
                Show(call, poll);
                if (poll.State is not (Running or "completed"))
                    throw new CommandFailure($"the poll was {poll.State}{(poll.Why.Length > 0 ? $": {poll.Why}" : "")}");
            },
            office, method, quick, ranges, force, noWait);
    }

    private static Command Cancel(FleetCommands commands)
    {
        var id = new Argument<string>("poll") { Description = "The poll's id." };
        return commands.Remote("cancel", "Cancels a poll.", "fleet poll cancel p-1f0c99d4a2b1e77a0c35",
            async call => Show(call, await call.Client.Post(Query.Path("polls", call.Value(id), "/cancel"), ApiJson.Default.PollResource, call.Cancellation).ConfigureAwait(false)),
            id);
    }

    private static void Show(RemoteCall call, PollResource poll) => call.Display.Show(poll, ApiJson.Default.PollResource, () =>
    {
        call.Display.Facts(
        [
            ("poll", poll.Id),
            ("office", $"{poll.Office}, by {poll.Node}"),
            ("method", $"{poll.Method}, {poll.Kind}{(poll.Ranges.Length > 0 ? $", {poll.Ranges}" : "")}"),
            ("state", $"{poll.State}{(poll.Why.Length > 0 ? $": {poll.Why}" : "")}"),
            ("done", Done(poll)),
            ("found", Words.Number(poll.Found)),
            ("packets", Words.Number(poll.Packets)),
            ("took", poll.EndedAt is { } ended ? Words.Length(ended - poll.StartedAt) : ""),
        ]);
        call.Display.Section("It can't see", ["WHAT, AND WHY"], poll.CannotSee.Select(IReadOnlyList<string> (s) => [s]));
    });

    private static Task<PollResource> Watched(RemoteCall call, PollResource poll) => call.Terminal.IsInteractive && !call.Display.Json
        ? call.Display.Drawing.Progress().AutoClear(true).StartAsync(progress =>
        {
            var bar = progress.AddTask($"polling {poll.Office}", maxValue: 1);
            return Ended(call, poll, now =>
            {
                bar.MaxValue = now.Total ?? 1;
                bar.Value = now.Done;
                bar.Description = string.Create(CultureInfo.InvariantCulture, $"polling {now.Office}: {now.Found} found");
            });
        })
        : Ended(call, poll, _ => { });

    private static async Task<PollResource> Ended(RemoteCall call, PollResource poll, Action<PollResource> tell)
    {
        while (poll.State == Running)
        {
            await Task.Delay(LookEvery, call.Cancellation).ConfigureAwait(false);
            poll = await call.Client.Get(Query.Path("polls", poll.Id), ApiJson.Default.PollResource, call.Cancellation).ConfigureAwait(false);
            tell(poll);
        }

        return poll;
    }

    private static string Done(PollResource poll) => poll.Total is { } total ? $"{poll.Done} of {total}" : Words.Number(poll.Done);
}
