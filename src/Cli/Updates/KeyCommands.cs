using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update key</c>.</summary>
internal static class KeyCommands
{
    public static Command Make(FleetCommands commands) => new("key", "The keys that sign the update repository.")
    {
        List(commands),
        Rotate(commands),
    };

    public static void Told(RemoteCall call, RepositoryKeysResource keys) => call.Display.Show(keys, ApiJson.Default.RepositoryKeysResource, () =>
    {
        call.Display.Facts([("root", $"version {keys.RootVersion}, until {Words.At(keys.RootExpires)}")]);
        call.Display.Section("Keys", ["ROLE", "KEY", "AT HEADQUARTERS"], keys.Roles.Select(IReadOnlyList<string> (r) =>
            [r.Role, r.Threshold > 1 ? $"{r.Threshold} of {Words.Many(r.Keys)}" : Words.Many(r.Keys), r.AtHand ? "yes" : "no"]));
    });

    private static Command List(FleetCommands commands) => commands.Remote("list", "Shows who signs the update repository, and which keys headquarters has.", "fleet update key list",
        async call => Told(call, await call.Client.Get("repository/keys", ApiJson.Default.RepositoryKeysResource, call.Cancellation).ConfigureAwait(false)));

    private static Command Rotate(FleetCommands commands)
    {
        var role = new Argument<string>("role") { Description = "root, targets, snapshot or timestamp." };
        role.AcceptOnlyFromAmong("root", "targets", "snapshot", "timestamp");
        return commands.Remote("rotate", "Gives a role a new key. Devices follow by themselves; the root's key must be at headquarters for it.", "fleet update key rotate timestamp",
            async call => Told(call, await call.Client.Post(Query.Path("repository/keys", call.Value(role), "/rotate"), ApiJson.Default.RepositoryKeysResource, call.Cancellation).ConfigureAwait(false)),
            role);
    }
}
