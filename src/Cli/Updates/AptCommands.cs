using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update apt</c>.</summary>
internal static class AptCommands
{
    private const long MaxKeyring = 512 * 1024;

    public static Command Make(FleetCommands commands) => new("apt", "Signed APT repositories that distribution points pass on to their offices, verified.")
    {
        Add(commands),
        List(commands),
        Show(commands),
        Remove(commands),
    };

    private static Argument<string> Name() => new("repository") { Description = "The repository's name, a part of the address that devices use." };

    private static Command Add(FleetCommands commands)
    {
        var name = Name();
        var from = new Option<string>("--from") { Description = "Where it is: http:// or https://, as in a line of sources.list.", HelpName = "URL", Required = true };
        var keyring = new Option<string>("--keyring") { Description = "File of the OpenPGP public keys that sign it, armored or not.", HelpName = "FILE", Required = true };
        var suites = new Option<string[]>("--suite") { Description = "Suite to pass on; may repeat. Default: any.", HelpName = "SUITE", AllowMultipleArgumentsPerToken = true };
        return commands.Remote("add", "Adds a repository, or changes the one of this name.", """
            fleet update apt add debian --from http://deb.debian.org/debian --keyring /usr/share/keyrings/debian-archive-keyring.gpg
            fleet update apt add vendor --from https://deb.example.org --keyring vendor.asc --suite stable
            """,
            async call =>
            {
                var content = new AptRepositoryContent(call.Value(from)!, Read(call.Value(keyring)!), call.Value(suites));
                Show(call, await call.Client.Send(HttpMethod.Put, Query.Path("apt", call.Value(name)), content, ApiJson.Default.AptRepositoryContent, ApiJson.Default.AptRepositoryResource, call.Cancellation).ConfigureAwait(false));
            },
            name, from, keyring, suites);
    }

    private static Command List(FleetCommands commands) => commands.Remote("list", "Lists the repositories.", "fleet update apt list",
        call => call.Display.List(
            call.Client.List("apt", ApiJson.Default.ListPageAptRepositoryResource, null, call.Cancellation),
            ApiJson.Default.AptRepositoryResource,
            "no APT repositories; 'fleet update apt add --help' shows how to add one",
            ["REPOSITORY", "FROM", "SUITES", "KEYS"],
            r => [r.Name, r.Url, Suites(r), Words.Number(r.Keys.Count)]));

    private static Command Show(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("show", "Shows a repository, and what devices write into their sources.list.", "fleet update apt show debian",
            async call => Show(call, await call.Client.Get(Query.Path("apt", call.Value(name)), ApiJson.Default.AptRepositoryResource, call.Cancellation).ConfigureAwait(false)),
            name);
    }

    private static Command Remove(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("remove", "Removes a repository: distribution points pass it on no more.", "fleet update apt remove debian",
            async call =>
            {
                await call.Client.Delete(Query.Path("apt", call.Value(name)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("APT repository", call.Value(name));
            },
            name);
    }

    private static void Show(RemoteCall call, AptRepositoryResource repository) => call.Display.Show(repository, ApiJson.Default.AptRepositoryResource, () =>
    {
        call.Display.Facts(
        [
            ("repository", repository.Name),
            ("from", repository.Url),
            ("suites", Suites(repository)),
            ("keys", Words.Many(repository.Keys)),
            ("on devices", SourcesLine(repository)),
        ]);
    });

    // At the port that distribution points ship with. The keys stay those that the device has for the repository: the distribution point needs no trust.
    private static string SourcesLine(AptRepositoryResource repository) =>
        $"deb [signed-by=KEYRING] http://DISTRIBUTION-POINT:13180/apt/{repository.Name}/ {(repository.Suites.Count > 0 ? repository.Suites[0] : "SUITE")} main";

    private static string Suites(AptRepositoryResource repository) => repository.Suites.Count == 0 ? "any" : Words.Many(repository.Suites);

    private static byte[] Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= MaxKeyring ? File.ReadAllBytes(path) : throw new CommandFailure($"{path} is larger than {MaxKeyring} bytes, too large for a keyring");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} can't be read: {fault.Message}");
        }
    }
}
