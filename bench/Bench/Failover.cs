using Fleet.NatLab.Fleets;
using Fleet.NatLab.Journeys;
using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>
/// Three headquarters nodes on one PostgreSQL in the kernel lab, each killed in turn (the oldest first) while numbered orders are given to devices of three offices:
/// what was acknowledged is held against the devices' histories. Needs root on Linux.
/// </summary>
internal static class Failover
{
    public static Benchmark Benchmark { get; } = new("failover", "headquarters nodes are killed in turn: orders lost or doubled, and the longest time that nothing is decided for an office", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        await using var fleet = await ProcessFleet.InKernelLab(Topology.Load(Cluster.KillEach.Topology), step).ConfigureAwait(false);
        var (account, unavailable) = await Cluster.KillInTurn(fleet, step).WaitAsync(stop).ConfigureAwait(false);
        return new Dictionary<string, double>
        {
            ["acked"] = account.Acknowledged,
            ["lost"] = account.Lost,
            ["doubled"] = account.Doubled,
            ["out_of_order"] = account.Disordered,
            ["unavailable_s"] = Math.Round(unavailable.TotalSeconds, 1),
        };
    }
}
