using Fleet.NatLab.Fleets;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// Twenty devices that can't leave their LAN get an update of 40 MiB over a line of 4 MiB a second: it crosses the line once, and once between two
/// distribution points.
/// </summary>
internal static class OneCopy
{
    /// <summary>The most that may cross the line of what one copy is.</summary>
    public const double Limit = 1.02;

    public static Journey Journey { get; } = new("one-copy", "distribution", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var nodes = lab.Topology.Offices[0].Nodes;
        await lab.StartPoints(step, nodes[0]).ConfigureAwait(false);
        await Once(lab, step, [nodes[0]], "1.0").ConfigureAwait(false);

        await lab.BecomesPoint(nodes[1]).ConfigureAwait(false);
        await Once(lab, step, nodes, "2.0").ConfigureAwait(false);
        var counts = nodes.Select(n => (n.Id, Count: lab.Counted(n, "2.0"))).ToList();
        step(string.Join("; ", counts.Select(c => $"{c.Id}: {c.Count?.FromSources.Values.Sum() ?? 0} bytes from headquarters, {c.Count?.FromPeers ?? 0} from the other, {c.Count?.ToDevices ?? 0} to devices")));
    }

    /// <summary>Publishes a version and sees it installed, and how often it crossed the line.</summary>
    /// <param name="limit">The most copies.</param>
    /// <returns>Copies.</returns>
    public static async Task<double> Once(ProcessFleet lab, Action<string> step, IReadOnlyList<Topologies.TopologyNode> points, string version, Func<Task>? meanwhile = null, double limit = Limit)
    {
        var office = lab.Topology.Offices[0].Id;
        var before = lab.CameInto(office);
        var rollout = await lab.Publish(version, Distribution.UpdateBytes).ConfigureAwait(false);
        if (meanwhile is not null)
            await meanwhile().ConfigureAwait(false);
        var took = await lab.Installed(rollout).ConfigureAwait(false);
        lab.RequireContent(version);
        var (copies, wire) = (lab.Copies(points, version), (lab.CameInto(office) - before) / (double)Distribution.UpdateBytes);
        Require(Math.Max(copies, wire) <= limit, $"{Math.Max(copies, wire):0.000} copies of till {version} crossed the line");
        step($"till {version} is on all {lab.Topology.Devices.Count()} devices after {took.TotalSeconds:0.0} s: {wire:0.000} copies crossed the line, with all else that came in meanwhile ({copies:0.000} as counted by the distribution points)");
        return wire;
    }
}
