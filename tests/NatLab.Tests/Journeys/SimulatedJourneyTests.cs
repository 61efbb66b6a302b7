using Fleet.NatLab.Fleets;
using Fleet.NatLab.Journeys;
using Fleet.NatLab.Topologies;
using Xunit.Abstractions;

namespace Fleet.NatLab.Tests.Journeys;

/// <summary>The journeys on the in-process engine: the product's own classes behind simulated translators, on any machine.</summary>
public sealed class SimulatedJourneyTests(ITestOutputHelper output)
{
    public static TheoryData<string> Journeys => [.. Journey.All.Select(j => j.Name)];

    [Theory, MemberData(nameof(Journeys))]
    public async Task A_fleet_lives_through(string name)
    {
        var began = System.Diagnostics.Stopwatch.StartNew();
        void Step(string step) => output.WriteLine($"{began.Elapsed.TotalSeconds,5:0.0} s  {step}");
        var journey = Journey.All.Single(j => j.Name == name);
        await using var fleet = await SimFleet.Build(Topology.Load(journey.Topology), Step);

        await journey.Run(fleet, Step);
    }
}
