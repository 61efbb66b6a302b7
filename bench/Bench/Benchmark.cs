namespace Fleet.Bench;

/// <summary>A measurement: what it is called and how it is made.</summary>
/// <param name="Run">Measures; says each step; the figures' names are what others rely on. A figure is a number, or a text.</param>
/// <param name="Budgets">What its figures should not exceed (docs/architecture.md, section Budgets); shown beside them.</param>
internal sealed record Benchmark(string Name, string What, Func<BenchOptions, Action<string>, CancellationToken, Task<IReadOnlyDictionary<string, object>>> Run, IReadOnlyList<Budget> Budgets)
{
    /// <summary>One without budgets, whose figures are all numbers.</summary>
    public Benchmark(string name, string what, Func<BenchOptions, Action<string>, CancellationToken, Task<IReadOnlyDictionary<string, double>>> run)
        : this(name, what, async (options, step, stop) => (await run(options, step, stop).ConfigureAwait(false)).ToDictionary(f => f.Key, f => (object)f.Value), [])
    {
    }

    public static IReadOnlyList<Benchmark> All { get; } = [IdleSync.Benchmark, Footprint.Benchmark, SyncThroughput.Benchmark, WakeLatency.Benchmark, Discovery.Benchmark, ReconnectStorm.Benchmark, ManyLinks.Benchmark, Deltas.Benchmark, LanServe.Benchmark, OneCopies.Benchmark, FleetIdle.Benchmark, FleetMillion.Benchmark, HqRestart.Benchmark, WakeAll.Benchmark, Failover.Benchmark, Lists.Benchmark, Micro.Benchmark];
}

/// <param name="Most">The figure should be under it.</param>
internal sealed record Budget(string Figure, double Most, string What);

/// <param name="Idle">How long the fleet idles before its memory is read.</param>
/// <param name="Devices">How many devices there are; null: as many as the benchmark usually has.</param>
/// <param name="Seconds">How long is measured.</param>
/// <param name="Trips">How many wake-ups, or messages of a peer, are timed.</param>
/// <param name="Offices">How many offices there are; null: as many as the benchmark usually has.</param>
/// <param name="DevicesPerOffice">The machine of the office's node among them.</param>
/// <param name="Outage">For how long.</param>
/// <param name="Nodes">How many office nodes link to one headquarters.</param>
/// <param name="ReportingOffices">How many offices' devices change without end.</param>
/// <param name="Fleet">Directory that keeps a headquarters and who enrolled with it, for benchmarks of large fleets; null: a new one each time.</param>
internal sealed record BenchOptions(TimeSpan Idle, TimeSpan Churn, int? Devices, int Seconds, int Trips, int? Offices, int DevicesPerOffice, TimeSpan Outage, int Nodes, int ReportingOffices, string? Fleet);
