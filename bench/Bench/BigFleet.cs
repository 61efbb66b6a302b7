using System.Diagnostics;
using Fleet.NatLab.Topologies;
using Fleet.Swarm;
using Fleet.Swarm.Offices;
using Fleet.Swarm.Reports;
using Fleet.Swarm.Scenarios;

namespace Fleet.Bench;

/// <summary>The published headquarters as a process of its own on SQLite, and a swarm of always-connected devices that has linked to it and come to rest.</summary>
internal sealed class BigFleet : IAsyncDisposable
{
    /// <summary>Budgets of connections must not be what is measured.</summary>
    private const int NoBudget = 10_000_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(1);

    private readonly DirectoryInfo? _scratch;

    private BigFleet(HeadquartersProcess headquarters, SwarmOperator by, FleetSwarm swarm, Sampler sampler, DirectoryInfo? scratch) =>
        (Headquarters, Operator, Swarm, Sampler, _scratch) = (headquarters, by, swarm, sampler, scratch);

    public HeadquartersProcess Headquarters { get; }

    public SwarmOperator Operator { get; }

    public FleetSwarm Swarm { get; }

    public Sampler Sampler { get; }

    public int Devices => (int)Swarm.Counts[Count.Devices];

    /// <summary>Starts all of it, enrols what is missing and waits until every office is linked and every device has its line.</summary>
    /// <exception cref="LabException">It does not come to that; the message says how far it came.</exception>
    public static async Task<BigFleet> Start(BenchOptions options, int usualOffices, int usualDevices, Action<string> step, CancellationToken stop, ISwarmWatch? watch = null)
    {
        var (offices, devices) = (options.Offices ?? usualOffices, options.Devices ?? usualDevices);
        var scratch = options.Fleet is null ? Directory.CreateTempSubdirectory("fleet-bench-") : null;
        var folder = scratch?.FullName ?? options.Fleet!;
        var headquarters = HeadquartersProcess.At(Path.Combine(folder, "headquarters"), [$"links.max-always-connected={NoBudget}", $"devices.max-always-connected={NoBudget}"]);
        await headquarters.Start().ConfigureAwait(false);
        var by = new SwarmOperator(headquarters.Address.Api, await File.ReadAllTextAsync(headquarters.TokenFile, stop).ConfigureAwait(false));
        var swarm = new FleetSwarm(Path.Combine(folder, "identities"), headquarters.Address, by, watch);
        var fleet = new BigFleet(headquarters, by, swarm, new Sampler(swarm, () => headquarters.ProcessId, headquarters.Data), scratch);
        try
        {
            await by.WantLines(stop).ConfigureAwait(false);
            await swarm.Populate(offices, devices / offices, new Scenario("bench", [], []), step, stop).ConfigureAwait(false);
            fleet.Sampler.Enter("start");
            await swarm.Ramp(TimeSpan.FromSeconds(Math.Max(30, offices / 50)), stop).ConfigureAwait(false);
            await fleet.UntilWhole("all offices are linked, all devices have their line and headquarters their reports", Patience, stop).ConfigureAwait(false);
            step($"{offices} offices are linked, {fleet.Devices} devices keep a line open; headquarters takes {fleet.Sampler.Of("start").HqMegabytesLast} MB, the swarm {ProcessFigures.Of(Environment.ProcessId).ResidentMegabytes} MB");
            swarm.Save();
            return fleet;
        }
        catch (TimeoutException late)
        {
            var counts = string.Join(", ", swarm.Counts.All().Where(c => c.Value > 0).Select(c => $"{c.Key} {c.Value}"));
            await fleet.DisposeAsync().ConfigureAwait(false);
            throw new LabException($"{late.Message} ({counts})");
        }
        catch
        {
            await fleet.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task UntilWhole(string what, TimeSpan within, CancellationToken stop) => FleetSwarm.Until(
        () => Swarm.Counts[Count.Links] == Swarm.Offices.Count && Swarm.Counts[Count.Lines] == Devices && Swarm.Offices.All(o => o.IsSettled), what, stop, within);

    /// <summary>Lets a phase pass.</summary>
    public Task Hold(string phase, TimeSpan lasting, double changedPercent, Action<string> step, CancellationToken stop) =>
        new ScenarioRun(new Scenario("bench", [], []), Swarm, Sampler, step).Run(new Phase(phase, PhaseKind.Hold, lasting.TotalSeconds, changedPercent), stop);

    /// <summary>Waits until headquarters' own API shows every device online.</summary>
    public async Task UntilPresenceIsRight(TimeSpan within, CancellationToken stop)
    {
        var (waited, shown) = (Stopwatch.StartNew(), "nothing");
        while (true)
        {
            try
            {
                var online = await Operator.Sees.Count("online").ConfigureAwait(false);
                shown = $"{online} of {Devices}";
                if (online == Devices)
                    return;
            }
            catch (IOException notYet)
            {
                shown = notYet.Message;
            }

            if (waited.Elapsed > within)
                throw new LabException($"headquarters does not show all devices online within {within.TotalSeconds:0} s: {shown}");
            await Task.Delay(AskEvery, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until no wake-up is under way: headquarters has the journal of all outcomes.</summary>
    public Task UntilAwake(TimeSpan within, CancellationToken stop) =>
        FleetSwarm.Until(() => Swarm.Offices.All(o => o.HasToldAll), "headquarters has stored the outcomes of all wake-ups", stop, within);

    public async ValueTask DisposeAsync()
    {
        await Sampler.DisposeAsync().ConfigureAwait(false);
        await Swarm.DisposeAsync().ConfigureAwait(false);
        Operator.Dispose();
        await Headquarters.DisposeAsync().ConfigureAwait(false);
        _scratch?.Delete(recursive: true);
    }
}
