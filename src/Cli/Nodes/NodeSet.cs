using System.CommandLine;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Nodes;

/// <summary><c>fleet node set</c>.</summary>
internal static class NodeSet
{
    private static readonly string[] Modes = ["always", "periodic", "policy"];

    public static Command Make(FleetCommands commands)
    {
        var id = NodeCommands.Id();
        var through = new Option<string?>("--through") { Description = "It can't reach headquarters, and hands its link to this node of its office.", HelpName = "NODE" };
        var dmz = new Option<string?>("--dmz") { Description = "It can't dial out: headquarters dials it at this address.", HelpName = "HOST:PORT" };
        var direct = new Option<bool>("--direct") { Description = "It dials headquarters itself." };
        var link = new Option<string?>("--link")
        {
            Description = "always: it keeps its link; periodic: it dials at its sync interval, brings all up to date and hangs up; policy: as policies say.", HelpName = "MODE",
        };
        link.AcceptOnlyFromAmong(Modes);
        dmz.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<string?>() is { } address && HostPort.Problem(address) is { } problem)
                given.AddError($"--dmz: {problem}");
        });
        var command = commands.Remote("set", "Sets how a node and headquarters come together.", """
            fleet node set gw2.leeds --through gw1.leeds
            fleet node set edge.leeds --dmz 198.51.100.7:13001
            fleet node set gw2.leeds --direct
            fleet node set gw1.leeds --link periodic
            """,
            async call =>
            {
                if (call.Value(link) is { } mode)
                {
                    await SetLink(call, call.Value(id), mode).ConfigureAwait(false);
                    return;
                }

                var change = new WayChange(call.Value(through), call.Value(dmz));
                var node = await call.Client.Send(HttpMethod.Post, Query.Path("nodes", call.Value(id), "/way"), change, ApiJson.Default.WayChange, ApiJson.Default.NodeResource, call.Cancellation)
                    .ConfigureAwait(false);
                call.Display.Show(node, ApiJson.Default.NodeResource, () => call.Display.Say($"{node.Id} links {WayOf(node)}"));
            },
            id, through, dmz, direct, link);
        command.Validators.Add(given =>
        {
            if (new Option[] { through, dmz, direct, link }.Count(o => given.GetResult(o) is not null) != 1)
                given.AddError("say one of --through NODE, --dmz HOST:PORT, --direct and --link MODE");
        });
        return command;
    }

    private static async Task SetLink(RemoteCall call, string id, string mode)
    {
        var node = await call.Client.Send(HttpMethod.Post, Query.Path("nodes", id, "/link"), new LinkChange(mode == "policy" ? null : mode),
            ApiJson.Default.LinkChange, ApiJson.Default.NodeResource, call.Cancellation).ConfigureAwait(false);
        call.Display.Show(node, ApiJson.Default.NodeResource, () => call.Display.Say($"{node.Id} has its link: {ModeOf(node)}"));
        if (node.LinkRefusal is { } refusal)
            throw new CommandFailure(refusal);
    }

    /// <summary>A node that dials periodically and is not linked just now is not down.</summary>
    public static string LinkOf(NodeResource node) => node.Linked ? "up" : node.Link == "periodic" ? "periodic" : "down";

    public static string ModeOf(NodeResource node) =>
        $"{node.Link}{(node.DialSeconds is { } every ? $", dials every {Words.Length(TimeSpan.FromSeconds(every))}" : "")}{(node.LinkSet is null ? "" : $", set to {node.LinkSet}")}{(node.LinkRefusal is null ? "" : $": {node.LinkRefusal}")}";

    /// <summary>How the link of a node is to go, and how it went last where that is another.</summary>
    public static string WayOf(NodeResource node)
    {
        var wanted = node.Through is { } hop ? $"through {hop}" : node.DmzAddress is null ? "directly" : "dialled by headquarters";
        return $"{wanted}{(node.DmzAddress is { } at ? $" at {at}" : "")}{(node.LinkedBy.Length > 0 && node.LinkedBy != wanted ? $" (last: {node.LinkedBy})" : "")}";
    }
}
