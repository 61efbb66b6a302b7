using System.CommandLine;
using System.Text.Json;
using Fleet.Contracts.Api;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update root</c>: a root whose key is kept where headquarters can't reach it.</summary>
internal static class RootCommands
{
    public static Command Make(FleetCommands commands) => new("root", "The root of the update repository, with its key kept in a file of its own, away from headquarters.")
    {
        NewKey(commands),
        Export(commands),
        Sign(commands),
        Import(commands),
    };

    private static Argument<string> Draft() => new("file") { Description = "The next root, as 'fleet update root export' wrote it." };

    private static Command NewKey(FleetCommands commands)
    {
        var file = new Argument<string>("file") { Description = "Where the key is written, encrypted; its public half is written beside it, as FILE.pub." };
        return commands.Local("key", "Makes a key for roots. Needs no connection.", "fleet update root key root-2026.pem",
            (parsed, _) =>
            {
                var path = parsed.GetRequiredValue(file);
                if (File.Exists(path))
                    throw new CommandFailure($"{path} exists, and a key is never written over");
                var key = SigningKey.NewEd25519();
                KeyFile.Write(path, key.ToPem(KeyFile.NewPassword(commands.Terminal)));
                var half = new PublicKeyResource(key.Public.Type, key.Public.Scheme, key.Public.Public);
                RootFile.Write(path + ".pub", JsonSerializer.SerializeToUtf8Bytes(half, ApiJson.Default.PublicKeyResource));
                commands.Show(parsed).Show(new RootKeyResource(path, path + ".pub", key.Id), UpdateJson.Default.RootKeyResource, () => commands.Show(parsed).Say(
                    $"key {key.Id}\n{path} and its password are what roots are signed by: keep both safe, and apart. Take {path}.pub to headquarters: fleet update root export --root-key {path}.pub --out next-root.json"));
                return Task.CompletedTask;
            },
            file);
    }

    private static Command Export(FleetCommands commands)
    {
        var output = new Option<string>("--out") { Description = "Where the next root is written.", HelpName = "FILE", Required = true };
        var rotate = new Option<string[]>("--rotate") { Description = "A role that gets a new key by it: targets, snapshot, timestamp, or root where its key is at headquarters; may repeat.", HelpName = "ROLE", AllowMultipleArgumentsPerToken = true };
        rotate.AcceptOnlyFromAmong("root", "targets", "snapshot", "timestamp");
        var key = new Option<string?>("--root-key") { Description = "Public half of the key that alone signs roots from the next on; made by 'fleet update root key'.", HelpName = "FILE" };
        return commands.Remote("export", "Writes the next root, to be signed by 'fleet update root sign'. Nothing changes until it is imported.", """
            fleet update root export --root-key root-2026.pem.pub --out next-root.json
            fleet update root export --rotate targets --out next-root.json
            """,
            async call =>
            {
                var asked = new RootDraftRequest(call.Value(rotate), call.Value(key) is { } half ? Public(half) : null);
                var draft = await call.Client.Send(HttpMethod.Post, "repository/root/draft", asked, ApiJson.Default.RootDraftRequest, ApiJson.Default.RootDocument, call.Cancellation).ConfigureAwait(false);
                RootFile.Write(call.Value(output)!, draft.Document);
                RootFile.Told(call.Display, call.Value(output)!, draft.Document, "sign it where the root's key is: fleet update root sign");
            },
            output, rotate, key);
    }

    private static Command Sign(FleetCommands commands)
    {
        var file = Draft();
        var key = new Option<string>("--key") { Description = "The encrypted key (PEM). Its password is asked for, or taken from FLEET_KEY_PASSWORD.", HelpName = "FILE", Required = true };
        return commands.Local("sign", "Adds a signature to the next root. Needs no connection.", "fleet update root sign next-root.json --key root-2026.pem",
            (parsed, _) =>
            {
                var path = parsed.GetRequiredValue(file);
                var draft = RootFile.Read(path);
                var signed = MetadataDocument.Sign(draft, KeyFile.Open(commands.Terminal, parsed.GetRequiredValue(key)));
                RootFile.Write(path, signed);
                RootFile.Told(commands.Show(parsed), path, signed, "once all have signed who must, take it to headquarters: fleet update root import");
                return Task.CompletedTask;
            },
            file, key);
    }

    private static Command Import(FleetCommands commands)
    {
        var file = Draft();
        return commands.Remote("import", "Hands the signed root to headquarters, which publishes it. Devices follow by themselves.", "fleet update root import next-root.json",
            async call =>
            {
                var signed = new RootDocument(RootFile.Read(call.Value(file)));
                KeyCommands.Told(call, await call.Client.Send(HttpMethod.Post, "repository/root", signed, ApiJson.Default.RootDocument, ApiJson.Default.RepositoryKeysResource, call.Cancellation).ConfigureAwait(false));
            },
            file);
    }

    private static PublicKeyResource Public(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(RootFile.Bytes(path), ApiJson.Default.PublicKeyResource) ?? throw new CommandFailure($"{path} is no public key");
        }
        catch (JsonException)
        {
            throw new CommandFailure($"{path} is no public key; 'fleet update root key' writes one beside each key it makes, as FILE.pub");
        }
    }
}

/// <summary>What <c>fleet update root key</c> prints as JSON.</summary>
internal sealed record RootKeyResource(string File, string PublicFile, string Id);
