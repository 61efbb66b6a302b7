using Fleet.NatLab.Topologies;
using Fleet.Swarm.Scenarios;

namespace Fleet.NatLab.Tests.Swarm;

public sealed class ScenarioTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("swarm-scenarios-");

    [Fact]
    public void The_scenarios_that_come_with_the_program_can_be_run()
    {
        var scenarios = Scenario.ShippedNames.Select(Scenario.Load).ToList();

        Assert.Equal(["churn", "idle", "mixed"], scenarios.Select(s => s.Name));
        Assert.All(scenarios, s => Assert.Equal(PhaseKind.Ramp, s.Phases[0].Kind));
    }

    [Fact]
    public void A_mix_is_shared_out_over_the_offices_and_the_rest_is_idle()
    {
        var (chatty, hostile) = (new Behaviour(ChangedPercent: 20), new Behaviour(Hostile: [Hostility.HelloFlood]));
        var scenario = new Scenario("mix", [], [new Share(0.3, chatty), new Share(0.1, hostile)]);

        var behaviours = Enumerable.Range(0, 10).Select(n => scenario.Of(n, 10)).ToList();

        Assert.Equal(3, behaviours.Count(b => b == chatty));
        Assert.Equal(1, behaviours.Count(b => b == hostile));
        Assert.Equal(6, behaviours.Count(b => b == Behaviour.Idle));
    }

    [Theory]
    [InlineData("""{ "name": "x", "phases": [{ "name": "h", "kind": "hold", "seconds": 1 }], "mix": [] }""", "ramp")]
    [InlineData("""{ "name": "x", "phases": [{ "name": "r", "kind": "ramp", "seconds": 1 }], "mix": [{ "part": 1.5, "behaviour": {} }] }""", "part")]
    [InlineData("""{ "name": "x", "phases": [{ "name": "r", "kind": "ramp", "seconds": 1, "wait": 3 }], "mix": [] }""", "wait")]
    [InlineData("""{ "name": "x" """, "x.json")]
    public void What_is_wrong_in_a_scenario_is_named(string text, string named)
    {
        var file = Path.Combine(_folder.FullName, "x.json");
        File.WriteAllText(file, text);

        var fault = Assert.Throws<LabException>(() => Scenario.Load(file));

        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
        Assert.Contains(file, fault.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
