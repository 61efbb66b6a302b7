using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>
/// What a quiet fleet of always-connected devices costs headquarters, and the same with one device in a hundred changing each minute: memory, processor,
/// growth. Offices and devices are a swarm in this process; headquarters is the published program beside it.
/// </summary>
internal static class FleetIdle
{
    private const double ChurnPercent = 1;

    /// <summary>Over the idle time, to see whether memory still grows at its end.</summary>
    private const int CurvePoints = 12;

    public static Benchmark Benchmark { get; } = new("fleet-idle", "what 100,000 always-connected devices in 1,000 offices cost headquarters", Run,
    [
        new Budget("hq_rss_mb", 1024, "MB of headquarters with an idle fleet"),
        new Budget("hq_cpu_pct", 25, "per cent of one core, idle"),
    ]);

    private static async Task<IReadOnlyDictionary<string, object>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        BigFleet fleet;
        try
        {
            fleet = await BigFleet.Start(options, 1000, 100_000, step, stop).ConfigureAwait(false);
        }
        catch (LabException short_)
        {
            return new Dictionary<string, object> { ["offices"] = 0, ["devices"] = 0, ["limit"] = short_.Message };
        }

        await using (fleet.ConfigureAwait(false))
        {
            await fleet.UntilKeysAreAhead(step, stop).ConfigureAwait(false);
            await fleet.Hold("idle", options.Idle, 0, step, stop).ConfigureAwait(false);
            await fleet.Hold("churn", options.Churn, ChurnPercent, step, stop).ConfigureAwait(false);
            var (idle, churn) = (fleet.Sampler.Of("idle"), fleet.Sampler.Of("churn"));
            var held = fleet.Sampler.Samples.Where(s => s.Phase == "idle").ToList();
            var late = fleet.Sampler.Samples.Where(s => s.Phase is "idle" or "churn").Max(s => s.BehindSeconds);
            return new Dictionary<string, object>
            {
                ["offices"] = (double)fleet.Swarm.Offices.Count,
                ["devices"] = (double)fleet.Devices,
                ["hq_rss_mb"] = idle.HqMegabytesLast,
                ["hq_cpu_pct"] = idle.HqCpuPercent,
                ["hq_rss_churn_mb"] = churn.HqMegabytesLast,
                ["hq_cpu_churn_pct"] = churn.HqCpuPercent,
                ["hq_rss_grew_mb_per_h"] = Math.Round((idle.HqMegabytesLast - idle.HqMegabytesFirst) / options.Idle.TotalHours, 1),
                ["hq_rss_curve_mb"] = held.Chunk(Math.Max(1, held.Count / CurvePoints)).Select(some => Math.Round(some.Average(s => s.HqMegabytes))).ToList(),
                ["files_grew_idle_mb_per_h"] = Math.Round(idle.JournalBytesPerHour / 1e6, 1),
                ["files_grew_churn_mb_per_h"] = Math.Round(churn.JournalBytesPerHour / 1e6, 1),
                ["messages_per_s"] = idle.MessagesPerSecond,
                ["limit"] = late > BigFleet.SwarmIsLate ? $"the swarm's own processor: it was {late:0.0} s late" : "none met",
            };
        }
    }
}
