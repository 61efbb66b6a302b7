using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using Fleet.Contracts;
using Fleet.Device.Settings;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Journeys;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Fleet.Office;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// Changed reports into headquarters' journal and read model: many devices, each of which reports its next change as soon as headquarters has the last. First what
/// headquarters itself takes, from nodes that cost this machine little (<see cref="ReportingNode"/>), and how fast it shows them where they come at a steady pace: one node on SQLite, then
/// three on one PostgreSQL, which keeps what is committed, with a Zabbix server that takes as much beside them (<see cref="ZabbixTrapper"/>). Then the whole way, with devices and an office node that are the product's own. All share this machine.
/// </summary>
internal static class SyncThroughput
{
    /// <summary>What headquarters has to bear.</summary>
    private const double HeldPerSecond = 5000;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static Benchmark Benchmark { get; } = new("sync-throughput", "changed reports into the journal and the read model", Run);

    private static int DevicesOf(BenchOptions options) => options.Devices ?? 200;

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var one = await OnSqlite(options, step, stop).ConfigureAwait(false);
        var figures = new Dictionary<string, double>
        {
            ["sqlite_per_s"] = one.All.ShownPerSecond,
            ["journaled_per_s"] = one.All.JournaledPerSecond,
            ["sqlite_held_per_s"] = one.Held.JournaledPerSecond,
            ["sqlite_held_shown_after_s_max"] = one.Held.ShownAfter,
            ["hq_cpu_ms_per_report"] = one.Each(one.Headquarters.Sum()),
            ["load_cpu_ms_per_report"] = one.Each(one.Load),
            ["shown_after_s_max"] = one.All.ShownAfter,
            ["hq_rss_mb"] = one.Megabytes,
        };
        if ((KernelLab.Unable() ?? PrivatePostgres.Unable()) is { } lacks)
        {
            step($"a cluster on PostgreSQL is left out: {lacks}");
        }
        else
        {
            var three = await OnPostgres(options, step, stop).ConfigureAwait(false);
            figures["postgres_per_s"] = three.All.ShownPerSecond;
            figures["postgres_journaled_per_s"] = three.All.JournaledPerSecond;
            figures["postgres_held_per_s"] = three.Held.JournaledPerSecond;
            figures["postgres_held_shown_after_s_max"] = three.Held.ShownAfter;
            foreach (var (number, used) in three.Headquarters.Index())
                figures[string.Create(CultureInfo.InvariantCulture, $"postgres_hq_{number + 1}_cpu_ms_per_report")] = three.Each(used);
            figures["postgres_hq_cpu_ms_per_report"] = three.Each(three.Headquarters.Sum());
            figures["postgres_db_cpu_ms_per_report"] = three.Each(three.Database);
            figures["postgres_load_cpu_ms_per_report"] = three.Each(three.Load);
            figures["postgres_shown_after_s_max"] = three.All.ShownAfter;
        }

        if (ZabbixTrapper.Unable() is { } needs)
        {
            step($"Zabbix is left out: {needs}");
        }
        else
        {
            var zabbix = await ZabbixTrapper.Run(options.ReportingOffices, options.DevicesPerOffice, one.ReportBytes, options.Seconds, stop).ConfigureAwait(false);
            step($"Zabbix, one server on PostgreSQL: {zabbix} texts of {one.ReportBytes} bytes a second come into its history");
            figures["zabbix_per_s"] = zabbix;
        }

