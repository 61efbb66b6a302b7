using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>Two offices with one private subnet and one private address for both nodes: headquarters tells them apart and reaches each.</summary>
internal static class OverlappingSubnets
{
    private static readonly TimeSpan Obeyed = TimeSpan.FromSeconds(5);

    public static Journey Journey { get; } = new("overlapping-subnets", "overlapping-subnets", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        await fleet.StartAll(step).ConfigureAwait(false);

        foreach (var device in fleet.Topology.Devices)
        {
            var shown = (await fleet.Shown.Devices().ConfigureAwait(false)).Single(d => d.Name == device.Name);
            Require(shown.Office == device.Office.Value, $"{device.Name} of {device.Office} is shown in office {shown.Office}");
            Require(shown.Through == $"gw1.{device.Office}", $"{device.Name} of {device.Office} synced through {shown.Through ?? "headquarters"}");
        }

        step("each device is shown in its own office, through its own gateway");

        foreach (var node in fleet.Topology.Nodes)
        {
            await fleet.UntilObeyed(node, "poller", Obeyed).ConfigureAwait(false);
            var others = (await fleet.Shown.Nodes().ConfigureAwait(false)).Where(n => string.CompareOrdinal(n.Id, node.Id.Value) > 0);
            Require(others.All(n => !n.DesiredRoles.Contains("poller") && !n.Problems.Any(p => p.Contains("poller", StringComparison.Ordinal))), $"what was meant for {node.Id} reached another node");
        }

        step("what headquarters tells a node reaches that node and no other");

        var before = (await fleet.Shown.Devices().ConfigureAwait(false)).ToDictionary(d => d.Id, d => d.DesiredVersion);
        await fleet.Operator.ApplyPolicy(new PolicyContent("greeting", Settings: new Dictionary<string, string> { ["greeting"] = "hello" })).ConfigureAwait(false);
        await fleet.Until(async shown => (await shown.Devices().ConfigureAwait(false)).Where(d => before.ContainsKey(d.Id)).All(d => d.DesiredVersion > before[d.Id] && d.Converged),
            "every device runs the new policy").ConfigureAwait(false);
        foreach (var device in fleet.Topology.Devices)
            await fleet.AssertEventsOnceInOrder(device).ConfigureAwait(false);
        step("a policy reached every device; every event is recorded once and in order");
    }
}
