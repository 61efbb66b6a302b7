using System.Diagnostics;
using System.Globalization;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.Swarm.Identities;
using Fleet.Swarm.Offices;
using Fleet.Swarm.Reports;

namespace Fleet.Bench;

/// <summary>
/// A headquarters that knows a million devices in 10,000 offices, of which ever more are linked, until something on this machine is at its end: that is named. Offices are grown from some
/// that enrolled (<see cref="GrownFleet"/>); their links, lines and syncs are as real as theirs.
/// </summary>
internal static class FleetMillion
{
    /// <summary>Offices that enrol.</summary>
    private const int Enrolled = 100;

    /// <summary>Offices that come in at once: each device of a grown office gets another document the first time, and all of that is to be stored.</summary>
    private const int Together = 1000;

    /// <summary>Of both processors together: there is nothing left for anybody.</summary>
    private const double BothFull = 190;

    private static readonly double[] Shares = [0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1];
    private static readonly TimeSpan LinkPatience = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan BeginPatience = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan RebuildPatience = TimeSpan.FromMinutes(60);
    private static readonly TimeSpan ComesToRest = TimeSpan.FromSeconds(30);

    public static Benchmark Benchmark { get; } = new("fleet-million", "1,000,000 always-connected devices in 10,000 offices, as far as this machine carries them", Run, []);

    private static async Task<IReadOnlyDictionary<string, object>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var scratch = options.Fleet is null ? Directory.CreateTempSubdirectory("fleet-bench-") : null;
        try
        {
            var (offices, devices) = (options.Offices ?? 10_000, options.Devices ?? 1_000_000);
            return await Run(options with { Fleet = scratch?.FullName ?? options.Fleet }, offices, devices / offices, step, stop).ConfigureAwait(false);
        }
        finally
        {
            scratch?.Delete(recursive: true);
        }
    }

    private static async Task<IReadOnlyDictionary<string, object>> Run(BenchOptions options, int offices, int perOffice, Action<string> step, CancellationToken stop)
    {
        await Make(options, offices, perOffice, step, stop).ConfigureAwait(false);
        var (curve, limit) = (new List<Dictionary<string, object>>(), "none met");
        var fleet = await BigFleet.Open(options, stop).ConfigureAwait(false);
        await using (fleet.ConfigureAwait(false))
        {
            var began = Stopwatch.StartNew();
            await fleet.UntilQuiet(BeginPatience, stop).ConfigureAwait(false);
            step($"headquarters has begun {offices} offices after {began.Elapsed.TotalSeconds:0} s and takes {fleet.Sampler.Samples[^1].HqMegabytes} MB");
            foreach (var linked in Shares.Select(s => (int)(offices * s)))
            {
                var next = fleet.Swarm.Offices.Count;
                try
                {
                    while (next < linked)
                    {
                        next = Math.Min(next + Together, linked);
                        await fleet.Link(next, perOffice, LinkPatience, step, stop).ConfigureAwait(false);
                    }
                }
                catch (LabException late)
                {
                    var trying = fleet.Sampler.Of($"{next} offices");
                    limit = string.Create(CultureInfo.InvariantCulture, $"{next} offices: {late.Message}; headquarters took {trying.HqCpuPercent} % of a core, the swarm {trying.SwarmCpuPercent} %");
                    break;
                }

                await fleet.Hold("rest", ComesToRest, 0, step, stop).ConfigureAwait(false);
                // Not those that others cost which came in.
                var (phase, lost) = ($"{linked} offices, idle", fleet.Swarm.Counts[Count.Lost]);
                await fleet.Hold(phase, options.Idle / Shares.Length, 0, step, stop).ConfigureAwait(false);
                var idle = fleet.Sampler.Of(phase);
                var behind = fleet.Sampler.Samples.Where(s => s.Phase == phase).Max(s => s.BehindSeconds);
                lost = fleet.Swarm.Counts[Count.Lost] - lost;
                curve.Add(new Dictionary<string, object>
                {
                    ["offices"] = (double)linked,
                    ["devices"] = (double)fleet.Devices,
                    ["hq_rss_mb"] = idle.HqMegabytesLast,
                    ["hq_cpu_pct"] = idle.HqCpuPercent,
                    ["swarm_cpu_pct"] = idle.SwarmCpuPercent,
                    ["swarm_rss_mb"] = ProcessFigures.Of(Environment.ProcessId).ResidentMegabytes,
                    ["links_lost"] = (double)lost,
                });
                if (Limit(idle, behind, lost) is not { } met)
                    continue;
                limit = string.Create(CultureInfo.InvariantCulture, $"{linked} offices: {met}");
                break;
            }
        }

        return new Dictionary<string, object>(curve.Count > 0 ? curve[^1] : new Dictionary<string, object> { ["offices"] = 0.0, ["devices"] = 0.0 }) { ["known_devices"] = (double)(offices * perOffice), ["limit"] = limit, ["curve"] = curve };
    }

    /// <summary>What was at its end; null: nothing.</summary>
    private static string? Limit(PhaseFigures idle, double behind, long lost) =>
        idle.HqCpuPercent + idle.SwarmCpuPercent > BothFull ? string.Create(CultureInfo.InvariantCulture, $"both processors are full: headquarters {idle.HqCpuPercent} % of a core, the swarm {idle.SwarmCpuPercent} %")
        : behind > BigFleet.SwarmIsLate ? string.Create(CultureInfo.InvariantCulture, $"the swarm's own processor: it was {behind:0.0} s late")
        : lost > 0 ? string.Create(CultureInfo.InvariantCulture, $"{lost} links were lost")
        : null;

    /// <summary>Enrols the first offices, and writes the others into the journal.</summary>
    private static async Task Make(BenchOptions options, int offices, int perOffice, Action<string> step, CancellationToken stop)
    {
        var identities = new IdentityFolder(BigFleet.IdentitiesOf(options.Fleet!));
        var enrolled = Math.Min(Enrolled, offices);
        if (Enumerable.Range(0, enrolled).Any(n => identities.Load(Swarm.FleetSwarm.NameOf(n).Value) is null))
            await (await BigFleet.Start(options with { Offices = enrolled, Devices = enrolled * perOffice }, enrolled, enrolled * perOffice, step, stop).ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
        var data = BigFleet.HeadquartersOf(options.Fleet!);
        if (!new GrownFleet(data, identities).Grow(enrolled, offices, step))
            return;
        step("the read model is written from it");
        var (code, _, errors) = await LabProcess.Run("headquarters", [Programs.Headquarters, "rebuild-read-model", "--data", data], RebuildPatience).ConfigureAwait(false);
        if (code != 0)
            throw new LabException($"the read model could not be written: {errors}");
    }
}
