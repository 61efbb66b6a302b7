using System.Security.Cryptography;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// A byte changes on a distribution point's disk, and then one is in hostile hands: no device installs what was not signed, all get the right bytes, and
/// headquarters hears of it.
/// </summary>
internal static class LyingDp
{
    private const int Bytes = 4 * 1024 * 1024;

    public static Journey Journey { get; } = new("lying-dp", "distribution", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var (first, second) = (lab.Topology.Offices[0].Nodes[0], lab.Topology.Offices[0].Nodes[1]);
        await lab.StartPoints(step, first).ConfigureAwait(false);
        await lab.Installed(await lab.Publish("1.0", Bytes).ConfigureAwait(false)).ConfigureAwait(false);
        step("till 1.0 is on all devices");

        var rollout = await WaitingAt(lab, "2.0", first).ConfigureAwait(false);
        Flip(BlobOf(lab, first, "2.0"));
        await StartDevices(lab).ConfigureAwait(false);
        await lab.Installed(rollout).ConfigureAwait(false);
        lab.RequireContent("2.0");
        await TestSupport.Until.True(() => lab.Counted(first, "2.0") is { Healed: >= Bytes }, "the healing is counted").ConfigureAwait(false);
        Require(lab.LinesOf(first.Id.Value, "was damaged on the disk").Count > 0, "the node did not say that its disk is damaged");
        step($"a byte changed on {first.Id}'s disk: it was not served, {lab.Counted(first, "2.0")!.Healed} bytes were brought anew, and all devices have 2.0 as it was signed");

        await lab.BecomesPoint(second).ConfigureAwait(false);
        rollout = await WaitingAt(lab, "3.0", first, second).ConfigureAwait(false);
        await lab.KillNode(first).ConfigureAwait(false);
        var liar = await LyingPoint.Start(lab.NetworkOf(first), first.Address, lab.DataOf(first.Id.Value)).ConfigureAwait(false);
        await using (liar.ConfigureAwait(false))
        {
            await StartDevices(lab).ConfigureAwait(false);
            await lab.Installed(rollout, dead: 1).ConfigureAwait(false);
            lab.RequireContent("3.0");
            Require(liar.Lies > 0, "nobody asked the liar");
            step($"{first.Id} is in hostile hands and lied {liar.Lies} times: all devices have 3.0 as it was signed, from {second.Id}");
        }

        foreach (var device in lab.Topology.Devices)
            if ((await lab.Shown.EventKinds((await lab.SelfOf(device).ConfigureAwait(false))!.Id).ConfigureAwait(false)).Contains("update-source-lied"))
            {
                step($"headquarters shows that {device.Name} met a liar");
                return;
            }

        throw new LabException("no device told headquarters of the liar");
    }

    /// <summary>While no device runs: the version is at the points, and nobody has taken it.</summary>
    private static async Task<string> WaitingAt(ProcessFleet lab, string version, params TopologyNode[] points)
    {
        foreach (var device in lab.Topology.Devices)
            await lab.KillDevice(device).ConfigureAwait(false);
        var rollout = await lab.Publish(version, Bytes).ConfigureAwait(false);
        foreach (var point in points)
            await TestSupport.Until.True(() => File.Exists(BlobOf(lab, point, version)), $"{point.Id} has till {version}", TimeSpan.FromMinutes(1)).ConfigureAwait(false);
        return rollout;
    }

    private static async Task StartDevices(ProcessFleet lab)
    {
        foreach (var device in lab.Topology.Devices)
            await lab.StartDevice(device).ConfigureAwait(false);
    }

    private static string BlobOf(ProcessFleet lab, TopologyNode point, string version)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(lab.DataOf($"till-{version}"), "till.bin"))));
        return Path.Combine(lab.DataOf(point.Id.Value), "distribution", "content", "blobs", hash[..2], hash);
    }

    private static void Flip(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 3] ^= 1;
        // In place, as a disk does it.
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        stream.Write(bytes);
    }
}
