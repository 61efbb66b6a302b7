using System.Diagnostics;
using System.Net;
using Fleet.Contracts;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// One headquarters and thousands of always-connected office nodes, all the product's own, in this process over simulated networks: how long it takes until
/// all are linked, what that holds in memory, and that what headquarters tells a node reaches it, on both sides of 300 and at the end.
/// </summary>
internal static class ManyLinks
{
    private const int NodesPerOffice = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    public static Benchmark Benchmark { get; } = new("many-links", "always-connected office nodes of one headquarters, in one process", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var began = Stopwatch.StartNew();
        void Step(string text) => step($"{began.Elapsed.TotalSeconds,6:0.0} s, {Environment.WorkingSet >> 20} MB  {text}");
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = stop };
        var offices = Enumerable.Range(0, (options.Nodes + NodesPerOffice - 1) / NodesPerOffice).Select(n => Office(n, Math.Min(NodesPerOffice, options.Nodes - (n * NodesPerOffice)))).ToList();
        await using var fleet = await SimFleet.Build(new Topology("links", IPAddress.Parse("203.0.113.10"), offices), Step, shipped: true).ConfigureAwait(false);
        await fleet.StartHeadquarters().ConfigureAwait(false);
        foreach (var office in offices)
        {
            await fleet.Operator.AddOffice(office.Id).ConfigureAwait(false);
            var token = await fleet.Operator.CreateToken(office.Id, "node", uses: office.Nodes.Count).ConfigureAwait(false);
            await Parallel.ForEachAsync(office.Nodes, atOnce, async (node, _) => await fleet.EnrolNode(node, token.Text).ConfigureAwait(false)).ConfigureAwait(false);
        }

        Step($"{options.Nodes} nodes have joined");
        var (before, linking) = (Environment.WorkingSet, Stopwatch.StartNew());
        var nodes = offices.SelectMany(o => o.Nodes).ToList();
        var started = 0;
        await Parallel.ForEachAsync(nodes, atOnce, async (node, _) =>
        {
            await fleet.StartNode(node).ConfigureAwait(false);
            if (Interlocked.Increment(ref started) % NodesPerOffice == 0)
                Step($"{started} nodes are started");
        }).ConfigureAwait(false);
        await fleet.Until(async shown => (await shown.Status().ConfigureAwait(false)).LinkedNodes == options.Nodes, $"{options.Nodes} nodes are linked", Patience).WaitAsync(stop).ConfigureAwait(false);
        var (took, after) = (linking.Elapsed, Environment.WorkingSet);
        Step($"{options.Nodes} nodes are linked");

        var obeyed = Stopwatch.StartNew();
        foreach (var at in new[] { 0, 299, 300, 301, options.Nodes - 1 }.Where(at => at < options.Nodes).Distinct())
        {
            await fleet.Operator.Assign(nodes[at].Id, "push-server").ConfigureAwait(false);
            await Until.True(async () => await fleet.Shown.NodeById(nodes[at].Id).ConfigureAwait(false) is { } shown && shown.Roles.Contains("push-server"), $"{nodes[at].Id} obeys", Patience).ConfigureAwait(false);
        }

        Step($"the first, those on both sides of 300 and the last obey headquarters, in {obeyed.Elapsed.TotalSeconds:0.0} s");
        var periodic = (await fleet.Shown.NodeById(nodes[^1].Id).ConfigureAwait(false)).Link != "always";
        return new Dictionary<string, double>
        {
            ["nodes"] = options.Nodes,
            ["linked_s"] = Math.Round(took.TotalSeconds, 1),
            ["process_mb"] = after >> 20,
            ["mb_per_node_both_sides"] = Math.Round((after - before) / 1024.0 / 1024 / options.Nodes, 2),
            ["refused_a_place"] = periodic ? 1 : 0,
        };
    }

    private static TopologyOffice Office(int number, int nodes)
    {
        var id = new OfficeId($"office-{number}");
        return new TopologyOffice(id, new IPAddress([198, 18, 0, (byte)(1 + number)]), null, "restricted", IPAddress.Parse("192.168.1.1"),
            [.. Enumerable.Range(0, nodes).Select(n => new TopologyNode(NodeId.Of($"gw{n}", id), new IPAddress([192, 168, 1, (byte)(10 + n)])))], [], []);
    }
}
