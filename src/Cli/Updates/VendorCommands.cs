using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Updates;

/// <summary><c>fleet update vendor</c>.</summary>
internal static class VendorCommands
{
    public static Command Make(FleetCommands commands) => new("vendor", "Vendors whose signed repositories say which packages are genuine: devices install those only as the vendor lists them.")
    {
        Add(commands),
        List(commands),
        Show(commands),
        Refresh(commands),
        Remove(commands),
    };

    public static string PathOf(string name, string rest = "") => Query.Path("vendors", name, rest);

    private static Argument<string> Name() => new("vendor") { Description = "The vendor's name." };

    private static Command Add(FleetCommands commands)
    {
        var name = Name();
        var root = new Option<string>("--root") { Description = "The first root of the vendor's repository, 1.root.json, from the vendor's own hand: devices never let go of it.", HelpName = "FILE", Required = true };
        var packages = new Option<string[]>("--packages") { Description = "Packages that the vendor covers, such as 'acme-*'; may repeat.", HelpName = "PATTERN", Required = true, AllowMultipleArgumentsPerToken = true };
        var source = new Option<string>("--source") { Description = "Where headquarters reads the vendor's repository: https://…, or the whole path of a folder of headquarters' machine.", HelpName = "SOURCE", Required = true };
        return commands.Remote("add", "Adds a vendor, once headquarters has verified its repository by the root; or changes packages and source of the one of this name.", """
            fleet update vendor add acme --root 1.root.json --packages 'acme-*' --source https://updates.acme.example/fleet
            fleet update vendor add tools --root 1.root.json --packages 'tool-*' backup-agent --source /srv/tools
            """,
            async call =>
            {
                var content = new VendorContent(RootFile.Read(call.Value(root)!), call.Value(packages)!, call.Value(source)!);
                var added = await call.Client.Send(HttpMethod.Put, PathOf(call.Value(name)), content, ApiJson.Default.VendorContent, ApiJson.Default.VendorResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(added, ApiJson.Default.VendorResource, () => Told(call, added));
            },
            name, root, packages, source);
    }

    private static Command List(FleetCommands commands) => commands.Remote("list", "Lists the vendors.", "fleet update vendor list",
        call => call.Display.List(
            call.Client.List("vendors", ApiJson.Default.ListPageVendorResource, null, call.Cancellation),
            ApiJson.Default.VendorResource,
            "no vendors: packages need headquarters' signature alone; 'fleet update vendor add --help' shows how to add one",
            ["VENDOR", "PACKAGES", "FROM", "READ", "PROBLEM"],
            v => [v.Name, Words.Many(v.Packages), v.Source, v.ReadAt is { } at ? Words.AtMinute(at) : "", v.Problem ?? ""]));

    private static Command Show(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("show", "Shows a vendor and the packages that it lists.", "fleet update vendor show acme",
            async call => Told(call, await call.Client.Get(PathOf(call.Value(name)), ApiJson.Default.VendorDetailResource, call.Cancellation).ConfigureAwait(false)),
            name);
    }

    private static Command Refresh(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("refresh", "Reads the vendor's repository now; headquarters does so by itself each hour.", "fleet update vendor refresh acme",
            async call => Told(call, await call.Client.Post(PathOf(call.Value(name), "/refresh"), ApiJson.Default.VendorDetailResource, call.Cancellation).ConfigureAwait(false)),
            name);
    }

    private static Command Remove(FleetCommands commands)
    {
        var name = Name();
        return commands.Remote("remove", "Removes a vendor: new devices are not told of it. Devices that saw it hold on to it until 'agent vendor forget' is run on them.", "fleet update vendor remove acme",
            async call =>
            {
                await call.Client.Delete(PathOf(call.Value(name)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("vendor", call.Value(name));
            },
            name);
    }

    private static void Told(RemoteCall call, VendorDetailResource found) => call.Display.Show(found, ApiJson.Default.VendorDetailResource, () =>
    {
        Told(call, found.Vendor);
        call.Display.Section("It lists", ["PACKAGE", "VERSION", "PUBLISHED", "MANIFEST"], found.Lists.Select(IReadOnlyList<string> (p) => [p.Name, p.Version, p.Published ? "yes" : "no", p.Manifest]));
    });

    private static void Told(RemoteCall call, VendorResource vendor) => call.Display.Facts(
    [
        ("vendor", vendor.Name),
        ("packages", Words.Many(vendor.Packages)),
        ("from", vendor.Source),
        ("first root", vendor.Root),
        ("timestamp", Words.Number(vendor.Timestamp)),
        ("read", vendor.ReadAt is { } at ? Words.At(at) : "not since headquarters started"),
        ("problem", vendor.Problem ?? ""),
    ]);
}
