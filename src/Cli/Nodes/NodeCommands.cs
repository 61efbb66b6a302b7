using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Nodes;

/// <summary><c>fleet node</c>.</summary>
internal static class NodeCommands
{
    public static Command Make(FleetCommands commands) => new("node", "Office nodes: the machines in the offices that dial headquarters.")
    {
        List(commands),
        Show(commands),
        Assign(commands),
        Unassign(commands),
        NodeSet.Make(commands),
        Dial(commands),
        Remove(commands),
    };

    internal static Argument<string> Id()
    {
        var id = new Argument<string>("node") { Description = "The node, as NAME.OFFICE." };
        id.Validators.Add(given =>
        {
            if (IdText.Problem(given.GetValueOrDefault<string>(), parts: 2) is { } problem)
                given.AddError($"a node is named NAME.OFFICE, such as gw1.leeds: {problem}");
        });
        return id;
    }

    private static Option<string[]> Roles()
    {
        var roles = new Option<string[]>("--role") { Description = "A role; may repeat.", Required = true, AllowMultipleArgumentsPerToken = true };
        roles.AcceptOnlyFromAmong("gateway", "distribution-point", "push-server", "poller");
        return roles;
    }

    private static Command List(FleetCommands commands)
    {
        var office = new Option<string?>("--office") { Description = "Nodes of this office alone.", HelpName = "OFFICE" };
        var linked = new Option<bool?>("--linked") { Description = "Only nodes whose link is up (true) or down (false)." };
        var down = new Option<bool>("--down") { Description = "Only nodes that should be linked and are not." };
        return commands.Remote("list", "Lists the office nodes.", "fleet node list --down",
            call => call.Display.List(
                call.Client.List(Query.Of("nodes", ("office", call.Value(office)), ("linked", call.Value(linked)?.ToString().ToLowerInvariant()), ("down", call.Value(down) ? "true" : null)),
                    ApiJson.Default.ListPageNodeResource, null, call.Cancellation),
                ApiJson.Default.NodeResource,
                "no office nodes; let one join: fleet token create --office OFFICE --kind node",
                ["NODE", "LINK", "SINCE", "ROLES", "WANTED", "HOST", "VERSION"],
                n => [n.Id, NodeSet.LinkOf(n), Words.Ago(n.LinkSince, call.Terminal.Clock.GetUtcNow()), Words.Many(n.Roles), Words.Many(n.DesiredRoles), n.HostName, n.Version]),
            office, linked, down);
    }

    private static Command Show(FleetCommands commands)
    {
        var id = Id();
        return commands.Remote("show", "Shows an office node and what happened to it last.", "fleet node show gw1.leeds",
            async call =>
            {
                var path = Query.Path("nodes", call.Value(id));
                var node = await call.Client.Get(path, ApiJson.Default.NodeResource, call.Cancellation).ConfigureAwait(false);
                if (call.Display.Json)
                {
                    call.Display.Show(node, ApiJson.Default.NodeResource, () => { });
                    return;
                }

                var events = await call.Client.Get(Query.Of(path + "/events", ("page-size", "10")), ApiJson.Default.ListPageEventResource, call.Cancellation).ConfigureAwait(false);
                call.Display.Facts(Facts(node, call.Terminal.Clock.GetUtcNow()));
                call.Display.Section("Problems", ["PROBLEM"], node.Problems.Select(IReadOnlyList<string> (p) => [p]));
                call.Display.Section("Last events", Words.EventColumns, events.Items.Select(Words.EventRow));
            },
            id);
    }

    private static IEnumerable<(string Name, string Value)> Facts(NodeResource node, DateTimeOffset now) =>
    [
        ("node", node.Id),
        ("office", node.Office),
        ("device", node.DeviceId),
        ("link", $"{NodeSet.LinkOf(node)} since {Words.At(node.LinkSince)}{(node.Linked || node.LinkReason.Length == 0 ? "" : $": {node.LinkReason}")}"),
        ("link mode", NodeSet.ModeOf(node)),
        ("roles", Words.Many(node.Roles)),
        ("wanted roles", $"{Words.Many(node.DesiredRoles)}{(node.AppliedVersion >= node.DesiredVersion ? "" : " (not yet obeyed)")}"),
        ("push server at", node.PushAddresses.Count == 0 ? "" : Words.Many(node.PushAddresses)),
        ("gateway at", node.GatewayAddresses.Count == 0 ? "" : Words.Many(node.GatewayAddresses)),
        ("port for links at", node.LinkAddresses.Count == 0 ? "" : Words.Many(node.LinkAddresses)),
        ("way of the link", NodeSet.WayOf(node)),
        ("host", node.HostName),
        ("version", node.Version),
        ("started", node.StartedAt is null ? "" : Words.Ago(node.StartedAt, now)),
        ("enrolled", Words.At(node.EnrolledAt)),
        ("certificate until", Words.At(node.CertificateNotAfter)),
    ];

    private static Command Assign(FleetCommands commands)
    {
        var (id, roles) = (Id(), Roles());
        return commands.Remote("assign", "Gives a node roles beside those it has.", "fleet node assign gw1.leeds --role gateway --role distribution-point",
            call => Change(call, call.Value(id), new RoleChange(Add: call.Value(roles))),
            id, roles);
    }

    private static Command Unassign(FleetCommands commands)
    {
        var (id, roles) = (Id(), Roles());
        return commands.Remote("unassign", "Takes roles from a node.", "fleet node unassign gw1.leeds --role gateway", call => Change(call, call.Value(id), new RoleChange(Remove: call.Value(roles))), id, roles);
    }

    private static async Task Change(RemoteCall call, string id, RoleChange change)
    {
        var node = await call.Client.Send(HttpMethod.Post, Query.Path("nodes", id, "/roles"), change, ApiJson.Default.RoleChange, ApiJson.Default.NodeResource, call.Cancellation).ConfigureAwait(false);
        call.Display.Show(node, ApiJson.Default.NodeResource, () => call.Display.Say(
            $"{node.Id} is to be: {Words.Many(node.DesiredRoles)}{(node.Linked ? "" : "; its link is down, it will obey once it is back")}"));
    }

    private static Command Dial(FleetCommands commands)
    {
        var address = new Argument<string>("address") { Description = "Where it waits, as HOST:PORT." };
        address.Validators.Add(given =>
        {
            if (HostPort.Problem(given.GetValueOrDefault<string>()) is { } problem)
                given.AddError(problem);
        });
        return commands.Remote("dial", "Dials a machine that waits to be enrolled and can't dial out ('office enroll --listen').", "fleet node dial 198.51.100.7:13001",
            async call =>
            {
                var machine = new NodeToDial(call.Value(address));
                await call.Client.Tell(HttpMethod.Post, "nodes/dial", machine, ApiJson.Default.NodeToDial, call.Cancellation).ConfigureAwait(false);
                call.Display.Show(machine, ApiJson.Default.NodeToDial, () => call.Display.Say(
                    $"{machine.Address} has asked to be enrolled, and says there how it went; then: fleet node set NODE --dmz {machine.Address}"));
            },
            address);
    }

    private static Command Remove(FleetCommands commands)
    {
        var id = Id();
        return commands.Remote("remove", "Removes an office node; it must enrol anew to come back.", "fleet node remove gw1.leeds",
            async call =>
            {
                await call.Client.Delete(Query.Path("nodes", call.Value(id)), call.Cancellation).ConfigureAwait(false);
                call.Display.Removed("node", call.Value(id));
            },
            id);
    }
}
