using System.Diagnostics;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>Nodes that can't reach headquarters link through others of their office, over two hops; the one that has a way dies and comes back.</summary>
internal static class GatewayChain
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Journey Journey { get; } = new("gateway-chain", "gateway-chain", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var (first, second, third) = fleet.Topology.Offices[0].Nodes switch { [var a, var b, var c] => (a, b, c), _ => throw new LabException("three nodes are wanted") };
        var york = fleet.Topology.Offices[1].Nodes[0];
        await fleet.StartAll(step).ConfigureAwait(false);

        foreach (var (node, way) in new[] { (first, "directly"), (second, $"through {first.Id}"), (third, $"through {second.Id}") })
            await fleet.Until(async shown => await shown.Node(node.Id).ConfigureAwait(false) is { Linked: true } now && now.LinkedBy == way, $"{node.Id} links {way}").ConfigureAwait(false);
        await fleet.UntilObeyed(third, "push-server", Limit).ConfigureAwait(false);
        step("the third node links through the second and the first, and obeys headquarters");

        await Refused(fleet, () => fleet.Operator.SetWay(second.Id, third.Id, null), "links would go round", step).ConfigureAwait(false);
        await Refused(fleet, () => fleet.Operator.SetWay(first.Id, first.Id, null), "links would go round", step).ConfigureAwait(false);
        await Refused(fleet, () => fleet.Operator.SetWay(second.Id, york.Id, null), "is a node of another office", step).ConfigureAwait(false);
        await Refused(fleet, () => fleet.Operator.RemoveNode(first.Id), $"node {second.Id} links through {first.Id}", step).ConfigureAwait(false);

        var before = (await fleet.Shown.Node(third.Id).ConfigureAwait(false))!;
        await fleet.KillNode(first).ConfigureAwait(false);
        await fleet.Until(async shown => (await shown.Nodes().ConfigureAwait(false)).Count(n => !n.Linked && n.Office == first.Id.Office.Value) == 3, "headquarters knows that all three are gone").ConfigureAwait(false);
        var began = Stopwatch.StartNew();
        await fleet.StartNode(first).ConfigureAwait(false);
        await fleet.UntilLinkedAnew(before, "the first node came back", Limit).ConfigureAwait(false);
        step($"the first node was killed and came back: the third is linked again after {began.Elapsed.TotalSeconds:0.0} s");

        var till = fleet.Topology.Device("till");
        fleet.ChangeStateOf(till);
        await fleet.UntilConverged([till], Limit).ConfigureAwait(false);
        await fleet.AssertEventsOnceInOrder(till).ConfigureAwait(false);
        step("what a device reports arrives over the chain, once and in order");
    }

    private static async Task Refused(IFleetUnderTest fleet, Func<Task> order, string why, Action<string> step)
    {
        try
        {
            await order().ConfigureAwait(false);
        }
        catch (LabException refused) when (refused.Message.Contains(why, StringComparison.Ordinal))
        {
            step($"refused, as it must be: {why}");
            return;
        }

        throw new LabException($"an order was taken that must be refused with '{why}'\n{fleet.Tails()}");
    }
}
