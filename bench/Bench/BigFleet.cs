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

    /// <summary>It uses less than so much of a core, in so many samples one after the other.</summary>
    private const double QuietPercent = 50;

    private const int QuietSamples = 5;

    /// <summary>Seconds over which the swarm measures itself.</summary>
    public const double SwarmIsLate = 1;

    /// <summary>Headquarters derives keys ahead from a minute after its start on, about so many a second (seen: 100,000 within seven minutes); what else a start leaves behind is over by then as well.</summary>
    private static readonly TimeSpan BeforeKeys = TimeSpan.FromSeconds(90);

    private const double KeysPerSecond = 250;

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

    /// <summary>Where a fleet keeps the data directory of its headquarters.</summary>
    public static string HeadquartersOf(string folder) => Path.Combine(folder, "headquarters");

    /// <summary>Where it keeps who its nodes and devices are.</summary>
    public static string IdentitiesOf(string folder) => Path.Combine(folder, "identities");

    /// <summary>Starts all of it, enrols what is missing and waits until every office is linked and every device has its line.</summary>
    /// <exception cref="LabException">It does not come to that; the message says how far it came.</exception>
    public static async Task<BigFleet> Start(BenchOptions options, int usualOffices, int usualDevices, Action<string> step, CancellationToken stop, ISwarmWatch? watch = null)
    {
        var (offices, devices) = (options.Offices ?? usualOffices, options.Devices ?? usualDevices);
        var fleet = await Open(options, stop, watch).ConfigureAwait(false);
        try
        {
            await fleet.Link(offices, devices / offices, Patience, step, stop).ConfigureAwait(false);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Starts headquarters, with no office linked yet.</summary>
    /// <exception cref="LabException">It does not get ready.</exception>
    public static async Task<BigFleet> Open(BenchOptions options, CancellationToken stop, ISwarmWatch? watch = null)
    {
        var scratch = options.Fleet is null ? Directory.CreateTempSubdirectory("fleet-bench-") : null;
        var folder = scratch?.FullName ?? options.Fleet!;
        var headquarters = HeadquartersProcess.At(HeadquartersOf(folder), [$"links.max-always-connected={NoBudget}", $"devices.max-always-connected={NoBudget}"]);
        await headquarters.Start().ConfigureAwait(false);
        var by = new SwarmOperator(headquarters.Address.Api, await File.ReadAllTextAsync(headquarters.TokenFile, stop).ConfigureAwait(false));
        var swarm = new FleetSwarm(IdentitiesOf(folder), headquarters.Address, by, watch);
        var fleet = new BigFleet(headquarters, by, swarm, new Sampler(swarm, () => headquarters.ProcessId, headquarters.Data), scratch);
        try
        {
            await by.WantLines(stop).ConfigureAwait(false);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Enrols what is missing and waits until so many offices, with those that are, are linked and each of their devices has its line.</summary>
    /// <exception cref="LabException">It does not come to that; the message says how far it came.</exception>
    public async Task Link(int offices, int perOffice, TimeSpan patience, Action<string> step, CancellationToken stop)
    {
        var (phase, before) = ($"{offices} offices", Swarm.Offices.Count);
        await Swarm.Populate(offices, perOffice, new Scenario("bench", [], []), step, stop).ConfigureAwait(false);
        Sampler.Enter(phase);
        var began = Stopwatch.StartNew();
        try
        {
            await Swarm.Ramp(TimeSpan.FromSeconds(Math.Max(30, (offices - before) / 50)), stop).ConfigureAwait(false);
            await UntilWhole("all offices are linked, all devices have their line and headquarters their reports", patience, stop).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            throw new LabException($"{late.Message} ({string.Join(", ", Swarm.Counts.All().Where(c => c.Value > 0).Select(c => $"{c.Key} {c.Value}"))})");
        }

        var took = began.Elapsed;
        Swarm.Save();
        step($"{offices} offices are linked after {took.TotalSeconds:0} s, {Devices} devices keep a line open; headquarters takes {Sampler.Of(phase).HqMegabytesLast} MB, the swarm {ProcessFigures.Of(Environment.ProcessId).ResidentMegabytes} MB");
    }

    public Task UntilWhole(string what, TimeSpan within, CancellationToken stop) => FleetSwarm.Until(
        () => Swarm.Counts[Count.Links] == Swarm.Offices.Count && Swarm.Counts[Count.Lines] == Devices && Swarm.Offices.All(o => o.IsSettled), what, stop, within);

    /// <summary>Waits until headquarters has nothing to do that lasts.</summary>
    public Task UntilQuiet(TimeSpan within, CancellationToken stop) => FleetSwarm.Until(
        () => Sampler.Samples is { Count: > QuietSamples } all && all.TakeLast(QuietSamples).All(s => s.HqCpuPercent < QuietPercent), "headquarters is quiet", stop, within);

    /// <summary>Waits until headquarters has derived its devices' keys ahead, after which it rests.</summary>
    public Task UntilKeysAreAhead(Action<string> step, CancellationToken stop) => Hold("rest", BeforeKeys + TimeSpan.FromSeconds(Devices / KeysPerSecond), 0, step, stop);

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
