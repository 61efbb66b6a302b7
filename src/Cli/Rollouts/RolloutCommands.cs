using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Devices;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Rollouts;

/// <summary><c>fleet rollout</c>.</summary>
internal static class RolloutCommands
{
    public static Command Make(FleetCommands commands) => new("rollout", "Rollouts: bring published versions of packages to devices, ring by ring, and halt by themselves where devices fail.")
    {
        RolloutCreate.Make(commands),
        List(commands),
        RolloutShow.Make(commands),
        DevicesOf(commands),
        Why(commands),
        Change(commands, "pause", "Begins no further ring until it is resumed; devices of the rings that are reached go on."),
        Change(commands, "resume", "Lets a paused rollout go on."),
        Halt(commands),
    };

    public static Argument<string> Name() => new("rollout") { Description = "The rollout's name." };

    public static IReadOnlyList<string> DeviceColumns { get; } = ["DEVICE", "OFFICE", "RING", "STATE", "HAS", "WAITS FOR", "SINCE"];

    public static IReadOnlyList<string> DeviceRow(RemoteCall call, RolloutDeviceResource d) =>
        [d.Name, d.Office, d.Ring, d.State, d.Installed ?? Words.None, d.WaitsFor ?? Words.None, d.Since is null ? Words.None : Words.Ago(d.Since, call.Terminal.Clock.GetUtcNow())];

    private static Command List(FleetCommands commands)
    {
        var open = new Option<bool?>("--open") { Description = "Only rollouts that go on (true), or that are over (false)." };
        var package = new Option<string?>("--package") { Description = "Rollouts of this package alone.", HelpName = "PACKAGE" };
        return commands.Remote("list", "Lists rollouts, those that go on first.", "fleet rollout list --open true",
            call => call.Display.List(
                call.Client.List(Query.Of("rollouts", ("open", call.Value(open)?.ToString().ToLowerInvariant()), ("package", call.Value(package))), ApiJson.Default.ListPageRolloutResource, null, call.Cancellation),
                ApiJson.Default.RolloutResource,
                "no rollouts; begin one: fleet rollout create PACKAGE --version VERSION",
                ["ROLLOUT", "BRINGS", "STATE", "RING", "INSTALLED", "FAILED", "NOTE"],
                r => [r.Name, $"{r.Package} {r.Version}", r.State, r.Rings.Last(x => x.Reached).Name, call.Display.Share(r.Rings.Sum(x => x.Installed), r.Rings.Sum(x => x.Picked)), Words.Number(r.Rings.Sum(x => x.Failed + x.RolledBack)), r.Why ?? (r.WaitsFor is { } waits ? $"waits for {waits}" : Words.None)]),
            open, package);
    }

    private static Command DevicesOf(FleetCommands commands)
    {
        var name = Name();
        var all = new Option<bool>("--all") { Description = "Also those that have the version." };
        return commands.Remote("devices", "Lists the devices of a rollout that do not have the version, and what each waits for.", "fleet rollout devices till-app-2-0 --all",
            call => call.Display.List(
                call.Client.List(Query.Of(Query.Path("rollouts", call.Value(name), "/devices"), ("all", call.Value(all) ? "true" : null)), ApiJson.Default.ListPageRolloutDeviceResource, null, call.Cancellation),
                ApiJson.Default.RolloutDeviceResource,
                "no device waits",
                [.. DeviceColumns, "ID"],
                d => [.. DeviceRow(call, d), d.Id]),
            name, all);
    }

    private static Command Why(FleetCommands commands)
    {
        var device = DeviceArgument.Make();
        var rollout = new Argument<string?>("rollout") { Description = "The rollout. Default: the newest of each package that is for the device.", Arity = ArgumentArity.ZeroOrOne };
        return commands.Remote("why", "Says why a device does not have a version yet: the way from headquarters to it, the step that waits, and since when.", """
            fleet rollout why till-4
            fleet rollout why till-4 till-app-2-0
            """,
            async call =>
            {
                var found = await DeviceArgument.Find(call, device).ConfigureAwait(false);
                var path = Query.Of(Query.Path("devices", found.Device.Id, "/packages"), ("rollout", call.Parsed.GetValue(rollout)));
                if (call.Display.Json)
                {
                    await call.Display.List(call.Client.List(path, ApiJson.Default.ListPagePackagePathResource, null, call.Cancellation), ApiJson.Default.PackagePathResource, "", [], _ => []).ConfigureAwait(false);
                    return;
                }

                var paths = await call.Client.Get(path, ApiJson.Default.ListPagePackagePathResource, call.Cancellation).ConfigureAwait(false);
                if (paths.Items.Count == 0)
                    call.Terminal.Error.WriteLine($"no rollout is for {found.Device.Name}; 'fleet rollout list' shows all");
                foreach (var way in paths.Items)
                    Told(call, way);
            },
            device, rollout);
    }

    private static void Told(RemoteCall call, PackagePathResource way)
    {
        var now = call.Terminal.Clock.GetUtcNow();
        var heading = way.WaitsAt is { } at ? $"{way.Package} {way.Version} by {way.Rollout}, ring {way.Ring}: waits at {at}" : $"{way.Package} {way.Version} by {way.Rollout}, ring {way.Ring}: done";
        call.Display.Section(heading, ["", "WHERE", "WHAT", "SINCE"], way.Steps.Select(IReadOnlyList<string> (s) =>
            [s.State switch { "done" => "✓", "failed" => "✗", _ => "…" }, s.Where, s.Text, s.Since is null ? Words.None : Words.Ago(s.Since, now)]));
    }

    private static Command Change(FleetCommands commands, string verb, string description)
    {
        var name = Name();
        return commands.Remote(verb, description, $"fleet rollout {verb} till-app-2-0",
            async call => Shown(call, await call.Client.Post(Query.Path("rollouts", call.Value(name), $"/{verb}"), ApiJson.Default.RolloutResource, call.Cancellation).ConfigureAwait(false)),
            name);
    }

    private static Command Halt(FleetCommands commands)
    {
        var name = Name();
        var rollBack = new Option<bool>("--roll-back") { Description = "Devices that have the version get the one before." };
        return commands.Remote("halt", "Ends a rollout: no device that does not have the version begins to install it.", "fleet rollout halt till-app-2-0 --roll-back",
            async call => Shown(call, await call.Client.Send(HttpMethod.Post, Query.Path("rollouts", call.Value(name), "/halt"), new RolloutHalt(call.Value(rollBack)),
                ApiJson.Default.RolloutHalt, ApiJson.Default.RolloutResource, call.Cancellation).ConfigureAwait(false)),
            name, rollBack);
    }

    private static void Shown(RemoteCall call, RolloutResource rollout) => call.Display.Show(rollout, ApiJson.Default.RolloutResource, () => RolloutShow.Told(call, rollout));
}
