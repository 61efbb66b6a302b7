using System.Diagnostics;
using Akka.Actor;
using Fleet.Device.Settings;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.Office;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// Changed reports into headquarters' journal and read model: many devices, each of which reports its next change as soon as headquarters has the last. First what
/// headquarters itself takes, from nodes that cost this machine little (<see cref="ReportingNode"/>); then the whole way, with devices and an office
/// node that are the product's own. All share this machine.
/// </summary>
internal static class SyncThroughput
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static Benchmark Benchmark { get; } = new("sync-throughput", "changed reports into the journal and the read model", Run);

    private static int DevicesOf(BenchOptions options) => options.Devices ?? 200;

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var figures = new Dictionary<string, double>(await OfHeadquarters(options, step, stop).ConfigureAwait(false));
        if (DevicesOf(options) > 0)
            foreach (var (name, figure) in await ThroughGateway(options, step, stop).ConfigureAwait(false))
                figures[name] = figure;
        return figures;
    }

    private static async Task<IReadOnlyDictionary<string, double>> OfHeadquarters(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var topology = SimOffices.Topology("reports", Enumerable.Repeat(1, options.ReportingOffices));
        await using var fleet = ProcessFleet.OnLoopback(topology);
        await fleet.StartHeadquarters().WaitAsync(stop).ConfigureAwait(false);
        using var system = ActorSystem.Create("bench", "akka.loglevel = WARNING");
        var nodes = new List<ReportingNode>();
        try
        {
            var settings = OfficeOptions.Load(null, []);
            foreach (var office in topology.Offices)
            {
                await fleet.Api.AddOffice(office.Id).WaitAsync(stop).ConfigureAwait(false);
                await fleet.EnrolNode(office.Nodes[0], (await fleet.Api.CreateToken(office.Id, "node", "1h", 1).ConfigureAwait(false)).Text).WaitAsync(stop).ConfigureAwait(false);
                var token = await fleet.Api.CreateToken(office.Id, "agent", "1h", options.DevicesPerOffice).ConfigureAwait(false);
                nodes.Add(ReportingNode.Start(fleet.DataOf(office.Nodes[0].Id.Value), token.Text, options.DevicesPerOffice, system, settings));
            }

            await Until.True(() => nodes.All(n => n.Enrolled == options.DevicesPerOffice), "every device has joined", Patience).WaitAsync(stop).ConfigureAwait(false);
            step($"{nodes.Count} offices of {options.DevicesPerOffice} devices have joined");
            // Warm: compiled, caches filled, and all of it shown.
            var warm = Stopwatch.StartNew();
            nodes.ForEach(n => n.Report());
            await Until.True(() => warm.Elapsed > WarmUp && nodes.All(n => n.Stored > 0), "reports are stored", Patience).WaitAsync(stop).ConfigureAwait(false);
            await Rest(fleet, nodes).WaitAsync(stop).ConfigureAwait(false);
            step("headquarters is warm");

            var (before, cpu, own, began) = (nodes.Sum(n => n.Stored), CpuOf(fleet), Own, Stopwatch.StartNew());
            nodes.ForEach(n => n.Report());
            var lags = new List<double>();
            await Until.True(() => nodes.All(n => n.Stored > 0), "reports are stored", Patience).WaitAsync(stop).ConfigureAwait(false);
            while (began.Elapsed.TotalSeconds < options.Seconds)
                lags.Add(await Lag(fleet, nodes[lags.Count % nodes.Count].Newest).WaitAsync(stop).ConfigureAwait(false));
            var (journaled, loaded) = (nodes.Sum(n => n.Stored) - before, began.Elapsed.TotalSeconds);
            await Rest(fleet, nodes).WaitAsync(stop).ConfigureAwait(false);

            var (changes, seconds, used) = (nodes.Sum(n => n.Stored) - before, began.Elapsed.TotalSeconds, CpuOf(fleet) - cpu);
            own = Own - own;
            step($"{changes} changes: journaled in {loaded:0.0} s, shown after {seconds:0.0} s; newly stored ones are shown after {string.Join(' ', lags.Select(l => $"{l:0.00}"))} s");
            using var headquarters = Process.GetProcessById(fleet.ProcessIdOf("headquarters"));
            return new Dictionary<string, double>
            {
                ["sqlite_per_s"] = Math.Round(changes / seconds),
                ["journaled_per_s"] = Math.Round(journaled / loaded),
                ["hq_cpu_ms_per_report"] = Math.Round(used.TotalMilliseconds / changes, 3),
                ["load_cpu_ms_per_report"] = Math.Round(own.TotalMilliseconds / changes, 3),
                ["shown_after_s_max"] = Math.Round(lags.Max(), 2),
                ["hq_rss_mb"] = headquarters.WorkingSet64 >> 20,
            };
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>How long after it was stored a report is in what headquarters shows.</summary>
    private static async Task<double> Lag(ProcessFleet fleet, (string Device, ulong Version) stored)
    {
        var waiting = Stopwatch.StartNew();
        await Until.True(async () => (await fleet.Shown.DeviceDetail(stored.Device).ConfigureAwait(false)).Device.ReportedVersion >= stored.Version,
            $"version {stored.Version} of {stored.Device} is shown", Patience).ConfigureAwait(false);
        return waiting.Elapsed.TotalSeconds;
    }

    /// <summary>No device changes any more, and headquarters shows all that it has stored.</summary>
    private static async Task Rest(ProcessFleet fleet, List<ReportingNode> nodes)
    {
        nodes.ForEach(n => n.Rest());
        await Until.True(() => nodes.All(n => n.IsIdle), "all reports are stored", Patience).ConfigureAwait(false);
        foreach (var node in nodes)
            await Lag(fleet, node.Newest).ConfigureAwait(false);
    }

    private static TimeSpan Own => Process.GetCurrentProcess().TotalProcessorTime;

    private static async Task<IReadOnlyDictionary<string, double>> ThroughGateway(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var topology = Topology.Load("one-office");
        await using var fleet = ProcessFleet.OnLoopback(topology);
        await fleet.StartAll(step, interval: "1h", devices: _ => false).WaitAsync(stop).ConfigureAwait(false);
        var devices = await fleet.JoinCrowd(topology.Offices[0], "bench", DevicesOf(options), DeviceOptions.Default with { SyncInterval = TimeSpan.FromHours(1) }).WaitAsync(stop).ConfigureAwait(false);
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
