using System.CommandLine;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Status;

/// <summary><c>fleet status</c>.</summary>
internal static class StatusCommand
{
    public static Command Make(FleetCommands commands) => commands.Remote("status", "Shows the fleet in numbers.",
        async call =>
        {
            var status = await call.Client.Get("status", ApiJson.Default.StatusResource, call.Cancellation).ConfigureAwait(false);
            call.Display.Show(status, ApiJson.Default.StatusResource, () => call.Display.Facts(
            [
                ("headquarters", $"{status.Version}, up for {Words.Length(call.Terminal.Clock.GetUtcNow() - status.StartedAt)}"),
                ("offices", Words.Number(status.Offices)),
                ("nodes", $"{status.Nodes}, {status.LinkedNodes} linked"),
                ("devices", $"{status.Devices}, {status.Converged} run what is desired"),
                ("clones", status.Clones == 0 ? "" : $"{status.Clones} devices have one; 'fleet device list --json' shows which"),
                ("policies", Words.Number(status.Policies)),
            ]));
        });
}
