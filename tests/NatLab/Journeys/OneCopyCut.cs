using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// The same when the line is cut in the middle of the update: nothing comes twice. And when the distribution point is killed there: it goes on where it ended, and
/// nobody goes around it meanwhile, not even the nodes' own machines, which have a way to headquarters.
/// </summary>
internal static class OneCopyCut
{
    private static readonly TimeSpan CutFor = TimeSpan.FromSeconds(15);

    public static Journey Journey { get; } = new("one-copy-cut", "distribution", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var node = lab.Topology.Offices[0].Nodes[0];
        await lab.StartPoints(step, node).ConfigureAwait(false);

        await Cut(lab, step, node, "1.0").ConfigureAwait(false);

        await OneCopy.Once(lab, step, [node], "2.0", async () =>
        {
            var half = await Half(lab).ConfigureAwait(false);
            await lab.KillNode(node).ConfigureAwait(false);
            await lab.StartNode(node).ConfigureAwait(false);
            step($"the distribution point was killed when {half >> 20} MiB had come");
        }).ConfigureAwait(false);
    }

    /// <summary>Publishes a version, cuts the line when half of it has come, and sees it installed.</summary>
    /// <returns>Copies that crossed the line.</returns>
    public static Task<double> Cut(ProcessFleet lab, Action<string> step, TopologyNode node, string version) => OneCopy.Once(lab, step, [node], version, async () =>
    {
        var (office, half) = (lab.Topology.Offices[0].Id, await Half(lab).ConfigureAwait(false));
        lab.CutUplink(office);
        await lab.Pass(CutFor).ConfigureAwait(false);
        lab.HealUplink(office);
        step($"the line was cut for {CutFor.TotalSeconds:0} s when {half >> 20} MiB had come");
    });

    private static async Task<long> Half(ProcessFleet lab)
    {
        var (office, bytes) = (lab.Topology.Offices[0].Id, 0L);
        var before = lab.CameInto(office);
        await TestSupport.Until.True(() => (bytes = lab.CameInto(office) - before) >= Distribution.UpdateBytes / 2, "half of the update has come", TimeSpan.FromMinutes(2)).ConfigureAwait(false);
        return bytes;
    }
}
