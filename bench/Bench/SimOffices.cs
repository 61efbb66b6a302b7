using System.Diagnostics;
using System.Net;
using Fleet.Contracts;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>One headquarters and any number of offices, all the product's own, in this process over simulated networks.</summary>
internal static class SimOffices
{
    /// <summary>So many of one kind at a time: each start and enrolment takes a thread or two.</summary>
    public const int AtOnce = 16;

    private const int StartedTogether = 100;

    /// <summary>Says steps with the time since now and the memory of this process.</summary>
    public static Action<string> Timed(Action<string> step)
    {
        var began = Stopwatch.StartNew();
        return text => step($"{began.Elapsed.TotalSeconds,6:0.0} s, {Environment.WorkingSet >> 20} MB  {text}");
    }

    /// <param name="nodes">How many nodes each office has.</param>
    public static Topology Topology(string name, IEnumerable<int> nodes) => new(name, IPAddress.Parse("203.0.113.10"), [.. nodes.Select((count, number) => Office(number, count))]);

    /// <summary>Starts headquarters, with its shipped settings.</summary>
    /// <param name="nodes">How many nodes each office has.</param>
    public static async Task<SimFleet> Start(string name, IEnumerable<int> nodes, Action<string> step)
    {
        var fleet = await SimFleet.Build(Topology(name, nodes), step, shipped: true).ConfigureAwait(false);
        await fleet.StartHeadquarters().ConfigureAwait(false);
        return fleet;
    }

    /// <summary>Enrols every node of every office.</summary>
    public static Task JoinNodes(this SimFleet fleet, CancellationToken stop) => Parallel.ForEachAsync(fleet.Topology.Offices, Some(stop), async (office, _) =>
    {
        await fleet.Operator.AddOffice(office.Id).ConfigureAwait(false);
        var token = await fleet.Operator.CreateToken(office.Id, "node", uses: office.Nodes.Count).ConfigureAwait(false);
        foreach (var node in office.Nodes)
            await fleet.EnrolNode(node, token.Text).ConfigureAwait(false);
    });

    /// <summary>Starts every node. They come on some at a time, and the next ones when those are linked: they all share this machine's processors with headquarters.</summary>
    public static async Task LinkNodes(this SimFleet fleet, TimeSpan within, Action<string> step, CancellationToken stop)
    {
        var linked = 0;
        foreach (var some in fleet.Topology.Nodes.Chunk(StartedTogether))
        {
            await Parallel.ForEachAsync(some, Some(stop), async (node, _) => await fleet.StartNode(node).ConfigureAwait(false)).ConfigureAwait(false);
            linked += some.Length;
            await fleet.Until(async shown => (await shown.Status().ConfigureAwait(false)).LinkedNodes == linked, $"{linked} nodes are linked", within).WaitAsync(stop).ConfigureAwait(false);
            step($"{linked} nodes are linked");
        }
    }

    public static ParallelOptions Some(CancellationToken stop) => new() { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop };

    private static TopologyOffice Office(int number, int nodes)
    {
        var id = new OfficeId($"office-{number}");
        var outside = new IPAddress([198, 18, (byte)(number / 250), (byte)(1 + (number % 250))]);
        return new TopologyOffice(id, outside, null, "restricted", IPAddress.Parse("192.168.1.1"),
            [.. Enumerable.Range(0, nodes).Select(n => new TopologyNode(NodeId.Of($"gw{n}", id), new IPAddress([192, 168, 1, (byte)(10 + n)])))], [], []);
    }
}
