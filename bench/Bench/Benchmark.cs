namespace Fleet.Bench;

/// <summary>A measurement: what it is called and how it is made.</summary>
/// <param name="Run">Measures; says each step; the figures' names are what others rely on.</param>
internal sealed record Benchmark(string Name, string What, Func<BenchOptions, Action<string>, CancellationToken, Task<IReadOnlyDictionary<string, double>>> Run)
{
    public static IReadOnlyList<Benchmark> All { get; } = [IdleSync.Benchmark, Footprint.Benchmark, SyncThroughput.Benchmark, WakeLatency.Benchmark, Discovery.Benchmark, ReconnectStorm.Benchmark, ManyLinks.Benchmark, Deltas.Benchmark, LanServe.Benchmark, OneCopies.Benchmark];
}

/// <param name="Idle">How long the fleet idles before its memory is read.</param>
/// <param name="Devices">How many devices report at once.</param>
/// <param name="Seconds">How long is measured.</param>
/// <param name="Trips">How many wake-ups, or messages of a peer, are timed.</param>
/// <param name="Offices">How many offices lose headquarters.</param>
/// <param name="DevicesPerOffice">The machine of the office's node among them.</param>
/// <param name="Outage">For how long.</param>
/// <param name="Nodes">How many office nodes link to one headquarters.</param>
/// <param name="ReportingOffices">How many offices' devices change without end.</param>
internal sealed record BenchOptions(TimeSpan Idle, int Devices, int Seconds, int Trips, int Offices, int DevicesPerOffice, TimeSpan Outage, int Nodes, int ReportingOffices);
