using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Fleet.Contracts.Api;
using Fleet.Messages.Link;
using Fleet.Messages.Serialization;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using MessagePack;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>Steps that journeys about updates share.</summary>
internal static class Distribution
{
    public const int UpdateBytes = 40 * 1024 * 1024;
    public const int LineBytesPerSecond = 4 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>Publishes a version of package <c>till</c> with made-up content that no compression helps, for all devices.</summary>
    /// <returns>The rollout's name.</returns>
    public static async Task<string> Publish(this ProcessFleet lab, string version, int bytes) => await lab.PublishFolder(version, await MakeUp(lab, version, bytes).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>The same for no device yet.</summary>
    public static async Task PublishOnly(this ProcessFleet lab, string version, int bytes) =>
        await lab.Command("update", "publish", "till", "--version", version, "--file", await MakeUp(lab, version, bytes).ConfigureAwait(false)).ConfigureAwait(false);

    /// <summary>Publishes a folder as a version of package <c>till</c>, for all devices.</summary>
    /// <returns>The rollout's name.</returns>
    public static async Task<string> PublishFolder(this ProcessFleet lab, string version, string folder)
    {
        using var json = JsonDocument.Parse(await lab.Command("update", "publish", "till", "--version", version, "--file", folder, "--for", "all", "--json").ConfigureAwait(false));
        return json.RootElement.GetProperty("rollout").GetProperty("name").GetString()!;
    }

    private static async Task<string> MakeUp(ProcessFleet lab, string version, int bytes)
    {
        var folder = lab.ScratchOf($"till-{version}");
        await File.WriteAllBytesAsync(Path.Combine(folder, "till.bin"), RandomNumberGenerator.GetBytes(bytes)).ConfigureAwait(false);
        return folder;
    }

    /// <summary>Waits until a rollout has reached all devices, well.</summary>
    /// <param name="dead">How many machines of nodes can't have it.</param>
    public static async Task<TimeSpan> Installed(this ProcessFleet lab, string rollout, TimeSpan? within = null, int dead = 0)
    {
        var began = Stopwatch.StartNew();
        // The machines of the nodes are devices too.
        var all = lab.Topology.Devices.Count() + lab.Topology.Nodes.Count() - dead;
        RingResource? ring = null;
        try
        {
            await lab.Until(async shown => (ring = (await shown.Rollout(rollout).ConfigureAwait(false)).Rings[^1]).Installed == all, $"{all} devices have {rollout}", within ?? Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new LabException($"of {all} devices {ring} have {rollout}:\n{await lab.Command("rollout", "show", rollout).ConfigureAwait(false)}");
        }

        return began.Elapsed;
    }

    /// <summary>What a distribution point has counted of a version of package <c>till</c>.</summary>
    public static UpdateCount? Counted(this ProcessFleet lab, TopologyNode node, string version)
    {
        var file = Path.Combine(lab.DataOf(node.Id.Value), "distribution", "counts.bin");
        return File.Exists(file) ? MessagePackSerializer.Deserialize<ContentCounts>(File.ReadAllBytes(file), Codec.Options).Updates.FirstOrDefault(u => u.Package == "till" && u.PackageVersion == version) : null;
    }

    /// <summary>How many copies of a version came over the office's line, as its distribution points counted the bytes of content.</summary>
    public static double Copies(this ProcessFleet lab, IReadOnlyList<TopologyNode> points, string version) =>
        points.Sum(p => lab.Counted(p, version)?.FromSources.Values.Sum() ?? 0) / (double)UpdateBytes;

    /// <summary>The content of the version is on each device as it was published.</summary>
    public static void RequireContent(this ProcessFleet lab, string version)
    {
        var published = SHA256.HashData(File.ReadAllBytes(Path.Combine(lab.DataOf($"till-{version}"), "till.bin")));
        foreach (var device in lab.Topology.Devices)
        {
            var file = Path.Combine(lab.DataOf(device.Name), "packages", "till", "current", "till.bin");
            Require(File.Exists(file) && SHA256.HashData(File.ReadAllBytes(file)).AsSpan().SequenceEqual(published), $"{device.Name} does not have till {version} as it was published");
        }
    }

    /// <summary>Starts the whole fleet with these nodes as distribution points, and narrows the office's line.</summary>
    public static async Task StartPoints(this ProcessFleet lab, Action<string> step, params IReadOnlyList<TopologyNode> points)
    {
        await lab.StartAll(step).ConfigureAwait(false);
        foreach (var point in points)
            await lab.BecomesPoint(point).ConfigureAwait(false);
        lab.LimitUplink(lab.Topology.Offices[0].Id, LineBytesPerSecond);
        step($"{points.Count} nodes distribute updates; the office's line takes {LineBytesPerSecond >> 20} MiB a second");
    }

    public static async Task BecomesPoint(this ProcessFleet lab, TopologyNode node)
    {
        await lab.UntilObeyed(node, "distribution-point", TimeSpan.FromSeconds(30)).ConfigureAwait(false);
        await TestSupport.Until.True(() => Directory.Exists(Path.Combine(lab.DataOf(node.Id.Value), "distribution", "repository", "metadata"))
            && File.Exists(Path.Combine(lab.DataOf(node.Id.Value), "distribution", "repository", "metadata", "timestamp.json")), $"{node.Id} mirrors the repository", TimeSpan.FromSeconds(30)).ConfigureAwait(false);
    }
}
