using System.Collections.Concurrent;
using System.Diagnostics;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// Offices and devices that lose headquarters for minutes and get it back: the product's own programs in this process, over simulated networks and in
/// real time. Headquarters is killed, and started again on its files. One office in twenty has devices that speak with headquarters themselves and keep
/// lines open to it; those of the others use their gateway. While headquarters is away one device in ten changes. Load is what arrives at
/// headquarters: packets a second, a connection's handshake being some of them.
/// </summary>
internal static class ReconnectStorm
{
    private const int DirectOfficeEvery = 20;
    private const int ChangedEvery = 10;
    private const int PeakSeconds = 5;

    /// <summary>In how many offices devices join at a time, and how many in each.</summary>
    private const int OfficesAtOnce = 6;

    private const int JoinedAtOnce = 11;

    private const int ToldEvery = 2000;
    private static readonly TimeSpan SyncInterval = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan SteadyFor = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static Benchmark Benchmark { get; } = new("reconnect-storm", "offices and devices that lose headquarters, and their return", Run);

    private static int OfficesOf(BenchOptions options) => options.Offices ?? 200;

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        step = SimOffices.Timed(step);
        await using var fleet = await SimOffices.Start("storm", Enumerable.Repeat(1, OfficesOf(options)), step).ConfigureAwait(false);
        await fleet.Operator.ApplyPolicy(new PolicyContent("interval", Settings: new Dictionary<string, string> { ["sync.interval"] = DurationText.Of(SyncInterval) })).ConfigureAwait(false);

