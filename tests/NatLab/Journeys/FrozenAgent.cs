using System.Diagnostics;
using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>An agent is stopped (SIGSTOP) while its machine goes on answering: it is shown as unknown, then offline, within 45 s; and online again once it goes on.</summary>
internal static class FrozenAgent
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(45);

    public static Journey Journey { get; } = new("frozen-agent", "two-nodes", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var (till, other) = (lab.Topology.Device("till-1"), lab.Topology.Device("till-2"));
        await lab.StartAll(step, "15m").ConfigureAwait(false);
        foreach (var node in lab.Topology.Offices[0].Nodes)
            await lab.UntilObeyed(node, "push-server", TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        await lab.Operator.ApplyPolicy(new PolicyContent("always", Settings: new Dictionary<string, string> { ["agent.connection"] = "always" })).ConfigureAwait(false);
        // A policy alone wakes nobody who has no line.
        foreach (var device in lab.Topology.Devices)
            await lab.Operator.Wake(device.Name).ConfigureAwait(false);
        foreach (var device in lab.Topology.Devices)
            await Shown(lab, device.Name, "online", TimeSpan.FromSeconds(30), d => d.PresenceWhy.StartsWith("connected to", StringComparison.Ordinal)).ConfigureAwait(false);
        step("both devices keep a line open");

        var frozen = Stopwatch.StartNew();
        lab.Freeze(till);
        await Shown(lab, till.Name, "unknown", Limit).ConfigureAwait(false);
        step($"frozen: unknown after {frozen.Elapsed.TotalSeconds:0.0} s");
        await Shown(lab, till.Name, "offline", Limit - frozen.Elapsed).ConfigureAwait(false);
        step($"offline after {frozen.Elapsed.TotalSeconds:0.0} s");
        Require((await lab.Shown.Device(other.Name).ConfigureAwait(false))!.Presence == "online", $"{other.Name}, which was not frozen, is not shown online");

        lab.Thaw(till);
        var thawed = Stopwatch.StartNew();
        await Shown(lab, till.Name, "online", TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        step($"thawed: online after {thawed.Elapsed.TotalSeconds:0.0} s");
    }

    private static Task Shown(ProcessFleet lab, string device, string presence, TimeSpan within, Func<DeviceResource, bool>? and = null) => lab.Until(
        async shown => await shown.Device(device).ConfigureAwait(false) is { } now && now.Presence == presence && (and?.Invoke(now) ?? true), $"{device} is shown as {presence}", within);
}