        if (DevicesOf(options) > 0)
            foreach (var (name, figure) in await ThroughGateway(options, step, stop).ConfigureAwait(false))
                figures[name] = figure;
        return figures;
    }

    private static async Task<Measured> OnSqlite(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        await using var fleet = ProcessFleet.OnLoopback(SimOffices.Topology("reports", Enumerable.Repeat(1, options.ReportingOffices)));
        await fleet.StartHeadquarters().WaitAsync(stop).ConfigureAwait(false);
        return await Measure(fleet, options, step, stop).ConfigureAwait(false);
    }

    /// <summary>Three headquarters nodes, each of which has the links and offices that prefer it.</summary>
    private static async Task<Measured> OnPostgres(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var offices = SimOffices.Topology("reports", Enumerable.Repeat(1, options.ReportingOffices)).Offices.Select(o => o with { Nat = "port-restricted" });
        var topology = Topology.Load(Cluster.KillEach.Topology) with { Offices = [.. offices] };
        await using var fleet = await ProcessFleet.InKernelLab(topology, step).ConfigureAwait(false);
        await fleet.StartHeadquarters().WaitAsync(stop).ConfigureAwait(false);
        foreach (var name in fleet.HeadquartersNodes.Skip(1))
            await fleet.JoinHeadquarters(name).WaitAsync(stop).ConfigureAwait(false);
        await fleet.Until(async shown => (await shown.ClusterNodes().ConfigureAwait(false)).Count(n => n.Status == "up") == fleet.HeadquartersNodes.Count, "headquarters is three nodes", Patience).WaitAsync(stop).ConfigureAwait(false);
        return await Measure(fleet, options, step, stop).ConfigureAwait(false);
    }

    private static async Task<Measured> Measure(ProcessFleet fleet, BenchOptions options, Action<string> step, CancellationToken stop)
    {
        using var system = ActorSystem.Create("bench", "akka.loglevel = WARNING");
        var nodes = new List<ReportingNode>();
        try
        {
            var settings = OfficeOptions.Load(null, []);
            foreach (var office in fleet.Topology.Offices)
            {
                await fleet.Api.AddOffice(office.Id).WaitAsync(stop).ConfigureAwait(false);
                await fleet.EnrolNode(office.Nodes[0], (await fleet.Api.CreateToken(office.Id, "node", "1h", 1).ConfigureAwait(false)).Text).WaitAsync(stop).ConfigureAwait(false);
                var token = await fleet.Api.CreateToken(office.Id, "agent", "1h", options.DevicesPerOffice).ConfigureAwait(false);
                nodes.Add(ReportingNode.Start(fleet.DataOf(office.Nodes[0].Id.Value), token.Text, options.DevicesPerOffice, system, settings, fleet.NetworkOf(office.Nodes[0])));
            }

            await Until.True(() => nodes.All(n => n.Enrolled == options.DevicesPerOffice), "every device has joined", Patience).WaitAsync(stop).ConfigureAwait(false);
            step($"{nodes.Count} offices of {options.DevicesPerOffice} devices have joined");
            var shares = SharesOf(fleet.Topology);
            await fleet.Until(async shown => (await shown.ClusterNodes().ConfigureAwait(false)).Select(n => n.Links ?? 0).Order().SequenceEqual(shares), "each office is linked to its own headquarters node", Patience).WaitAsync(stop).ConfigureAwait(false);
            step($"links of each headquarters node: {string.Join(", ", shares)}");
            // Warm: compiled, caches filled, and all of it shown.
            var warm = Stopwatch.StartNew();
            nodes.ForEach(n => n.Report());
            await Until.True(() => warm.Elapsed > WarmUp && nodes.All(n => n.Stored > 0), "reports are stored", Patience).WaitAsync(stop).ConfigureAwait(false);
            await Rest(fleet, nodes).WaitAsync(stop).ConfigureAwait(false);
            step("headquarters is warm");

            var before = ProcessorTimes.Now(fleet);
            var all = await Load(fleet, nodes, null, options.Seconds, stop).ConfigureAwait(false);
            var after = ProcessorTimes.Now(fleet);
            step($"as many as headquarters takes: {all}");
            var held = await Load(fleet, nodes, HeldPerSecond, options.Seconds, stop).ConfigureAwait(false);
            step($"{HeldPerSecond} a second: {held}");
            using var headquarters = Process.GetProcessById(fleet.ProcessIdOf(fleet.HeadquartersNodes[0]));
            return new Measured(all, held, nodes[0].ReportBytes, headquarters.WorkingSet64 >> 20,
                [.. after.Headquarters.Zip(before.Headquarters, (end, start) => (end - start).TotalMilliseconds)],
                (after.Database - before.Database).TotalMilliseconds, (after.Load - before.Load).TotalMilliseconds);
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>How many office nodes each headquarters node gets, ascending.</summary>
    private static List<int> SharesOf(Topology topology)
    {
        var links = topology.HeadquartersOthers.Prepend(topology.Headquarters).Select(a => $"{a}:{LinkHocon.EdgePort}").ToList();
        var own = topology.Offices.CountBy(o => Rendezvous.Order(o.Nodes[0].Id.Value, links, a => a).First()).ToDictionary();
        return [.. links.Select(l => own.GetValueOrDefault(l)).Order()];
    }

    /// <summary>Devices change for a time, and then headquarters shows all of it.</summary>
    /// <param name="perSecond">Of all together; null: as many as headquarters takes.</param>
    private static async Task<Loaded> Load(ProcessFleet fleet, List<ReportingNode> nodes, double? perSecond, int seconds, CancellationToken stop)
    {
        var (stored, began, lags) = (nodes.Sum(n => n.Stored), Stopwatch.StartNew(), new List<double>());
        nodes.ForEach(n => n.Report(perSecond / nodes.Count));
        while (began.Elapsed.TotalSeconds < seconds)
            lags.Add(await Lag(fleet, nodes[lags.Count % nodes.Count].Newest).WaitAsync(stop).ConfigureAwait(false));
        var (journaled, loaded) = (nodes.Sum(n => n.Stored) - stored, began.Elapsed.TotalSeconds);
        await Rest(fleet, nodes).WaitAsync(stop).ConfigureAwait(false);
        return new Loaded(nodes.Sum(n => n.Stored) - stored, Math.Round(journaled / loaded), began.Elapsed.TotalSeconds, Math.Round(lags.Max(), 2));
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

    private static TimeSpan CpuOf(ProcessFleet fleet) => ProcessorTimes.Now(fleet).Headquarters[0];

    /// <param name="Headquarters">Of each node.</param>
    /// <param name="Load">Of this process.</param>
    private sealed record ProcessorTimes(IReadOnlyList<TimeSpan> Headquarters, TimeSpan Database, TimeSpan Load)
    {
        public static ProcessorTimes Now(ProcessFleet fleet) => new([.. fleet.HeadquartersNodes.Select(n => Of(fleet.ProcessIdOf(n)))], fleet.DatabaseProcessorTime, Of(Environment.ProcessId));

        private static TimeSpan Of(int id)
        {
            using var process = Process.GetProcessById(id);
            return process.TotalProcessorTime;
        }
    }

    /// <param name="Changes">In all.</param>
    /// <param name="Seconds">Until the last was shown.</param>
    /// <param name="ShownAfter">Seconds after which what was just stored was shown, at most.</param>
    private sealed record Loaded(long Changes, double JournaledPerSecond, double Seconds, double ShownAfter)
    {
        public double ShownPerSecond => Math.Round(Changes / Seconds);

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"{Changes} changes, {JournaledPerSecond} a second journaled, all shown after {Seconds:0.0} s; newly stored ones are shown after {ShownAfter:0.00} s at most");
    }

    /// <param name="All">As many changes as headquarters takes.</param>
    /// <param name="Held">No more than <see cref="HeldPerSecond"/>.</param>
    /// <param name="Headquarters">Processor time of each node in milliseconds; the database's and this process' likewise. All are of <paramref name="All"/>.</param>
    private sealed record Measured(Loaded All, Loaded Held, int ReportBytes, long Megabytes, IReadOnlyList<double> Headquarters, double Database, double Load)
    {
        public double Each(double milliseconds) => Math.Round(milliseconds / All.Changes, 3);
    }
}