        var (devices, log) = (new ConcurrentBag<StormDevice>(), new StormLog());
        try
        {
            var lines = await Populate(fleet, options, devices, log, step, stop).ConfigureAwait(false);
            var total = OfficesOf(options) * options.DevicesPerOffice;
            await Until.True(async () => await fleet.Shown.Count("online").ConfigureAwait(false) >= total && log.OpenLines >= lines, $"all {total} devices are online", Patience).WaitAsync(stop).ConfigureAwait(false);
            step($"{OfficesOf(options)} offices are linked, {total} devices online, {lines} of them over lines of their own to headquarters");

            var steady = (await Watch(fleet, SteadyFor, null, stop).ConfigureAwait(false)).Average();
            step($"steady: {steady:0} packets a second arrive at headquarters");

            await fleet.KillHeadquarters().ConfigureAwait(false);
            step("headquarters is killed");
            await Watch(fleet, options.Outage / 2, null, stop).ConfigureAwait(false);
            foreach (var device in devices.Where((_, i) => i % ChangedEvery == 0))
                device.Change();
            await Watch(fleet, options.Outage / 2, null, stop).ConfigureAwait(false);
            foreach (var line in fleet.Logged("asked to come back within"))
                log.Told(line);

            await fleet.StartHeadquarters().ConfigureAwait(false);
            step($"headquarters is started again; those who lost it were asked to come back within {log.Window:0.0} s");
            return await Return(fleet, options, log, lines, steady, step, stop).ConfigureAwait(false);
        }
        finally
        {
            await Parallel.ForEachAsync(devices, SimOffices.Some(CancellationToken.None), async (device, _) => await device.DisposeAsync().ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <summary>Enrols and starts everything. How many devices speak with headquarters themselves.</summary>
    private static async Task<int> Populate(SimFleet fleet, BenchOptions options, ConcurrentBag<StormDevice> devices, StormLog log, Action<string> step, CancellationToken stop)
    {
        var offices = fleet.Topology.Offices;
        var direct = offices.Where((_, i) => i % DirectOfficeEvery == 0).Select(o => o.Id).ToHashSet();
        await fleet.JoinNodes(stop).ConfigureAwait(false);
        step($"{offices.Count} nodes have joined");
        await fleet.LinkNodes(Patience, step, stop).ConfigureAwait(false);
        await fleet.Operator.ApplyPolicy(new PolicyContent("lines", [.. direct.Select(o => o.Value)], Settings: new Dictionary<string, string> { ["agent.connection"] = "always" })).ConfigureAwait(false);

        var (tokens, count) = (new ConcurrentDictionary<OfficeId, JoinToken>(), options.DevicesPerOffice - 1);
        await Parallel.ForEachAsync(offices, SimOffices.Some(stop), async (office, _) =>
        {
            JoinToken.TryParse((await fleet.Operator.CreateToken(office.Id, "agent", uses: count).ConfigureAwait(false)).Text, out var token, out var _);
            tokens[office.Id] = token!;
        }).ConfigureAwait(false);
        await Parallel.ForEachAsync(offices, new ParallelOptions { MaxDegreeOfParallelism = OfficesAtOnce, CancellationToken = stop }, async (office, _) =>
        {
            var node = office.Nodes[0];
            var network = direct.Contains(office.Id) ? fleet.NetworkOf(node) : null;
            foreach (var some in Enumerable.Range(1, count).Chunk(JoinedAtOnce))
                foreach (var joined in await Task.WhenAll(some.Select(i => StormDevice.Join($"{office.Id}-{i}", tokens[office.Id], fleet.GatewayActorOf(node), network, fleet.Agents, log))).ConfigureAwait(false))
                    devices.Add(joined);
            if (devices.Count / ToldEvery != (devices.Count - count) / ToldEvery)
                step($"{devices.Count} devices have joined");
        }).ConfigureAwait(false);
        step($"{devices.Count} devices have joined beside the nodes' own");
        return direct.Count * (options.DevicesPerOffice - 1);
    }

    /// <summary>Watches everybody come back, prints the curve, and goes on until no sync of before can still speak for a device.</summary>
    private static async Task<IReadOnlyDictionary<string, double>> Return(
        SimFleet fleet, BenchOptions options, StormLog log, int lines, double steady, Action<string> step, CancellationToken stop)
    {
        var back = Stopwatch.StartNew();
        double? allBack = null;
        var (falseOffline, online, total) = (0, 0, OfficesOf(options) * options.DevicesPerOffice);
        // Two intervals and a grace is what one sync vouches for; whoever did not come back would be offline after.
        var until = (2 * SyncInterval) + TimeSpan.FromMinutes(1);
        var arrived = await Watch(fleet, until, async (second, packets) =>
        {
            var linked = (await fleet.Shown.Status().ConfigureAwait(false)).LinkedNodes;
            if (linked == OfficesOf(options) && log.OpenLines == lines)
                allBack ??= back.Elapsed.TotalSeconds;
            if (allBack is not null)
                falseOffline = Math.Max(falseOffline, await fleet.Shown.Count("offline").ConfigureAwait(false));
            if (second % 5 == 0 && (second <= 120 || second % 60 == 0))
            {
                online = await fleet.Shown.Count("online").ConfigureAwait(false);
                step($"after {back.Elapsed.TotalSeconds,5:0.0} s: {linked,4} offices linked, {log.OpenLines,5} lines open, {online,6} devices online, {packets,6:0} packets a second  {new string('#', (int)Math.Min(60, 10 * packets / steady))}");
            }
        }, stop).ConfigureAwait(false);
        var peak = Enumerable.Range(0, Math.Max(1, arrived.Count - PeakSeconds)).Max(i => arrived.Skip(i).Take(PeakSeconds).Average());
        step($"peak over {PeakSeconds} s: {peak:0} packets a second; busiest single second {arrived.Max():0}; {total - await fleet.Shown.Count("online").ConfigureAwait(false)} of {total} devices are not online at the end");
        return new Dictionary<string, double>
        {
            ["offices"] = OfficesOf(options),
            ["devices"] = total,
            ["lines"] = lines,
            ["outage_s"] = options.Outage.TotalSeconds,
            ["window_s"] = Math.Round(log.Window, 1),
            ["all_back_s"] = Math.Round(allBack ?? throw new TimeoutException($"not all were back after {until.TotalSeconds:0} s"), 1),
            ["steady_per_s"] = Math.Round(steady, 1),
            ["peak_per_s"] = Math.Round(peak, 1),
            ["peak_over_steady"] = Math.Round(peak / steady, 2),
            ["false_offline"] = falseOffline,
        };
    }

    /// <summary>Counts what arrives at headquarters, second by second.</summary>
    /// <param name="each">Told of each second: its number, and the packets in it.</param>
    private static async Task<List<double>> Watch(SimFleet fleet, TimeSpan time, Func<int, double, Task>? each, CancellationToken stop)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var (seconds, before, began, last) = (new List<double>(), fleet.PacketsAtHeadquarters, Stopwatch.StartNew(), TimeSpan.Zero);
        while (began.Elapsed < time && await ticks.WaitForNextTickAsync(stop).ConfigureAwait(false))
        {
            var (now, at) = (fleet.PacketsAtHeadquarters, began.Elapsed);
            // A busy machine may be late for a tick.
            seconds.Add((now - before) / (at - last).TotalSeconds);
            (before, last) = (now, at);
            if (each is not null)
                await each(seconds.Count, seconds[^1]).ConfigureAwait(false);
        }

        return seconds;
    }
}
