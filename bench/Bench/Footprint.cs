using System.Diagnostics;
using System.Globalization;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>How long the programs take to start, what they hold in memory after idling, and how big the agent is.</summary>
internal static class Footprint
{
    private const double Megabyte = 1024 * 1024;

    public static Benchmark Benchmark { get; } = new("footprint", "start times, resident memory after idling, size of the agent", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var topology = Topology.Load("one-office");
        await using var fleet = KernelLab.Unable() is null ? await ProcessFleet.InKernelLab(topology, step).ConfigureAwait(false) : ProcessFleet.OnLoopback(topology);
        var (node, device) = (topology.Offices[0].Nodes[0], topology.Devices.First());
        await fleet.StartAll(step, interval: "15m").WaitAsync(stop).ConfigureAwait(false);
        // Neither first start is of record: both made their keys and files. What counts is a start as after a reboot.
        await fleet.KillNode(node).ConfigureAwait(false);
        await fleet.KillHeadquarters().ConfigureAwait(false);
        var headquarters = await Timed(fleet.StartHeadquarters).ConfigureAwait(false);
        var office = await Timed(() => fleet.StartNode(node)).ConfigureAwait(false);
        await fleet.Until(async shown => await shown.Node(node.Id).ConfigureAwait(false) is { Linked: true }, "the node is linked again").ConfigureAwait(false);

        var idle = Stopwatch.StartNew();
        step($"idling for {options.Idle.TotalMinutes:0.#} minutes");
        await Until.True(() => idle.Elapsed >= options.Idle, "the fleet has idled", options.Idle + TimeSpan.FromSeconds(5)).WaitAsync(stop).ConfigureAwait(false);
        return new Dictionary<string, double>
        {
            ["hq_rss_mb"] = ResidentMegabytes(fleet.ProcessIdOf("headquarters")),
            ["office_rss_mb"] = ResidentMegabytes(fleet.ProcessIdOf(node.Id.Value)),
            ["agent_rss_mb"] = ResidentMegabytes(fleet.ProcessIdOf(device.Name)),
            ["agent_disk_mb"] = Math.Round(new FileInfo(Programs.Agent).Length / Megabyte, 1),
            ["hq_start_s"] = headquarters,
            ["office_start_s"] = office,
        };
    }

    private static async Task<double> Timed(Func<Task> start)
    {
        var began = Stopwatch.StartNew();
        await start().ConfigureAwait(false);
        return Math.Round(began.Elapsed.TotalSeconds, 2);
    }

    private static double ResidentMegabytes(int process)
    {
        if (!OperatingSystem.IsLinux())
        {
            using var other = Process.GetProcessById(process);
            return Math.Round(other.WorkingSet64 / Megabyte, 1);
        }

        var line = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return Math.Round(double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024, 1);
    }
}
