using System.Diagnostics;
using System.Text.Json;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Journeys;

/// <summary><c>natlab lab --journey NAME|all</c>: plays journeys on one of the engines, says each step, and ends with one line of JSON.</summary>
internal static class LabCommand
{
    /// <summary>Real programs on a real NAT: root on Linux.</summary>
    public const string KernelEngine = "kernel";

    /// <summary>The product's classes in this process, on a simulated network: any machine, no root.</summary>
    public const string InProcessEngine = "in-process";

    /// <param name="topology">Plays it elsewhere than it was written for; null: where it was.</param>
    public static async Task<int> Play(string name, string engine, string? topology, CancellationToken stop)
    {
        var playable = engine == KernelEngine ? Journey.All : [.. Journey.All.Where(j => !j.KernelOnly)];
        var journeys = name == "all" ? playable : [.. playable.Where(j => j.Name == name)];
        if (journeys.Count == 0)
        {
            await Console.Error.WriteLineAsync(Journey.All.Any(j => j.Name == name)
                ? $"journey '{name}' needs real machines: play it with --engine {KernelEngine}, as root"
                : $"there is no journey '{name}'; there are {string.Join(", ", playable.Select(j => j.Name))} and all").ConfigureAwait(false);
            return 2;
        }

        if (engine == KernelEngine && KernelLab.Unable() is { } why)
            throw new LabException($"{why}; '--engine {InProcessEngine}' plays the journeys on any machine, without root");
        var results = new List<(Journey Journey, bool Passed, double Seconds)>();
        foreach (var journey in journeys)
        {
            var began = Stopwatch.StartNew();
            Console.WriteLine($"{journey.Name}");
            var passed = await Play(journey, engine, topology ?? journey.Topology, step => Console.WriteLine($"  {began.Elapsed.TotalSeconds,5:0.0} s  {step}"), stop).ConfigureAwait(false);
            Console.WriteLine($"  {began.Elapsed.TotalSeconds,5:0.0} s  {(passed ? "passed" : "FAILED")}");
            results.Add((journey, passed, Math.Round(began.Elapsed.TotalSeconds, 1)));
            if (stop.IsCancellationRequested)
                break;
        }

        Console.WriteLine(JsonSerializer.Serialize(new
        {
            lab = engine,
            journeys = results.Select(r => new { name = r.Journey.Name, passed = r.Passed, seconds = r.Seconds }),
        }));
        return results.Count == journeys.Count && results.All(r => r.Passed) ? 0 : 1;
    }

    private static async Task<bool> Play(Journey journey, string engine, string topology, Action<string> step, CancellationToken stop)
    {
        IFleetUnderTest? fleet = null;
        try
        {
            var plan = Topology.Load(topology);
            fleet = engine == KernelEngine ? await ProcessFleet.InKernelLab(plan, step).ConfigureAwait(false) : await SimFleet.Build(plan, step).ConfigureAwait(false);
            await journey.Run(fleet, step).WaitAsync(stop).ConfigureAwait(false);
            return true;
        }
        catch (Exception fault) when (fault is LabException or TimeoutException or IOException or OperationCanceledException)
        {
            step($"{fault.Message}\n{(fault is OperationCanceledException ? "" : fleet?.Tails())}");
            return false;
        }
        finally
        {
            if (fleet is not null)
                await fleet.DisposeAsync().ConfigureAwait(false);
        }
    }
}
