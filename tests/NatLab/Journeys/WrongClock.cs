using Fleet.NatLab.Fleets;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// Clocks that are 30 days off. Ahead, on a device and then on the distribution point, changes nothing: lists are judged by headquarters' time, and headquarters shows
/// whose clock is wrong. Behind, before its peers' certificates began, a device or point says that its clock is wrong, keeps what it has, and goes on once it is right.
/// </summary>
internal static class WrongClock
{
    private const int Bytes = 256 * 1024;

    public static Journey Journey { get; } = new("wrong-clock", "distribution", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var (node, ahead, behind) = (lab.Topology.Offices[0].Nodes[0], lab.Topology.Device("till-3"), lab.Topology.Device("till-4"));
        await lab.StartPoints(step, node).ConfigureAwait(false);
        await lab.Installed(await lab.Publish("1.0", Bytes).ConfigureAwait(false)).ConfigureAwait(false);
        step("till 1.0 is on all devices");

        await lab.KillDevice(ahead).ConfigureAwait(false);
        await lab.KillDevice(behind).ConfigureAwait(false);
        await lab.StartDeviceAtTime(ahead, "+30d").ConfigureAwait(false);
        await lab.StartDeviceAtTime(behind, "-30d").ConfigureAwait(false);
        var rollout = await lab.Publish("2.0", Bytes).ConfigureAwait(false);
        await lab.Installed(rollout, dead: 1).ConfigureAwait(false);
        var self = await lab.SelfOf(ahead).ConfigureAwait(false);
        await TestSupport.Until.True(async () => (await lab.Shown.EventKinds(self!.Id).ConfigureAwait(false)).Contains("clock-wrong"), "headquarters shows whose clock is ahead").ConfigureAwait(false);
        step($"{ahead.Name}, 30 days ahead, has till 2.0, and headquarters shows that its clock is off");
        step($"{behind.Name}, 30 days behind: {await Says(lab, behind.Name).ConfigureAwait(false)}");

        foreach (var device in new[] { ahead, behind })
        {
            await lab.KillDevice(device).ConfigureAwait(false);
            await lab.StartDevice(device).ConfigureAwait(false);
        }

        await lab.Installed(rollout).ConfigureAwait(false);
        lab.RequireContent("2.0");
        step("with its clock right it has till 2.0 like all others");

        await lab.KillNode(node).ConfigureAwait(false);
        await lab.StartNodeAtTime(node, "+30d").ConfigureAwait(false);
        await lab.Installed(await lab.Publish("3.0", Bytes).ConfigureAwait(false)).ConfigureAwait(false);
        lab.RequireContent("3.0");
        step($"till 3.0 is on all devices, through {node.Id}, 30 days ahead");

        await lab.KillNode(node).ConfigureAwait(false);
        await lab.StartNodeAtTime(node, "-30d").ConfigureAwait(false);
        rollout = await lab.Publish("4.0", Bytes).ConfigureAwait(false);
        step($"{node.Id}, 30 days behind: {await Says(lab, node.Id.Value).ConfigureAwait(false)}");
        lab.RequireContent("3.0");
        await lab.KillNode(node).ConfigureAwait(false);
        await lab.StartNode(node).ConfigureAwait(false);
        await lab.Installed(rollout).ConfigureAwait(false);
        lab.RequireContent("4.0");
        step("with its clock right till 4.0 is on all devices");
    }

    private static async Task<string> Says(ProcessFleet lab, string name)
    {
        await TestSupport.Until.True(() => lab.LinesOf(name, "check the clock").Count > 0, $"{name} says that its clock is wrong", TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        return lab.LinesOf(name, "check the clock")[0];
    }
}
