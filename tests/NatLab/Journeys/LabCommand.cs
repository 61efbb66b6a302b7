using System.Diagnostics;
using System.Text.Json;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Journeys;

/// <summary><c>natlab lab --journey NAME|all</c>: plays journeys on the kernel engine, says each step, and ends with one line of JSON.</summary>
internal static class LabCommand
{
    /// <param name="topology">Plays it elsewhere than it was written for; null: where it was.</param>
    public static async Task<int> Play(string name, string? topology, CancellationToken stop)
    {
        var journeys = name == "all" ? Journey.All : [.. Journey.All.Where(j => j.Name == name)];
        if (journeys.Count == 0)
        {
            await Console.Error.WriteLineAsync($"there is no journey '{name}'; there are {string.Join(", ", Journey.All.Select(j => j.Name))} and all").ConfigureAwait(false);
            return 2;
        }

        var results = new List<(Journey Journey, bool Passed, double Seconds)>();
        foreach (var journey in journeys)
        {
            var began = Stopwatch.StartNew();
            Console.WriteLine($"{journey.Name}");
            var passed = await Play(journey, topology ?? journey.Topology, step => Console.WriteLine($"  {began.Elapsed.TotalSeconds,5:0.0} s  {step}"), stop).ConfigureAwait(false);
            Console.WriteLine($"  {began.Elapsed.TotalSeconds,5:0.0} s  {(passed ? "passed" : "FAILED")}");
            results.Add((journey, passed, Math.Round(began.Elapsed.TotalSeconds, 1)));
            if (stop.IsCancellationRequested)
                break;
        }

        Console.WriteLine(JsonSerializer.Serialize(new
        {
            lab = "kernel",
            journeys = results.Select(r => new { name = r.Journey.Name, passed = r.Passed, seconds = r.Seconds }),
        }));
        return results.Count == journeys.Count && results.All(r => r.Passed) ? 0 : 1;
    }

    private static async Task<bool> Play(Journey journey, string topology, Action<string> step, CancellationToken stop)
    {
        ProcessFleet? fleet = null;
        try
        {
            fleet = await ProcessFleet.InKernelLab(Topology.Load(topology), step).ConfigureAwait(false);
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
