using Fleet.NatLab.Topologies;
using Fleet.Swarm.Offices;
using Fleet.Swarm.Reports;
using Fleet.Swarm.Scenarios;

namespace Fleet.Swarm;

/// <summary>A run as it was asked for.</summary>
/// <param name="Devices">In all; shared out evenly.</param>
/// <param name="Data">A headquarters of its own is started here; null: <paramref name="Server"/> is loaded.</param>
/// <param name="TokenFile">Of an administrator of that server.</param>
/// <param name="ProcessId">That server's process, where it is on this machine.</param>
internal sealed record SwarmWish(
    Scenario Scenario, int Offices, int Devices, string Identities, bool AlwaysConnected, string? Data, IReadOnlyList<string> Settings, string? Server, string? TokenFile, int? ProcessId)
{
    /// <summary>Budgets must not be what is measured.</summary>
    private const int NoBudget = 10_000_000;

    public async Task<SwarmReport> Run(Action<string> step, CancellationToken stop)
    {
        if ((Data is null) == (Server is null) || (Server is not null && TokenFile is null))
            throw new LabException("say which headquarters: --headquarters DIRECTORY starts one, --server HOST with --admin-token FILE loads one that runs");
        if (Offices < 1 || Devices < Offices)
            throw new LabException("there must be an office, and a device in each: its node is one");
        await using var own = Data is null ? null : HeadquartersProcess.At(Data, [$"links.max-always-connected={NoBudget}", $"devices.max-always-connected={NoBudget}", .. Settings]);
        if (own is not null)
            await own.Start().ConfigureAwait(false);
        var address = own?.Address ?? HeadquartersAddress.Usual(Server!);
        using var by = new SwarmOperator(address.Api, await File.ReadAllTextAsync(own?.TokenFile ?? TokenFile!, stop).ConfigureAwait(false));
        await using var swarm = new FleetSwarm(Identities, address, by);
        if (AlwaysConnected)
            await by.WantLines(stop).ConfigureAwait(false);

        await swarm.Populate(Offices, Devices / Offices, Scenario, step, stop).ConfigureAwait(false);
        // Whoever looks on may wake them.
        swarm.DeriveKeys();
        await using var sampler = new Sampler(swarm, () => own?.ProcessId ?? ProcessId, Data);
        await new ScenarioRun(Scenario, swarm, sampler, step).Run(stop).ConfigureAwait(false);
        swarm.Save();
        return new SwarmReport(Scenario.Name, DateTimeOffset.UtcNow, SwarmReport.ThisMachine, Offices, swarm.Counts[Count.Devices], [.. Scenario.Phases.Select(p => sampler.Of(p.Name))], sampler.Samples);
    }
}
