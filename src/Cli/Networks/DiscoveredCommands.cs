using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Networks;

/// <summary><c>fleet discovered</c>.</summary>
internal static class DiscoveredCommands
{
    public static Command Make(FleetCommands commands) => new("discovered", "Discovered devices: what polls saw and has no agent.")
    {
        List(commands),
        Show(commands),
        Ignore(commands),
        DiscoveredInstall.Make(commands),
    };

    /// <summary>Finds what an operator named by id, or by a name, address or MAC that only one has.</summary>
    /// <exception cref="CommandFailure">None, or several.</exception>
    internal static async Task<DiscoveredResource> Find(RemoteCall call, string text)
    {
        if (IdText.Problem(text) is null
            && await call.Client.Find(Query.Path("discovered", text), ApiJson.Default.DiscoveredResource, call.Cancellation).ConfigureAwait(false) is { } byId)
            return byId;
        var named = new List<DiscoveredResource>();
        await foreach (var found in call.Client.List(Query.Of("discovered", ("text", text), ("ignored", "all")), ApiJson.Default.ListPageDiscoveredResource, null, call.Cancellation).ConfigureAwait(false))
            if (string.Equals(found.Name, text, StringComparison.OrdinalIgnoreCase) || string.Equals(found.Mac, text, StringComparison.OrdinalIgnoreCase) || found.Addresses.Any(a => a.Address == text))
                named.Add(found);
        return named switch
        {
            [var only] => only,
            [] when await Managed(call, text).ConfigureAwait(false) is { } managed => throw new CommandFailure($"{managed.Name} ({managed.Id}) has an agent already; 'fleet device show {managed.Id}' shows it"),
            // Headquarters knows what comes near to it.
            [] when IdText.Problem(text) is null => await call.Client.Get(Query.Path("discovered", text), ApiJson.Default.DiscoveredResource, call.Cancellation).ConfigureAwait(false),
            [] => throw new CommandFailure($"there is no discovered device '{text}'; 'fleet discovered list' shows all"),
            _ => throw new CommandFailure($"{named.Count} discovered devices are called '{text}'; say which id: {string.Join(", ", named.Take(10).Select(d => $"{d.Id} ({d.Office})"))}"),
        };
    }

    private static async Task<DeviceResource?> Managed(RemoteCall call, string text)
    {
        await foreach (var device in call.Client.List(Query.Of("devices", ("text", text)), ApiJson.Default.ListPageDeviceResource, null, call.Cancellation).ConfigureAwait(false))
            if (device.Id == text || string.Equals(device.Name, text, StringComparison.OrdinalIgnoreCase))
                return device;
        return null;
    }

    internal static Argument<string> Argument() => new("discovered") { Description = "The discovered device's id, or a name, address or MAC that only one has." };

    private static Command List(FleetCommands commands)
    {
        var office = new Option<string?>("--office") { Description = "On this office's network alone.", HelpName = "OFFICE" };
        var text = new Option<string?>("--text") { Description = "Part of the id, name, MAC, vendor, an address or a service.", HelpName = "TEXT" };
        var ignored = new Option<bool>("--ignored") { Description = "Only those that were set aside." };
        var all = new Option<bool>("--all") { Description = "Also those that were set aside." };
        var sort = new Option<string?>("--sort") { Description = "name, office, vendor, first-seen or last-seen; with '-' in front: descending." };
        var limit = new Option<int?>("--limit") { Description = "At most this many.", HelpName = "N" };
        return commands.Remote("list", "Lists the devices that polls saw and that have no agent.", """
            fleet discovered list --office leeds --text ssh
            fleet discovered list --sort -last-seen --limit 20
            """,
            call => call.Display.List(
                call.Client.List(
                    Query.Of("discovered", ("office", call.Value(office)), ("text", call.Value(text)), ("ignored", call.Value(all) ? "all" : call.Value(ignored) ? "true" : null), ("sort", call.Value(sort))),
                    ApiJson.Default.ListPageDiscoveredResource, call.Value(limit), call.Cancellation),
                ApiJson.Default.DiscoveredResource,
                "nothing discovered; look now: fleet poll run OFFICE",
                ["NAME", "OFFICE", "ADDRESS", "MAC", "VENDOR", "SEEN", "SERVICES", "ID"],
                d => [d.Name, d.Office, d.Addresses.Count > 0 ? d.Addresses[0].Address : Words.None, d.Mac.Length > 0 ? d.Mac : Words.None, d.Vendor.Length > 0 ? d.Vendor : Words.None,
                    Words.Ago(d.LastSeen, call.Terminal.Clock.GetUtcNow()), Words.Many(d.Services.Take(4).Select(Short)), d.Id]),
            office, text, ignored, all, sort, limit);
    }

    private static Command Show(FleetCommands commands)
    {
        var id = Argument();
        return commands.Remote("show", "Shows a discovered device: addresses, names, services, when and how it was seen.", "fleet discovered show 192.168.1.20",
            async call =>
            {
                var found = await Find(call, call.Value(id)).ConfigureAwait(false);
                call.Display.Show(found, ApiJson.Default.DiscoveredResource, () => People(call, found));
            },
            id);
    }

    private static Command Ignore(FleetCommands commands)
    {
        var id = Argument();
        var undo = new Option<bool>("--undo") { Description = "Take it in again." };
        return commands.Remote("ignore", "Sets a discovered device aside: lists leave it out.", """
            fleet discovered ignore 192.168.1.20
            fleet discovered ignore 192.168.1.20 --undo
            """,
            async call =>
            {
                var found = await Find(call, call.Value(id)).ConfigureAwait(false);
                var changed = await call.Client.Send(HttpMethod.Post, Query.Path("discovered", found.Id, "/ignore"), new IgnoreChange(!call.Value(undo)),
                    ApiJson.Default.IgnoreChange, ApiJson.Default.DiscoveredResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(changed, ApiJson.Default.DiscoveredResource, () => call.Display.Say($"{changed.Name} ({changed.Id}) is {(changed.Ignored ? "set aside" : "in the lists")}"));
            },
            id, undo);
    }

    private static void People(RemoteCall call, DiscoveredResource found)
    {
        var now = call.Terminal.Clock.GetUtcNow();
        call.Display.Facts(
        [
            ("discovered", found.Id),
            ("name", found.Name),
            ("office", found.Office),
            ("MAC", found.Mac.Length > 0 ? $"{found.Mac}{(found.Vendor.Length > 0 ? $", {found.Vendor}" : "")}" : ""),
            ("identity", found.Identity),
            ("system", found.Os),
            ("first seen", Words.At(found.FirstSeen)),
            ("last seen", $"{Words.Ago(found.LastSeen, now)}, by {found.SeenBy} with {found.SeenWith}"),
            ("seen with", Words.Many(found.Methods)),
            ("host key", found.HostKey ?? ""),
            ("set aside", found.Ignored ? "yes" : ""),
        ]);
        call.Display.Section("Addresses", ["ADDRESS", "SEEN"], found.Addresses.Select(IReadOnlyList<string> (a) => [a.Address, Words.At(a.LastSeen)]));
        call.Display.Section("Names", ["NAME", "SAYS"], found.Names.Select(IReadOnlyList<string> (n) => [n.Name, n.Source]));
        call.Display.Section("Services", ["PORT", "SERVICE"], found.Services.Select(IReadOnlyList<string> (s) => [$"{s.Port}/{s.Protocol}", s.Name]));
    }

    private static string Short(ServiceResource service) => service.Name.Length > 0 ? service.Name : $"{service.Port}/{service.Protocol}";
}
