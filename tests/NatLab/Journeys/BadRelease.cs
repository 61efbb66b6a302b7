using Fleet.NatLab.Fleets;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>A release whose health check fails reaches one device: the rollout halts by itself, nobody else is touched, and that device is back on the old version.</summary>
internal static class BadRelease
{
    private const int Bytes = 256 * 1024;

    public static Journey Journey { get; } = new("bad-release", "distribution", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        await lab.StartPoints(step, lab.Topology.Offices[0].Nodes[0]).ConfigureAwait(false);
        await lab.Installed(await lab.Publish("1.0", Bytes).ConfigureAwait(false)).ConfigureAwait(false);
        step("till 1.0 is on all devices");

        var canary = lab.Topology.Device("till-7");
        await lab.Command("device", "label", canary.Name, "ring=canary").ConfigureAwait(false);
        await lab.PublishOnly("2.0", Bytes).ConfigureAwait(false);
        await lab.Command("rollout", "create", "till", "--version", "2.0", "--name", "bad", "--ring", "canary:label:ring=canary", "--ring", "tenth:10%", "--ring", "rest", "--soak", "2s",
            "--param", "health=test ! -e till.bin").ConfigureAwait(false);
        await lab.Until(async shown => (await shown.Rollout("bad").ConfigureAwait(false)).State == "halted", "the rollout halts by itself", TimeSpan.FromMinutes(2)).ConfigureAwait(false);
        var rollout = await lab.Shown.Rollout("bad").ConfigureAwait(false);
        step($"the rollout of 2.0 halted by itself: {rollout.Why}");

        // Long enough for every device to have synced.
        await lab.Pass(TimeSpan.FromSeconds(6)).ConfigureAwait(false);
        rollout = await lab.Shown.Rollout("bad").ConfigureAwait(false);
        Require(rollout.Rings.Select(r => r.Reached).SequenceEqual([true, false, false]), "another ring was begun");
        Require(rollout.Rings[0] is { Picked: 1, RolledBack: 1, Installed: 0 }, $"the canary is not back on the old version: {rollout.Rings[0]}");
        lab.RequireContent("1.0");
        foreach (var device in lab.Topology.Devices.Where(d => d.Name != canary.Name))
            Require(lab.LinesOf(device.Name, "till 2.0").Count == 0 && !Directory.Exists(Path.Combine(lab.DataOf(device.Name), "packages", "till", "versions", "2.0")), $"{device.Name} was touched");
        step($"{canary.Name} is back on 1.0, and no other of {lab.Topology.Devices.Count()} devices was touched");

        var path = await lab.Command("rollout", "why", canary.Name, "bad").ConfigureAwait(false);
        Require(path.Contains("health check", StringComparison.Ordinal), $"'rollout why' does not say why: {path}");
        step("'fleet rollout why' says which health check failed");

        await lab.Installed(await lab.Publish("3.0", Bytes).ConfigureAwait(false)).ConfigureAwait(false);
        lab.RequireContent("3.0");
        step("the mended 3.0 is on all devices");
    }
}
