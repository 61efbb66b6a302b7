using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Rollouts;

/// <summary><c>fleet rollout show</c>.</summary>
internal static class RolloutShow
{
    private const int Devices = 20;

    public static Command Make(FleetCommands commands)
    {
        var name = RolloutCommands.Name();
        return commands.Remote("show", "Shows a rollout: how its rings stand, why it halted or what it waits for, and which devices are not done.", "fleet rollout show till-app-2-0",
            async call =>
            {
                var path = Query.Path("rollouts", call.Value(name));
                var rollout = await call.Client.Get(path, ApiJson.Default.RolloutResource, call.Cancellation).ConfigureAwait(false);
                if (call.Display.Json)
                {
                    call.Display.Show(rollout, ApiJson.Default.RolloutResource, () => { });
                    return;
                }

                Told(call, rollout);
                var devices = await call.Client.Get(Query.Of(path + "/devices", ("page-size", Words.Number(Devices))), ApiJson.Default.ListPageRolloutDeviceResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Section(devices.Total > devices.Items.Count ? $"Not done: {devices.Total} devices, the first {devices.Items.Count}" : "Not done", RolloutCommands.DeviceColumns, devices.Items.Select(d => RolloutCommands.DeviceRow(call, d)));
                var events = await call.Client.Get(Query.Of(path + "/events", ("page-size", "10")), ApiJson.Default.ListPageRolloutEventResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Section("Last events", Words.EventColumns, events.Items.Select(IReadOnlyList<string> (e) => [Words.At(e.At), e.Kind, e.Text]));
            },
            name);
    }

    /// <summary>A rollout and its rings.</summary>
    public static void Told(RemoteCall call, RolloutResource rollout)
    {
        call.Display.Facts(
        [
            ("rollout", rollout.Name),
            ("brings", $"{rollout.Package} {rollout.Version}"),
            ("to", SelectorText.Of(rollout.For)),
            ("state", rollout.State + (rollout.RolledBack ? ", rolled back" : "")),
            ("why", rollout.Why ?? ""),
            ("waits for", rollout.WaitsFor ?? ""),
            ("installed by", string.Join(", ", rollout.Parameters.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={p.Value}"))),
            ("on a halt", rollout.RollBack ? "devices get the version before" : "devices keep what they have"),
            ("created", $"{Words.At(rollout.CreatedAt)} by {rollout.CreatedBy}"),
            ("ended", rollout.EndedAt is null ? "" : Words.At(rollout.EndedAt)),
        ]);
        call.Display.Section("Rings", ["RING", "PICKS", "REACHED", "INSTALLED", "FAILED", "ROLLED BACK", "SOAK"], rollout.Rings.Select(IReadOnlyList<string> (r) =>
        [
            r.Name, Picks(r), r.Reached ? "yes" : "no", r.Reached ? call.Display.Share(r.Installed, r.Picked) : Words.None, Words.Number(r.Failed), Words.Number(r.RolledBack),
            r.SoakSeconds > 0 ? Words.Length(TimeSpan.FromSeconds(r.SoakSeconds)) : Words.None,
        ]));
    }

    private static string Picks(RingResource ring) => ring.Percent == 100 ? SelectorText.Of(ring.Picks) : $"{ring.Percent} % of {SelectorText.Of(ring.Picks)}";
}
