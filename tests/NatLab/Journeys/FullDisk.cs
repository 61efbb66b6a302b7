using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>The disks of a distribution point and of a device are too small for an update: both say so, what is there stays and is served, and all goes on by itself once there is room.</summary>
internal static class FullDisk
{
    private const int Bytes = 8 * 1024 * 1024;
    private const int Large = 64 * 1024 * 1024;

    // Megabytes: min-free of office.hocon and agent.hocon, and what may be filled: one 1.0, not a 2.0.
    private const int KeptFreeByNodes = 1024;
    private const int KeptFreeByDevices = 512;
    private const int Room = 48;

    public static Journey Journey { get; } = new("full-disk", "distribution", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var (node, device) = (lab.Topology.Offices[0].Nodes[0], lab.Topology.Device("till-1"));
        using var ofNode = new SmallDisk(lab.ScratchOf(node.Id.Value), KeptFreeByNodes + Room);
        using var ofDevice = new SmallDisk(lab.ScratchOf(device.Name), KeptFreeByDevices + Room);
        await lab.StartPoints(step, node).ConfigureAwait(false);
        lab.LimitUplink(lab.Topology.Offices[0].Id, 64 * 1024 * 1024);
        await lab.Installed(await lab.Publish("1.0", Bytes).ConfigureAwait(false)).ConfigureAwait(false);
        step("till 1.0 is on all devices");

        var rollout = await lab.Publish("2.0", Large).ConfigureAwait(false);
        var why = "";
        await TestSupport.Until.True(async () => (why = await lab.Command("rollout", "why", "till-2", rollout).ConfigureAwait(false)).Contains("room", StringComparison.Ordinal), "headquarters says that there is no room", TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        step($"the distribution point's disk is too small: {why}");
        lab.RequireContent("1.0");

        ofNode.Grow(KeptFreeByNodes + (6 * Room));
        await lab.Installed(rollout, dead: 1).ConfigureAwait(false);
        step("with more room at the distribution point 2.0 is on all devices but one");

        await TestSupport.Until.True(async () => (why = await lab.Command("rollout", "why", device.Name, rollout).ConfigureAwait(false)).Contains("room", StringComparison.Ordinal), "headquarters says that there is no room", TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        step($"{device.Name}'s disk is too small: {why}");

        ofDevice.Grow(KeptFreeByDevices + (6 * Room));
        await lab.Installed(rollout).ConfigureAwait(false);
        lab.RequireContent("2.0");
        step("with more room there it is on all devices");
    }

    /// <summary>A file system in memory, of a size of its own, at a directory.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly string _directory;

        public SmallDisk(string directory, int megabytes)
        {
            _directory = directory;
            Shell.Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0700", "tmpfs", directory);
        }

        public void Grow(int megabytes) => Shell.Run("mount", "-o", $"remount,size={megabytes}m", _directory);

        public void Dispose() => Shell.Run("umount", "-l", _directory);
    }
}
