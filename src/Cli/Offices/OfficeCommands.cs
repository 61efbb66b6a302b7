using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Offices;

/// <summary><c>fleet office</c>.</summary>
internal static class OfficeCommands
{
    public static Command Make(FleetCommands commands) => new("office", "Offices: sites with a LAN, usually behind NAT.")
    {
        Add(commands),
        List(commands),
        Show(commands),
        Remove(commands),
        Devices.DeviceWake.MakeForOffice(commands),
    };

    private static Argument<string> Id() => new("office") { Description = "The office's id, such as leeds." };

    private static Command Add(FleetCommands commands)
    {
        var id = new Argument<string>("office") { Description = "Its id: lower-case letters, digits and '-'." };
        var title = new Option<string?>("--title") { Description = "What people call it; default: the id.", HelpName = "TEXT" };
        return commands.Remote("add", "Adds an office.", "fleet office add leeds --title \"Leeds, Park Row\"",
            async call =>
            {
                var office = await call.Client.Send(HttpMethod.Post, "offices", new NewOffice(call.Value(id), call.Value(title)),
                    ApiJson.Default.NewOffice, ApiJson.Default.OfficeResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(office, ApiJson.Default.OfficeResource, () => call.Display.Say(
                    $"office {office.Id} added; now let its first node join: fleet token create --office {office.Id} --kind node"));
            },
            id, title);
    }

    private static Command List(FleetCommands commands)
    {
        var text = new Option<string?>("--text") { Description = "Part of the id or title.", HelpName = "TEXT" };
        return commands.Remote("list", "Lists the offices.", "fleet office list --text park",
            call => call.Display.List(
                call.Client.List(Query.Of("offices", ("text", call.Value(text))), ApiJson.Default.ListPageOfficeResource, null, call.Cancellation),
                ApiJson.Default.OfficeResource,
                "no offices yet; add one: fleet office add NAME",
                ["OFFICE", "TITLE", "NODES LINKED", "DEVICES", "OPENED"],
                o => [o.Id, o.Title, $"{o.LinkedNodes} of {o.Nodes}", Words.Number(o.Devices), Words.AtMinute(o.OpenedAt)]),
            text);
    }

    private static Command Show(FleetCommands commands)
    {
        var id = Id();
        return commands.Remote("show", "Shows an office, its nodes and what happened there last.", "fleet office show leeds",
            async call =>
            {
                var path = Query.Path("offices", call.Value(id));
                var office = await call.Client.Get(path, ApiJson.Default.OfficeResource, call.Cancellation).ConfigureAwait(false);
                if (call.Display.Json)
                {
                    call.Display.Show(office, ApiJson.Default.OfficeResource, () => { });
                    return;
                }

                var nodes = await call.Client.Get(Query.Of("nodes", ("office", office.Id)), ApiJson.Default.ListPageNodeResource, call.Cancellation).ConfigureAwait(false);
                var events = await call.Client.Get(Query.Of(path + "/events", ("page-size", "10")), ApiJson.Default.ListPageEventResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Facts([("office", office.Id), ("title", office.Title), ("opened", Words.At(office.OpenedAt)), ("devices", Words.Number(office.Devices))]);
                call.Display.Section("Nodes", ["NODE", "LINK", "ROLES"], nodes.Items.Select(IReadOnlyList<string> (n) => [n.Id, n.Linked ? "up" : "down", Words.Many(n.Roles)]));
                call.Display.Section("Last events", Words.EventColumns, events.Items.Select(Words.EventRow));
            },
            id);
    }

    private static Command Remove(FleetCommands commands)
    {
        var id = Id();
        var force = new Option<bool>("--force") { Description = "Also when nodes or devices are in it: they are removed with it and must enrol anew." };
        return commands.Remote("remove", "Removes an office; refused while nodes or devices are in it, unless forced.", "fleet office remove leeds --force",
            async call =>
            {
                await call.Client.Delete(Query.Of(Query.Path("offices", call.Value(id)), ("force", call.Value(force) ? "true" : null)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("office", call.Value(id));
            },
            id, force);
    }
}
