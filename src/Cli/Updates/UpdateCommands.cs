using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update</c>.</summary>
internal static class UpdateCommands
{
    public static Command Make(FleetCommands commands) => new("update", "Updates: the packages that devices may install, signed by headquarters.")
    {
        UpdatePublish.Make(commands),
        List(commands),
        Show(commands),
        Withdraw(commands),
        UpdateExport.Make(commands),
        TaskCommands.Make(commands),
        AptCommands.Make(commands),
        VendorCommands.Make(commands),
        KeyCommands.Make(commands),
        RootCommands.Make(commands),
        Counters(commands),
    };

    private static Argument<string> Name() => new("name") { Description = "The package's name." };

    private static Argument<string> Version() => new("version") { Description = "Its version." };

    private static string PathOf(string name, string version) => Query.Path("updates", name, Query.Path("", version));

    private static Command List(FleetCommands commands) => commands.Remote("list", "Lists the packages, the newest version of each first.", "fleet update list",
        call => call.Display.List(
            call.Client.List("updates", ApiJson.Default.ListPageUpdateResource, null, call.Cancellation),
            ApiJson.Default.UpdateResource,
            "no packages; publish one: fleet update publish NAME --version VERSION --file PATH",
            ["PACKAGE", "VERSION", "KIND", "FILES", "SIZE", "PUBLISHED"],
            u => [u.Name, u.Version, u.Kind, Words.Number(u.Files), Words.Size(u.Length), Words.AtMinute(u.PublishedAt)]));

    private static Command Show(FleetCommands commands)
    {
        var (name, version) = (Name(), Version());
        return commands.Remote("show", "Shows a version of a package and its files.", "fleet update show tills 1.4.0",
            async call =>
            {
                var found = await call.Client.Get(PathOf(call.Value(name), call.Value(version)), ApiJson.Default.UpdateDetailResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(found, ApiJson.Default.UpdateDetailResource, () =>
                {
                    call.Display.Facts(
                    [
                        ("package", $"{found.Update.Name} {found.Update.Version}"),
                        ("kind", found.Update.Kind),
                        ("size", $"{Words.Size(found.Update.Length)} in {found.Update.Files} files"),
                        ("published", Words.At(found.Update.PublishedAt)),
                        ("manifest", found.Update.Manifest),
                    ]);
                    call.Display.Section("Files", ["PATH", "MODE", "SIZE", "SHA-256"], found.Files.Select(IReadOnlyList<string> (f) => [f.Path, f.Mode, Words.Size(f.Length), f.Sha256]));
                });
            },
            name, version);
    }

    private static Command Withdraw(FleetCommands commands)
    {
        var (name, version) = (Name(), Version());
        return commands.Remote("withdraw", "Withdraws a version of a package: no device begins to install it any more, and devices that have it get the version before.", "fleet update withdraw tills 1.4.0",
            async call =>
            {
                await call.Client.Delete(PathOf(call.Value(name), call.Value(version)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("package", $"{call.Value(name)} {call.Value(version)}", "withdrawn");
            },
            name, version);
    }

    private static Command Counters(FleetCommands commands)
    {
        var office = new Option<string?>("--office") { Description = "Distribution points of this office alone.", HelpName = "OFFICE" };
        var package = new Option<string?>("--package") { Description = "This package alone.", HelpName = "PACKAGE" };
        return commands.Remote("counters", "Shows what went through the offices' distribution points: from where each version came, and how much went to devices.", "fleet update counters --office leeds",
            call => call.Display.List(
                call.Client.List(Query.Of("updates/counters", ("office", call.Value(office)), ("package", call.Value(package))), ApiJson.Default.ListPageCounterResource, null, call.Cancellation),
                ApiJson.Default.CounterResource,
                "nothing counted yet; make a node a distribution point: fleet node assign NAME.OFFICE --role distribution-point",
                ["NODE", "PACKAGE", "HERE", "FROM SOURCES", "FROM PEERS", "TO DEVICES", "FROM CACHE", "HEALED", "DELTA SAVED"],
                c => [c.Node, c.Package is null ? "metadata and others" : $"{c.Package} {c.Version}", c.Total > 0 ? $"{Words.Size(c.Here)} of {Words.Size(c.Total)}" : Words.Size(c.Here), From(c.FromSources),
                    Words.Size(c.FromPeers), Words.Size(c.ToDevices), Words.Size(c.FromCache), Words.Size(c.Healed), Words.Size(c.DeltaSaved)]),
            office, package);
    }

    private static string From(IReadOnlyDictionary<string, long> sources) => Words.Many(sources.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key} {Words.Size(s.Value)}"));
}
