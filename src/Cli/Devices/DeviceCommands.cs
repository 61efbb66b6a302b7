using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Devices;

/// <summary><c>fleet device</c>.</summary>
internal static class DeviceCommands
{
    public static Command Make(FleetCommands commands) => new("device", "Devices: the managed machines.")
    {
        List(commands),
        DeviceShow.Make(commands),
        Label(commands),
        Move(commands),
        Remove(commands),
        DeviceSync.Make(commands),
        DeviceWake.Make(commands),
        DeviceSet.Make(commands),
    };

    private static Command List(FleetCommands commands)
    {
        var office = new Option<string?>("--office") { Description = "Devices of this office alone.", HelpName = "OFFICE" };
        var text = new Option<string?>("--text") { Description = "Part of the id, name or host name.", HelpName = "TEXT" };
        var labels = new Option<string[]>("--label") { Description = "Devices with this label; may repeat.", HelpName = "KEY=VALUE" };
        var converged = new Option<bool?>("--converged") { Description = "Only devices that run what is desired (true), or do not yet (false)." };
        var presence = new Option<string?>("--presence") { Description = "Devices in this state alone: online, offline or unknown.", HelpName = "STATE" };
        presence.AcceptOnlyFromAmong("online", "offline", "unknown");
        var package = new Option<string?>("--package") { Description = "Devices that have this package alone, in this version.", HelpName = "NAME[=VERSION]" };
        var sort = new Option<string?>("--sort") { Description = "name, office, last-sync, reported-at or enrolled-at; with '-' in front: descending." };
        var limit = new Option<int?>("--limit") { Description = "At most this many.", HelpName = "N" };
        return commands.Remote("list", "Lists the devices.", """
            fleet device list --office leeds --label room=shop
            fleet device list --converged false --sort last-sync
            fleet device list --package tills=1.4.0
            """,
            call => call.Display.List(
                call.Client.List(
                    Query.Of("devices",
                        [("office", call.Value(office)), ("text", call.Value(text)), ("converged", call.Value(converged)?.ToString().ToLowerInvariant()), ("presence", call.Value(presence)), ("package", call.Value(package)), ("sort", call.Value(sort)),
                        .. (call.Value(labels) ?? []).Select(l => ("label", (string?)l))]),
                    ApiJson.Default.ListPageDeviceResource, call.Value(limit), call.Cancellation),
                ApiJson.Default.DeviceResource,
                "no devices; let one join: fleet token create --office OFFICE --kind agent",
                ["NAME", "OFFICE", "STATE", "SYNCED", "THROUGH", "RUNS", "DEVICE", "LABELS"],
                d => [d.Name, d.Office, d.Presence, Words.Ago(d.LastSync, call.Terminal.Clock.GetUtcNow()), d.Through ?? (d.LastSync is null ? Words.None : "direct"),
                    d.Converged ? Words.Number(d.AppliedVersion) : $"{d.AppliedVersion} → {d.DesiredVersion}", d.Id, Words.Labels(d.Labels)]),
            office, text, labels, converged, presence, package, sort, limit);
    }

    private static Command Label(FleetCommands commands)
    {
        var device = DeviceArgument.Make();
        var changes = new Argument<string[]>("labels") { Description = "KEY=VALUE sets a label, KEY- takes it away.", Arity = ArgumentArity.OneOrMore };
        changes.Validators.Add(given =>
        {
            foreach (var text in given.Tokens.Select(t => t.Value).Where(t => LabelText.Read(t) is null))
                given.AddError($"'{text}' is neither KEY=VALUE nor KEY-");
        });
        return commands.Remote("label", "Sets and takes away labels of a device.", "fleet device label till-4 room=shop floor-",
            async call =>
            {
                var found = await DeviceArgument.Find(call, device).ConfigureAwait(false);
                var read = call.Value(changes).Select(LabelText.Read).OfType<LabelText>().ToList();
                var change = new LabelChange(
                    read.Where(l => l.Value is not null).GroupBy(l => l.Key).ToDictionary(l => l.Key, l => l.Last().Value!),
                    [.. read.Where(l => l.Value is null).Select(l => l.Key).Distinct()]);
                var labelled = await call.Client.Send(HttpMethod.Post, Query.Path("devices", found.Device.Id, "/labels"), change,
                    ApiJson.Default.LabelChange, ApiJson.Default.DeviceDetailResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(labelled, ApiJson.Default.DeviceDetailResource,
                    () => call.Display.Say($"{labelled.Device.Name} ({labelled.Device.Id}): {Words.Labels(labelled.Device.Labels)}"));
            },
            device, changes);
    }

    private static Command Move(FleetCommands commands)
    {
        var device = DeviceArgument.Make();
        var office = new Option<string>("--to") { Description = "The new office.", HelpName = "OFFICE", Required = true };
        return commands.Remote("move", "Moves a device to another office; it keeps its identity and its history.", "fleet device move till-4 --to york",
            async call =>
            {
                var found = await DeviceArgument.Find(call, device).ConfigureAwait(false);
                var moved = await call.Client.Send(HttpMethod.Post, Query.Path("devices", found.Device.Id, "/move"), new DeviceMove(call.Value(office)!),
                    ApiJson.Default.DeviceMove, ApiJson.Default.DeviceDetailResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(moved, ApiJson.Default.DeviceDetailResource,
                    () => call.Display.Say($"{moved.Device.Name} ({moved.Device.Id}) belongs to office {moved.Device.Office} now"));
            },
            device, office);
    }

    private static Command Remove(FleetCommands commands)
    {
        var device = DeviceArgument.Make();
        return commands.Remote("remove", "Removes a device; it must enrol anew to come back.", "fleet device remove till-4",
            async call =>
            {
                var found = await DeviceArgument.Find(call, device).ConfigureAwait(false);
                await call.Client.Delete(Query.Path("devices", found.Device.Id), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("device", found.Device.Id);
            },
            device);
    }
}
