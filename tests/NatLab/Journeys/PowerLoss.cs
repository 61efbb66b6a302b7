using System.Diagnostics;
using System.Security.Cryptography;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// Twenty devices lose power (kill -9) at seeded moments while they install, ten versions in turn: each time what programs find is all of one version, and
/// each device ends on the newest. Every single step of an installation is cut in the tests of the installer; here it is the published agent.
/// </summary>
internal static class PowerLoss
{
    private const int Versions = 10;
    private const int Files = 40;
    private const int FileBytes = 8 * 1024;
    private const int LongestMicroseconds = 60_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static Journey Journey { get; } = new("power-loss", "distribution", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var random = new Random(20261127);
        await lab.StartPoints(step, lab.Topology.Offices[0].Nodes[0]).ConfigureAwait(false);
        var (cuts, ends) = (0, new Dictionary<string, int>());
        for (var version = 1; version <= Versions; version++)
        {
            var rollout = await PublishMany(lab, version).ConfigureAwait(false);
            var delays = lab.Topology.Devices.ToDictionary(d => d, _ => TimeSpan.FromMicroseconds(random.Next(LongestMicroseconds)));
            foreach (var ended in await Task.WhenAll(lab.Topology.Devices.Select(d => Task.Run(() => Cut(lab, d, version, delays[d])))).ConfigureAwait(false))
            {
                cuts++;
                ends[ended] = ends.GetValueOrDefault(ended) + 1;
            }

            await lab.Installed(rollout, Patience).ConfigureAwait(false);
            foreach (var device in lab.Topology.Devices)
                Require(Found(lab, device) == version, $"{device.Name} ended on {Found(lab, device)}, not {version}");
        }

        step($"{cuts} installations lost power: what programs found then was {string.Join(", ", ends.OrderBy(e => e.Key).Select(e => $"{e.Key} {e.Value} times"))}, never between; all ended on the newest");
    }

    private static async Task<string> PublishMany(ProcessFleet lab, int version)
    {
        var folder = lab.ScratchOf($"till-{version}.0");
        for (var file = 0; file < Files; file++)
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{file}.bin"), Content(version, file)).ConfigureAwait(false);
        return await lab.PublishFolder($"{version}.0", folder).ConfigureAwait(false);
    }

    private static byte[] Content(int version, int file)
    {
        var bytes = new byte[FileBytes];
        new Random((version * 1000) + file).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Kills the agent a little after it begins to put the version on the disk, looks at what programs find, and starts it again.</summary>
    /// <returns>What they find: the old version, the new one, or none.</returns>
    private static async Task<string> Cut(ProcessFleet lab, TopologyDevice device, int version, TimeSpan delay)
    {
        var begun = Path.Combine(lab.DataOf(device.Name), "packages", "till", "versions");
        await TestSupport.Until.True(() => Directory.Exists(Path.Combine(begun, $"{version}.0")) || HasState(lab, device, version), $"{device.Name} begins to install {version}.0", Patience).ConfigureAwait(false);
        var waited = Stopwatch.StartNew();
        SpinWait.SpinUntil(() => waited.Elapsed >= delay);
        await lab.KillDevice(device).ConfigureAwait(false);
        var found = Found(lab, device);
        Require(found == version || found == version - 1 || (found is null && version == 1), $"{device.Name} is between versions: programs find {found}");
        await lab.StartDevice(device).ConfigureAwait(false);
        return found == version ? "the new version" : found is null ? "none" : "the old version";
    }

    private static bool HasState(ProcessFleet lab, TopologyDevice device, int version)
    {
        var state = Path.Combine(lab.DataOf(device.Name), "packages", "till", "state.json");
        return File.Exists(state) && File.ReadAllText(state).Contains($"\"{version}.0\"", StringComparison.Ordinal);
    }

    /// <summary>Which version programs find, all of it; null: none.</summary>
    /// <exception cref="LabException">Files of two versions, or not all of one.</exception>
    private static int? Found(ProcessFleet lab, TopologyDevice device)
    {
        var current = Path.Combine(lab.DataOf(device.Name), "packages", "till", "current");
        if (!Directory.Exists(current))
            return null;
        var version = int.Parse(Path.GetFileName(new DirectoryInfo(current).LinkTarget!).Split('.')[0], System.Globalization.CultureInfo.InvariantCulture);
        for (var file = 0; file < Files; file++)
        {
            var path = Path.Combine(current, $"{file}.bin");
            Require(File.Exists(path) && SHA256.HashData(File.ReadAllBytes(path)).AsSpan().SequenceEqual(SHA256.HashData(Content(version, file))), $"{device.Name}: {file}.bin is not that of {version}.0");
        }

        return version;
    }
}
