using System.Diagnostics;
using Fleet.Swarm.Offices;
using Fleet.Swarm.Reports;

namespace Fleet.Swarm.Scenarios;

/// <summary>Drives a swarm through the phases of a scenario.</summary>
internal sealed class ScenarioRun(Scenario scenario, FleetSwarm swarm, Sampler sampler, Action<string> step)
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    /// <summary>What is due of each behaviour of each office and has not been done: rates are rarely whole numbers.</summary>
    private readonly Dictionary<(SimOffice?, string), double> _due = [];

    public async Task Run(CancellationToken stop)
    {
        foreach (var phase in scenario.Phases)
            await Run(phase, stop).ConfigureAwait(false);
    }

    public async Task Run(Phase phase, CancellationToken stop)
    {
        step($"phase {phase.Name}: {phase.Kind.ToString().ToLowerInvariant()}");
        sampler.Enter(phase.Name);
        switch (phase.Kind)
        {
            case PhaseKind.Ramp:
                await swarm.Ramp(TimeSpan.FromSeconds(phase.Seconds), stop).ConfigureAwait(false);
                break;
            case PhaseKind.Hold:
                await Hold(phase, () => false, stop).ConfigureAwait(false);
                break;
            case PhaseKind.Storm:
                foreach (var office in swarm.Offices)
                    office.Cut(TimeSpan.FromSeconds(phase.CutSeconds));
                await Hold(phase, () => swarm.Offices.All(o => o.IsLinked || !o.Behaviour.KeepsLink), stop).ConfigureAwait(false);
                break;
            default:
                throw new NotSupportedException($"{phase.Kind} is no phase");
        }

        var links = swarm.Counts[Count.Links];
        step($"phase {phase.Name} is over: {links} of {swarm.Offices.Count} links are up, headquarters takes {sampler.Of(phase.Name).HqCpuPercent} % of a core and {sampler.Of(phase.Name).HqMegabytesLast} MB");
    }

    private async Task Hold(Phase phase, Func<bool> isOver, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Beat);
        while (clock.Elapsed.TotalSeconds < phase.Seconds && await timer.WaitForNextTickAsync(stop).ConfigureAwait(false) && !isOver())
            Act(phase);
    }

    /// <summary>What falls into one second.</summary>
    private void Act(Phase phase)
    {
        foreach (var _ in Due(null, nameof(Phase.ChangedPercent), swarm.Counts[Count.Devices] * phase.ChangedPercent / 100 / 60))
            Any().Change(1);
        foreach (var office in swarm.Offices)
        {
            var behaviour = office.Behaviour;
            if (ReferenceEquals(behaviour, Behaviour.Idle))
                continue;
            double PerSecond(double percentAMinute) => office.Devices * percentAMinute / 100 / 60;
            foreach (var _ in Due(office, nameof(Behaviour.ChangedPercent), PerSecond(behaviour.ChangedPercent)))
                office.Change(1);
            foreach (var _ in Due(office, nameof(Behaviour.RoamingPercent), PerSecond(behaviour.RoamingPercent)))
                Roam(office);
            foreach (var _ in Due(office, nameof(Behaviour.ClonedDevicesPercent), PerSecond(behaviour.ClonedDevicesPercent)))
                office.ReportClone();
            if (behaviour.FlapEvery > 0 && Random.Shared.NextDouble() < 1 / behaviour.FlapEvery)
                office.Cut(TimeSpan.FromSeconds(behaviour.FlapFor));
            if (behaviour.Hostile is { Count: > 0 } hostile)
                office.Misbehave(hostile[Random.Shared.Next(hostile.Count)]);
        }
    }

    private void Roam(SimOffice home)
    {
        var host = Any();
        if (host != home && host.IsLinked && home.Roam(host.Node) is { } report)
            host.Carry(report);
    }

    private SimOffice Any() => swarm.Offices[Random.Shared.Next(swarm.Offices.Count)];

    private IEnumerable<int> Due(SimOffice? office, string what, double perSecond)
    {
        if (perSecond <= 0)
            return [];
        var due = _due.GetValueOrDefault((office, what)) + perSecond;
        var whole = (int)due;
        _due[(office, what)] = due - whole;
        return Enumerable.Range(0, whole);
    }
}
