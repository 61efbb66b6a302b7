using System.Diagnostics;
using System.Globalization;
using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>Headquarters, the node and an agent are killed in turn while orders and reports are on their way: what was acknowledged is there afterwards, once.</summary>
internal static class KillAny
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(45);

    public static Journey Journey { get; } = new("kill-any", "one-office", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var node = fleet.Topology.Offices[0].Nodes[0];
        var devices = fleet.Topology.Devices.Where(d => d.Name != "late").ToList();
        await fleet.StartAll(step, interval: "1s", devices: d => d.Name != "late").ConfigureAwait(false);
        var acknowledged = new List<(string Policy, ulong Version)>();

        await Dies(fleet, step, acknowledged, devices, "headquarters", fleet.KillHeadquarters, fleet.StartHeadquarters).ConfigureAwait(false);
        await Dies(fleet, step, acknowledged, devices, $"office node {node.Id}", () => fleet.KillNode(node), () => fleet.StartNode(node)).ConfigureAwait(false);
        await Dies(fleet, step, acknowledged, devices, $"the agent of {devices[0].Name}", () => fleet.KillDevice(devices[0]), () => fleet.StartDevice(devices[0])).ConfigureAwait(false);

        foreach (var device in devices)
            await fleet.AssertEventsOnceInOrder(device).ConfigureAwait(false);
        step("every event is recorded once and in order");
        var quarantined = fleet.Logged("uarantin");
        Require(quarantined.Count == 0, $"somebody was quarantined: {quarantined.FirstOrDefault()}");
        step("nobody was quarantined");
    }

    private static async Task Dies(
        IFleetUnderTest fleet, Action<string> step, List<(string Policy, ulong Version)> acknowledged, IReadOnlyList<TopologyDevice> devices, string who, Func<Task> kill, Func<Task> start)
    {
        using var enough = new CancellationTokenSource();
        var traffic = Traffic(fleet, acknowledged, devices, enough.Token);
        // Mid-traffic: some orders are through, more are coming.
        var before = acknowledged.Count;
        await TestSupport.Until.True(() => acknowledged.Count >= before + 3, "three orders are acknowledged").ConfigureAwait(false);

        var began = Stopwatch.StartNew();
        await kill().ConfigureAwait(false);
        await start().ConfigureAwait(false);
        var again = acknowledged.Count;
        await TestSupport.Until.True(() => acknowledged.Count >= again + 2, $"orders are accepted again after the death of {who}", Limit).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        await traffic.ConfigureAwait(false);
        await fleet.UntilConverged(devices, Limit).ConfigureAwait(false);

        var policies = (await fleet.Shown.Policies().ConfigureAwait(false)).ToDictionary(p => p.Name, p => p.Version);
        foreach (var (policy, version) in acknowledged)
            Require(policies.GetValueOrDefault(policy) >= version, $"policy {policy} version {version} was acknowledged and is lost");
        step($"{who} was killed: all agree again after {began.Elapsed.TotalSeconds:0.0} s, {acknowledged.Count} acknowledged orders are all there");
    }

    /// <summary>Gives orders and changes devices until told to stop; an order counts only when it was acknowledged.</summary>
    private static async Task Traffic(IFleetUnderTest fleet, List<(string Policy, ulong Version)> acknowledged, IReadOnlyList<TopologyDevice> devices, CancellationToken enough)
    {
        for (var round = 0; !enough.IsCancellationRequested; round++)
        {
            fleet.ChangeStateOf(devices[round % devices.Count]);
            try
            {
                var policy = $"order-{round % 3}";
                var settings = new Dictionary<string, string> { [policy] = round.ToString(CultureInfo.InvariantCulture) };
                acknowledged.Add((policy, await fleet.Operator.ApplyPolicy(new PolicyContent(policy, Settings: settings)).ConfigureAwait(false)));
            }
            catch (LabException)
            {
                // Headquarters is down: the order was not acknowledged and is nobody's loss. Its operator tries again when it answers.
                await fleet.Until(async shown => enough.IsCancellationRequested || await shown.Status().ConfigureAwait(false) is not null, "headquarters answers again", Limit).ConfigureAwait(false);
            }
        }
    }
}
