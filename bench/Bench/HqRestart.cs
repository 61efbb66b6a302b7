using System.Diagnostics;
using System.Globalization;
using Fleet.Swarm.Offices;

namespace Fleet.Bench;

/// <summary>
/// Headquarters is killed (SIGKILL) under a fleet of always-connected devices and started again on its files. Times are from its new start. After it, in the same run: a MeshCentral server
/// under its own agents.
/// </summary>
internal static class HqRestart
{
    /// <summary>Each is a process of its own, and takes 10 MB.</summary>
    private const int MeshAgents = 120;

    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static Benchmark Benchmark { get; } = new("hq-restart", "headquarters killed and restarted under 1,000 offices with 100,000 devices", Run,
    [
        new Budget("all_linked_s", 30, "s until all offices are linked again"),
        new Budget("presence_right_s", 45, "s until the API shows every device online"),
    ]);

    private static async Task<IReadOnlyDictionary<string, object>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        var figures = await OfFleet(options, step, stop).ConfigureAwait(false);
        if (MeshCentral.Unable() is { } lacks)
        {
            step($"MeshCentral is left out: {lacks}");
            return figures;
        }

        var mesh = await MeshCentral.Restart(MeshAgents, step, stop).ConfigureAwait(false);
        step(string.Create(CultureInfo.InvariantCulture, $"MeshCentral, {MeshAgents} agents: half are back after {mesh.Half} s, nine of ten after {mesh.Most} s, all after {mesh.Last} s"));
        (figures["mesh_agents"], figures["mesh_half_back_s"], figures["mesh_90_pct_back_s"], figures["mesh_all_back_s"], figures["mesh_rss_mb"]) = ((double)MeshAgents, mesh.Half, mesh.Most, mesh.Last, mesh.Megabytes);
        return figures;
    }

    private static async Task<Dictionary<string, object>> OfFleet(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        await using var fleet = await BigFleet.Start(options, 1000, 100_000, step, stop).ConfigureAwait(false);
        await fleet.UntilPresenceIsRight(Patience, stop).ConfigureAwait(false);
        await fleet.Hold("rest", Rest, 0, step, stop).ConfigureAwait(false);

        var before = (Lost: fleet.Swarm.Counts[Count.Lost], Unreached: fleet.Swarm.Counts[Count.Unreached], NotWelcome: fleet.Swarm.Counts[Count.NotWelcome]);
        fleet.Headquarters.Kill();
        fleet.Sampler.Enter("restart");
        var began = Stopwatch.StartNew();
        await fleet.Headquarters.Start().ConfigureAwait(false);
        var ready = began.Elapsed.TotalSeconds;
        step($"headquarters is ready after {ready:0.0} s");
        var presence = fleet.UntilPresenceIsRight(Patience, stop);
        var half = await Linked(fleet, began, 0.5, stop).ConfigureAwait(false);
        var most = await Linked(fleet, began, 0.9, stop).ConfigureAwait(false);
        var linked = await Linked(fleet, began, 1, stop).ConfigureAwait(false);
        var (lost, unreached, notWelcome) = (fleet.Swarm.Counts[Count.Lost] - before.Lost, fleet.Swarm.Counts[Count.Unreached] - before.Unreached, fleet.Swarm.Counts[Count.NotWelcome] - before.NotWelcome);
        step($"offices are linked again: half after {half:0.0} s, nine of ten after {most:0.0} s, all after {linked:0.0} s; {lost} links were lost (one for each office by the kill), {unreached} dials found nobody, {notWelcome} were told to wait");
        await presence.ConfigureAwait(false);
        var right = began.Elapsed.TotalSeconds;
        step($"presence is right after {right:0.0} s");
        var restart = fleet.Sampler.Of("restart");
        return new Dictionary<string, object>
        {
            ["offices"] = (double)fleet.Swarm.Offices.Count,
            ["devices"] = (double)fleet.Devices,
            ["ready_s"] = Math.Round(ready, 1),
            ["half_linked_s"] = Math.Round(half, 1),
            ["linked_90_pct_s"] = Math.Round(most, 1),
            ["all_linked_s"] = Math.Round(linked, 1),
            ["presence_right_s"] = Math.Round(right, 1),
            ["hq_peak_cpu_pct"] = restart.HqCpuPercentPeak,
            ["hq_peak_rss_mb"] = restart.HqMegabytesPeak,
            ["lost"] = (double)lost,
            ["unreached"] = (double)unreached,
            ["not_welcome"] = (double)notWelcome,
        };
    }

    /// <summary>When this share of the offices is linked, in seconds.</summary>
    private static async Task<double> Linked(BigFleet fleet, Stopwatch began, double share, CancellationToken stop)
    {
        var offices = (int)Math.Ceiling(fleet.Swarm.Offices.Count * share);
        await Swarm.FleetSwarm.Until(() => fleet.Swarm.Counts[Count.Links] >= offices, $"{offices} offices are linked again", stop, Patience).ConfigureAwait(false);
        return began.Elapsed.TotalSeconds;
    }
}
