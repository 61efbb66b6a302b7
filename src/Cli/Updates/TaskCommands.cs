using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Devices;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update task</c>.</summary>
internal static class TaskCommands
{
    public static Command Make(FleetCommands commands) => new("task", "Tasks that make distribution points download updates: from where, when, and how fast.")
    {
        Create(commands),
        List(commands),
        TaskShow.Make(commands),
        TaskRun.Make(commands),
        Change(commands, "cancel", "Ends the runs that are under way; what came of a file stays."),
        Change(commands, "pause", "Stops the task, and what is under way of it."),
        Change(commands, "resume", "Lets a paused task go on where it stopped."),
        Remove(commands),
    };

    public static Argument<string> Name() => new("task") { Description = "The task's name." };

    public static string PathOf(string name, string rest = "") => Query.Path("updates/tasks", name, rest);

    public static void Told(RemoteCall call, DownloadTaskResource task) => call.Display.Facts(
    [
        ("task", task.Name + (task.Paused ? ", paused" : "")),
        ("from", From(task)),
        ("offices", Offices(task)),
        ("labels", Labels(task)),
        ("mirrors", Mirrors(task)),
        ("runs", Runs(task)),
        ("spread", task.SpreadSeconds > 0 ? Words.Length(TimeSpan.FromSeconds(task.SpreadSeconds)) : ""),
        ("uplink", task.Uplink.Count > 0 ? UplinkText.Of(task.Uplink) : ""),
    ]);

    private static Command Create(FleetCommands commands)
    {
        var name = Name();
        var sources = new Option<string[]>("--source")
        {
            Description = "Where to download from, in the order in which they are tried; may repeat: headquarters, https://… with a copy of its repository, or the whole path of a folder with one. Default: headquarters.",
            HelpName = "SOURCE", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["headquarters"],
        };
        var access = new SourceAccess();
        var offices = new Option<string[]>("--office") { Description = "Only this office's distribution points; may repeat. Default: all.", HelpName = "OFFICE", AllowMultipleArgumentsPerToken = true };
        var labels = LabelText.Pairs("--with-label", "Only distribution points whose own device has this label; may repeat, and all must fit.");
        var patterns = new Option<string[]>("--mirror") { Description = "Packages to mirror besides those that the office's devices should have, such as 'office-*'; may repeat.", HelpName = "PATTERN", AllowMultipleArgumentsPerToken = true };
        var schedule = new Option<string>("--schedule")
        {
            Description = "When it runs: a cron expression such as '0 2 * * *', on-change (default), or never: only when told.", HelpName = "WHEN", DefaultValueFactory = _ => "on-change",
        };
        var zone = new Option<string?>("--time-zone") { Description = "In which schedule and hours are read, such as Europe/London. Default: UTC.", HelpName = "ZONE" };
        var spread = new Option<string?>("--spread") { Description = "Each node begins anywhere up to this later, such as 1h.", HelpName = "TIME" };
        spread.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<string?>() is { } text && !DurationText.TryParse(text, out _))
                given.AddError($"--spread is a time such as 1h, not '{text}'");
        });
        var uplink = new Option<string?>("--uplink") { Description = "The most that the office's downloads take of its uplink together, by the hour of the day.", HelpName = UplinkText.Form };
        uplink.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<string?>() is { } text && UplinkText.Read(text, out var problem) is null)
                given.AddError(problem);
        });
        return commands.Remote("create", "Adds a task, or changes the one of this name.", """
            fleet update task create nightly --schedule "0 2 * * *" --time-zone Europe/London --spread 1h --uplink 6-22=1MB
            fleet update task create shops --source /srv/updates headquarters --office leeds york --mirror 'till-*'
            fleet update task create by-post --source /media/updates headquarters --with-label line=poor
            """,
            async call =>
            {
                var wanted = new DownloadTaskContent(
                    access.Of(call, call.Value(sources)!), call.Value(offices), call.Value(patterns), call.Value(schedule) is "never" ? "" : call.Value(schedule), call.Value(zone),
                    call.Value(spread) is { } time && DurationText.TryParse(time, out var read) ? read.TotalSeconds : 0,
                    call.Value(uplink) is { } limits ? UplinkText.Read(limits, out _) : null, LabelText.Read(call.Value(labels)));
                var made = await call.Client.Send(HttpMethod.Put, PathOf(call.Value(name)), wanted, ApiJson.Default.DownloadTaskContent, ApiJson.Default.DownloadTaskResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(made, ApiJson.Default.DownloadTaskResource, () => Told(call, made));
            },
            [name, sources, .. access.All, offices, labels, patterns, schedule, zone, spread, uplink]);
    }

    private static Command List(FleetCommands commands) => commands.Remote("list", "Lists the tasks.", "fleet update task list",
        call => call.Display.List(
            call.Client.List("updates/tasks", ApiJson.Default.ListPageDownloadTaskResource, null, call.Cancellation),
            ApiJson.Default.DownloadTaskResource,
            "no tasks: distribution points download from headquarters whatever their devices should have; 'fleet update task create --help' shows how to say more",
            ["TASK", "FROM", "OFFICES", "LABELS", "MIRRORS", "RUNS", "STATE"],
            t => [t.Name, From(t), Offices(t), Labels(t), Mirrors(t), Runs(t), t.Paused ? "paused" : "active"]));

    private static Command Change(FleetCommands commands, string verb, string description)
    {
        var name = Name();
        return commands.Remote(verb, description, $"fleet update task {verb} nightly",
            async call =>
            {
                var now = await call.Client.Post(PathOf(call.Value(name), $"/{verb}"), ApiJson.Default.DownloadTaskResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(now, ApiJson.Default.DownloadTaskResource, () => Told(call, now));
            },
            name);
    }

    private static Command Remove(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("remove", "Removes a task; what was downloaded stays while devices should have it.", "fleet update task remove nightly",
            async call =>
            {
                await call.Client.Delete(PathOf(call.Value(name)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("download task", call.Value(name));
            },
            name);
    }

    private static string From(DownloadTaskResource task) => string.Join(", then ", task.Sources.Select(s => s.From));

    private static string Offices(DownloadTaskResource task) => task.Offices.Count == 0 ? "all" : Words.Many(task.Offices);

    private static string Labels(DownloadTaskResource task) => task.Labels is { } labels ? Words.Labels(labels) : "any";

    private static string Mirrors(DownloadTaskResource task) => task.Patterns.Count == 0 ? "what devices should have" : $"what devices should have, and {Words.Many(task.Patterns)}";

    private static string Runs(DownloadTaskResource task) => task.Schedule switch
    {
        null => "only when told",
        "on-change" => "on-change",
        var cron => $"{cron} ({task.TimeZone})",
    };
}
