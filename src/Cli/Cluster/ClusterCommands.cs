using System.CommandLine;
using System.Globalization;
using Fleet.Cli.Connection;
using Fleet.Cli.Output;
using Fleet.Contracts;
using Fleet.Contracts.Api;

namespace Fleet.Cli.Cluster;

/// <summary><c>fleet cluster</c>.</summary>
internal static class ClusterCommands
{
    /// <summary>Clocks that differ by more make histories of the nodes contradict each other.</summary>
    private const double ClockTolerance = 2;

    public static Command Make(FleetCommands commands) => new("cluster", "The nodes of headquarters, where it runs on several machines.")
    {
        Status(commands),
        Drain(commands),
    };

    private static Command Status(FleetCommands commands) => commands.Remote("status", "Lists the nodes of headquarters.", "fleet cluster status",
        call => call.Display.List(
            call.Client.List("cluster/nodes", ApiJson.Default.ListPageClusterNodeResource, null, call.Cancellation),
            ApiJson.Default.ClusterNodeResource,
            "no nodes",
            ["NODE", "STATUS", "OFFICES", "LINKS", "MEMORY", "CPU", "VERSION", "UP FOR", "REMARKS"],
            n =>
            [
                n.Address, n.Status, Words.Number(n.Offices), n.Links is { } links ? Words.Number(links) : "", n.MemoryBytes is { } memory ? SizeText.Of(memory) : "",
                n.Processors is { } share ? $"{(share * 100).ToString("0", CultureInfo.InvariantCulture)} %" : "", n.Version ?? "",
                n.StartedAt is { } started ? Words.Length(call.Terminal.Clock.GetUtcNow() - started) : "", Remarks(n),
            ]));

    private static Command Drain(FleetCommands commands)
    {
        var node = new Argument<string>("node") { Description = "The node, as 'fleet cluster status' names it: HOST:PORT." };
        return commands.Remote("drain", "Lets a headquarters node give its work to the others and stop, before its machine is changed or its program updated. Offices move without losing anything.",
            "fleet cluster drain hq2.example.net:13002",
            async call =>
            {
                await call.Client.Tell(Query.Path("cluster/nodes", call.Value(node)) + "/drain", call.Cancellation).ConfigureAwait(false);
                call.Display.Say($"{call.Value(node)} gives its work to the other nodes and then stops; see: fleet cluster status");
            },
            node);
    }

    private static string Remarks(ClusterNodeResource node)
    {
        List<string> remarks = [];
        if (node.Self)
            remarks.Add("answers here");
        if (node.Oldest)
            remarks.Add("oldest: company and projection run here");
        if (node.ClockOff is { } off && Math.Abs(off) > ClockTolerance)
            remarks.Add($"clock {Math.Abs(off).ToString("0.#", CultureInfo.InvariantCulture)} s {(off > 0 ? "ahead" : "behind")}: set it by NTP");
        return string.Join("; ", remarks);
    }
}
