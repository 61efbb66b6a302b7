using System.Diagnostics;
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
        await lab.WantLines(lab.Topology.Offices[0]).ConfigureAwait(false);
        await lab.KeepLines([.. lab.Topology.Devices], TimeSpan.FromSeconds(30)).ConfigureAwait(false);
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

    private static Task Shown(ProcessFleet lab, string device, string presence, TimeSpan within) => lab.Until(
        async shown => (await shown.Device(device).ConfigureAwait(false))?.Presence == presence, $"{device} is shown as {presence}", within);
}
