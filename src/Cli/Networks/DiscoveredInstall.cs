using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Contracts.Api;
using Spectre.Console;

namespace Fleet.Cli.Networks;

/// <summary><c>fleet discovered install</c>: sets up the agent on a discovered device, and waits for the end.</summary>
internal static class DiscoveredInstall
{
    private const string Running = "running";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    public static Command Make(FleetCommands commands)
    {
        var id = DiscoveredCommands.Argument();
        var user = new Option<string>("--user") { Description = "Who logs in there: root, or one who may use sudo.", HelpName = "USER", Required = true };
        var password = new Option<string?>("--password") { Description = "The password for the log-in and for sudo, as @FILE.", HelpName = "@FILE" };
        var key = new Option<string?>("--key") { Description = "The private key for the log-in, as @FILE.", HelpName = "@FILE" };
        var passphrase = new Option<string?>("--passphrase") { Description = "The key's passphrase, as @FILE.", HelpName = "@FILE" };
        var port = new Option<int>("--port") { Description = "The SSH server's port.", DefaultValueFactory = _ => 22 };
        var address = new Option<string?>("--address") { Description = "The device's address. Default: its newest.", HelpName = "ADDRESS" };
        var accept = new Option<bool>("--accept-host-key") { Description = "Take whatever host key the device shows, also where it showed another one before." };
        var noWait = new Option<bool>("--no-wait") { Description = "Begin and return." };
        return commands.Remote("install", "Sets up the agent on a discovered device over SSH, through a node of its office, and waits for the end.", """
            fleet discovered install 192.168.1.20 --user root --key @/root/.ssh/id_ed25519
            fleet discovered install till-9 --user admin --password @/run/admin.password
            """,
            async call =>
            {
                var found = await DiscoveredCommands.Find(call, call.Value(id)).ConfigureAwait(false);
                var wanted = new NewInstall(call.Value(user)!, SecretFile.Read(call.Value(password), "--password"), SecretFile.Read(call.Value(key), "--key"),
                    SecretFile.Read(call.Value(passphrase), "--passphrase"), call.Value(port), call.Value(address), call.Value(accept));
                var install = await call.Client.Send(HttpMethod.Post, Query.Path("discovered", found.Id, "/install"), wanted, ApiJson.Default.NewInstall, ApiJson.Default.InstallResource, call.Cancellation).ConfigureAwait(false);
                if (!call.Value(noWait))
                    install = await Watched(call, install).ConfigureAwait(false);
                call.Display.Show(install, ApiJson.Default.InstallResource, () => call.Display.Facts(
                [
                    ("installation", install.Id),
                    ("on", $"{install.Name} ({install.Discovered}), {install.Address} port {install.Port}"),
                    ("through", install.Node),
                    ("state", $"{install.State}{(install.Step is null || install.State == "installed" ? "" : $", at {install.Step}")}"),
                    ("host key", install.HostKey),
                    ("device", install.Device ?? ""),
                ]));
                if (install.State is not (Running or "installed"))
                    throw new CommandFailure($"the agent was not set up ({install.State}): {install.Detail}");
            },
            id, user, password, key, passphrase, port, address, accept, noWait);
    }

    private static Task<InstallResource> Watched(RemoteCall call, InstallResource install) => call.Terminal.IsInteractive && !call.Display.Json
        ? call.Display.Drawing.Status().StartAsync("connecting", status => Ended(call, install, now => status.Status(now.Step ?? "connecting")))
        : Ended(call, install, _ => { });

    private static async Task<InstallResource> Ended(RemoteCall call, InstallResource install, Action<InstallResource> tell)
    {
        while (install.State == Running)
        {
            await Task.Delay(LookEvery, call.Cancellation).ConfigureAwait(false);
            install = await call.Client.Get(Query.Path("installs", install.Id), ApiJson.Default.InstallResource, call.Cancellation).ConfigureAwait(false);
            tell(install);
        }

        return install;
    }
}
