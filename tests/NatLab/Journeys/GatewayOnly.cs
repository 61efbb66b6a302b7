using Fleet.NatLab.Fleets;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>A device without a route and one that must not go to headquarters sync through the gateway; one without a gateway goes directly, through two translators.</summary>
internal static class GatewayOnly
{
    public static Journey Journey { get; } = new("gateway-only", "gateway-only", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var (noRoute, byRule, direct) = (fleet.Topology.Device("no-route"), fleet.Topology.Device("by-rule"), fleet.Topology.Device("direct"));
        // The walls were tried from every machine that has a way out: what counts is what comes after.
        var (ruleBefore, directBefore) = (fleet.PacketsToHeadquarters(byRule), fleet.PacketsToHeadquarters(direct));
        await fleet.StartAll(step).ConfigureAwait(false);

        foreach (var (device, through) in new[] { (noRoute, "gw1.leeds"), (byRule, "gw1.leeds"), (direct, "headquarters") })
        {
            var self = await fleet.SelfOf(device).ConfigureAwait(false);
            Require(self!.ReachedThrough == through, $"{device.Name} went through {self.ReachedThrough}, not {through}");
        }

        Require(fleet.PacketsToHeadquarters(direct) > directBefore, "the device that goes directly sent no packet to headquarters: the counters count nothing");
        step("each went the way it should");

        // Without its gateway the device must hold still rather than dial headquarters, which it could reach.
        var gateway = fleet.Topology.Offices[0].Nodes[0];
        await fleet.KillNode(gateway).ConfigureAwait(false);
        await fleet.Until(async shown => await shown.Node(gateway.Id).ConfigureAwait(false) is { Linked: false }, $"headquarters knows that {gateway.Id} is gone").ConfigureAwait(false);
        var seen = (await fleet.Shown.Device(direct.Name).ConfigureAwait(false))!.LastSync;
        await fleet.Until(async shown => (await shown.Device(direct.Name).ConfigureAwait(false))!.LastSync > seen + TimeSpan.FromSeconds(4), "two intervals pass").ConfigureAwait(false);
        await fleet.StartNode(gateway).ConfigureAwait(false);
        fleet.ChangeStateOf(byRule);
        await fleet.UntilConverged([noRoute, byRule, direct], TimeSpan.FromSeconds(45)).ConfigureAwait(false);
        Require(fleet.PacketsToHeadquarters(byRule) == ruleBefore, $"the gateway-only device sent {fleet.PacketsToHeadquarters(byRule) - ruleBefore} packets to headquarters");
        Require(fleet.PacketsToHeadquarters(noRoute) == 0, "the device without a route sent packets to headquarters");
        step("the gateway-only device never sent a packet to headquarters, not even while its gateway was down");
    }
}
