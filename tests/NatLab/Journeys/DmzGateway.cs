using System.Diagnostics;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>A gateway that can't dial out is enrolled and linked by headquarters' dial; another node at its address is refused and shown.</summary>
internal static class DmzGateway
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Journey Journey { get; } = new("dmz-gateway", "dmz-gateway", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var (edge, other, till) = (fleet.Topology.Offices[0].Nodes[0], fleet.Topology.Offices[1].Nodes[0], fleet.Topology.Device("till"));
        await fleet.StartAll(step).ConfigureAwait(false);
        await fleet.Until(async shown => await shown.Node(edge.Id).ConfigureAwait(false) is { LinkedBy: "dialled by headquarters" }, "the node says that headquarters dialled").ConfigureAwait(false);
        await fleet.UntilObeyed(edge, "push-server", Limit).ConfigureAwait(false);
        Require((await fleet.SelfOf(till).ConfigureAwait(false))!.ReachedThrough == edge.Id.Value, $"{till.Name} did not sync through {edge.Id}");
        step("headquarters dialled; orders go down and a device's reports go up");

        await Comes(fleet, step, edge, "the node was killed and came back", async () =>
        {
            await fleet.KillNode(edge).ConfigureAwait(false);
            await fleet.Until(async shown => await shown.Node(edge.Id).ConfigureAwait(false) is { Linked: false } now && now.LinkReason.Contains("dials it in vain", StringComparison.Ordinal), "it is shown that headquarters dials in vain").ConfigureAwait(false);
            await fleet.StartNode(edge).ConfigureAwait(false);
        }).ConfigureAwait(false);
        await Comes(fleet, step, edge, "headquarters was killed and came back", async () =>
        {
            await fleet.KillHeadquarters().ConfigureAwait(false);
            await fleet.StartHeadquarters().ConfigureAwait(false);
        }).ConfigureAwait(false);

        // Somebody genuine, but another: no certificate of the fleet is good at another's address.
        await fleet.KillNode(edge).ConfigureAwait(false);
        await fleet.Operator.SetWay(edge.Id, null, $"{other.Address}:{LinkHocon.EdgePort}").ConfigureAwait(false);
        await fleet.Until(async shown => (await shown.Node(edge.Id).ConfigureAwait(false))!.LinkReason.Contains($"dialled {edge.Id}.office and met {other.Id}.office", StringComparison.Ordinal),
            "the wrong node at the address is shown", Limit).ConfigureAwait(false);
        step($"shown of {edge.Id}: {(await fleet.Shown.Node(edge.Id).ConfigureAwait(false))!.LinkReason}");
        Require(await fleet.Shown.Node(other.Id).ConfigureAwait(false) is { Linked: true }, $"the link of {other.Id} was disturbed");

        await Comes(fleet, step, edge, "the right address was set again", async () =>
        {
            await fleet.StartNode(edge).ConfigureAwait(false);
            await fleet.Operator.SetWay(edge.Id, null, $"{edge.Address}:{LinkHocon.EdgePort}").ConfigureAwait(false);
        }).ConfigureAwait(false);
        fleet.ChangeStateOf(till);
        await fleet.UntilConverged([till], Limit).ConfigureAwait(false);
        await fleet.AssertEventsOnceInOrder(till).ConfigureAwait(false);
        step("every event is recorded once and in order");
    }

    private static async Task Comes(IFleetUnderTest fleet, Action<string> step, TopologyNode node, string what, Func<Task> act)
    {
        var before = (await fleet.Shown.Node(node.Id).ConfigureAwait(false))!;
        await act().ConfigureAwait(false);
        var began = Stopwatch.StartNew();
        await fleet.UntilLinkedAnew(before, what, Limit).ConfigureAwait(false);
        step($"{what}: linked {began.Elapsed.TotalSeconds:0.0} s after");
    }
}
