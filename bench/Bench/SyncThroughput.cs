using System.Diagnostics;
using Fleet.Device.Settings;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// Changed reports through one gateway and one link into headquarters' SQLite journal: many devices, each of which reports its next change as soon as
/// headquarters acknowledged the last. Headquarters, the office node and the devices share this machine.
/// </summary>
internal static class SyncThroughput
{
    public static Benchmark Benchmark { get; } = new("sync-throughput", "changed reports through one gateway and link into the journal", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var topology = Topology.Load("one-office");
        await using var fleet = ProcessFleet.OnLoopback(topology);
        await fleet.StartAll(step, interval: "1h", devices: _ => false).WaitAsync(stop).ConfigureAwait(false);
        var devices = await fleet.JoinCrowd(topology.Offices[0], "bench", options.Devices, DeviceOptions.Default with { SyncInterval = TimeSpan.FromHours(1) }).WaitAsync(stop).ConfigureAwait(false);
        await Until.True(() => devices.All(d => d.State is { ReportedVersion: > 0, AwaitsAck: false }), "every device's first report is stored", TimeSpan.FromMinutes(2)).WaitAsync(stop).ConfigureAwait(false);
        step($"{devices.Count} devices have joined");
        try
        {
            var acknowledged = 0L;
            foreach (var device in devices)
                KeepChanging(device, () => Interlocked.Increment(ref acknowledged));
            // Warm: every device has been through at least once.
            await Until.True(() => Interlocked.Read(ref acknowledged) >= devices.Count, "every device's first change is acknowledged", TimeSpan.FromMinutes(1)).ConfigureAwait(false);

            var (before, cpu, began) = (Interlocked.Read(ref acknowledged), CpuOf(fleet), Stopwatch.StartNew());
            await Until.True(() => began.Elapsed.TotalSeconds >= options.Seconds, "the measured time", TimeSpan.FromSeconds(options.Seconds + 5)).WaitAsync(stop).ConfigureAwait(false);
            var (changes, seconds, used) = (Interlocked.Read(ref acknowledged) - before, began.Elapsed.TotalSeconds, CpuOf(fleet) - cpu);
            step($"{changes} changes in {seconds:0.0} s");
            return new Dictionary<string, double>
            {
                ["changed_per_s"] = Math.Round(changes / seconds),
                ["hq_cpu_ms_per_sync"] = Math.Round(used.TotalMilliseconds / changes, 3),
            };
        }
        finally
        {
            foreach (var device in devices)
                await device.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static void KeepChanging(LabDevice device, Action acknowledged)
    {
        var last = device.State.AcknowledgedVersion;
        void Next()
        {
            device.Machine.Change();
            device.SyncSoon();
        }

        device.RoundEnded += _ =>
        {
            if (device.State.AcknowledgedVersion > last)
                acknowledged();
            last = device.State.AcknowledgedVersion;
            Next();
        };
        Next();
    }

    private static TimeSpan CpuOf(ProcessFleet fleet)
    {
        using var headquarters = Process.GetProcessById(fleet.ProcessIdOf("headquarters"));
        return headquarters.TotalProcessorTime;
    }
}
