using System.Diagnostics;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// What a sync costs when nothing is new: IP bytes in an open connection, both ways, acknowledgements included, counted by the device's own kernel;
/// and the packets that the gateway sends to headquarters because of it, over those of an idle link.
/// </summary>
internal static class IdleSync
{
    private const string Told = "synced:";

    public static Benchmark Benchmark { get; } = new("idle-sync", "bytes on the wire and messages to headquarters for a sync without news", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        await using var fleet = await ProcessFleet.InKernelLab(Topology.Load("one-office"), step).ConfigureAwait(false);
        var device = fleet.Topology.Devices.First();
        var gateway = fleet.Topology.Offices[0].Nodes[0];
        // A second between syncs is long enough for delayed acknowledgements to be counted with their own sync.
        await fleet.StartAll(step, interval: "1s", devices: d => d == device).WaitAsync(stop).ConfigureAwait(false);
        await Syncs(fleet, device, 5).ConfigureAwait(false);

        var began = Stopwatch.StartNew();
        var (wire, up, syncs) = (fleet.CountedAt(device), fleet.CountedAt(gateway), Count(fleet, device));
        await Syncs(fleet, device, options.Seconds).WaitAsync(stop).ConfigureAwait(false);
        var (wireAfter, upAfter, syncsAfter) = (fleet.CountedAt(device), fleet.CountedAt(gateway), Count(fleet, device));
        var took = began.Elapsed;
        step($"{syncsAfter - syncs} syncs: {wireAfter.Sent - wire.Sent} packets out, {wireAfter.Received - wire.Received} in; the gateway sent {upAfter.ToPeer - up.ToPeer} packets to headquarters");

        await fleet.KillDevice(device).ConfigureAwait(false);
        var idle = fleet.CountedAt(gateway);
        began.Restart();
        await Until.True(() => began.Elapsed >= took, "the link idles as long", took + TimeSpan.FromSeconds(5)).WaitAsync(stop).ConfigureAwait(false);
        var link = fleet.CountedAt(gateway).ToPeer - idle.ToPeer;
        step($"without the device it sent {link}");
        return new Dictionary<string, double>
        {
            ["wire_bytes_per_sync"] = Math.Round((double)(wireAfter.Bytes - wire.Bytes) / (syncsAfter - syncs), 1),
            ["hq_messages_per_sync"] = Math.Round(Math.Max(0, (double)(upAfter.ToPeer - up.ToPeer - link) / (syncsAfter - syncs)), 3),
        };
    }

    private static int Count(ProcessFleet fleet, TopologyDevice device) => fleet.LinesOf(device.Name, Told).Count;

    private static Task Syncs(ProcessFleet fleet, TopologyDevice device, int more)
    {
        var wanted = Count(fleet, device) + more;
        return Until.True(() => Count(fleet, device) >= wanted, $"{more} more syncs", TimeSpan.FromSeconds((more * 4) + 20));
    }
}
