using System.Diagnostics;
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
        step = SimOffices.Timed(step);
        var offices = Enumerable.Range(0, options.Nodes).Chunk(NodesPerOffice).Select(nodes => nodes.Length);
        await using var fleet = await SimOffices.Start("links", offices, step).ConfigureAwait(false);
        await fleet.JoinNodes(stop).ConfigureAwait(false);
        step($"{options.Nodes} nodes have joined");
        var (before, linking) = (Environment.WorkingSet, Stopwatch.StartNew());
        await fleet.LinkNodes(Patience, step, stop).ConfigureAwait(false);
        var (took, after) = (linking.Elapsed, Environment.WorkingSet);

        var nodes = fleet.Topology.Nodes.ToList();
        var obeyed = Stopwatch.StartNew();
        foreach (var at in new[] { 0, 299, 300, 301, options.Nodes - 1 }.Where(at => at < options.Nodes).Distinct())
        {
            await fleet.Operator.Assign(nodes[at].Id, "push-server").ConfigureAwait(false);
            await Until.True(async () => await fleet.Shown.Node(nodes[at].Id).ConfigureAwait(false) is { } shown && shown.Roles.Contains("push-server"), $"{nodes[at].Id} obeys", Patience).ConfigureAwait(false);
        }

        step($"the first, those on both sides of 300 and the last obey headquarters, in {obeyed.Elapsed.TotalSeconds:0.0} s");
        var periodic = (await fleet.Shown.Node(nodes[^1].Id).ConfigureAwait(false))!.Link != "always";
        return new Dictionary<string, double>
        {
            ["nodes"] = options.Nodes,
            ["linked_s"] = Math.Round(took.TotalSeconds, 1),
            ["process_mb"] = after >> 20,
            ["mb_per_node_both_sides"] = Math.Round((after - before) / 1024.0 / 1024 / options.Nodes, 2),
            ["refused_a_place"] = periodic ? 1 : 0,
        };
    }
}
