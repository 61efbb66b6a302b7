using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Devices;

/// <summary><c>fleet device set</c>.</summary>
internal static class DeviceSet
{
    private static readonly string[] Modes = ["always", "periodic", "policy"];

    public static Command Make(FleetCommands commands)
    {
        var device = DeviceArgument.Make();
        var connection = new Option<string>("--connection")
        {
            Description = "always: it keeps a line open to a push server; periodic: it connects to sync; policy: as policies say.", HelpName = "MODE", Required = true,
        };
        connection.AcceptOnlyFromAmong(Modes);
        return commands.Remote("set", "Sets how a device connects, over what policies say.", """
            fleet device set till-4 --connection always
            fleet device set till-4 --connection policy
            """,
            async call =>
            {
                var found = await DeviceArgument.Find(call, device).ConfigureAwait(false);
                var mode = call.Value(connection)!;
                var set = await call.Client.Send(HttpMethod.Post, Query.Path("devices", found.Device.Id, "/connection"), new ConnectionChange(mode == "policy" ? null : mode),
                    ApiJson.Default.ConnectionChange, ApiJson.Default.DeviceDetailResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(set, ApiJson.Default.DeviceDetailResource, () => call.Display.Say($"{set.Device.Name} ({set.Device.Id}) connects: {set.Connection ?? "as policies say"}; now {set.Connects}"));
                if (set.ConnectionRefusal is { } refusal)
                    throw new CommandFailure(refusal);
            },
            device, connection);
    }
}
