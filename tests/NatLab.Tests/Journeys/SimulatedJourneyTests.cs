using System.Diagnostics;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Journeys;
using Fleet.NatLab.Topologies;
using Xunit.Abstractions;

namespace Fleet.NatLab.Tests.Journeys;

/// <summary>A journey on the in-process engine. A class a journey, below, so that they run side by side: most of their time is waiting.</summary>
internal static class SimulatedJourney
{
    public static async Task Play(string name, ITestOutputHelper output)
    {
        var began = Stopwatch.StartNew();
        void Step(string step) => output.WriteLine($"{began.Elapsed.TotalSeconds,5:0.0} s  {step}");
        var journey = Journey.All.Single(j => j.Name == name);
        await using var fleet = await SimFleet.Build(Topology.Load(journey.Topology), Step);

        await journey.Run(fleet, Step);
    }
}

public sealed class SimulatedRogueTests(ITestOutputHelper output)
{
    [Fact]
    public Task A_valid_certificate_a_hostile_gateway_and_bad_tokens_get_nobody_further() => SimulatedJourney.Play("rogue", output);
}

public sealed class SimulatedUplinkCutTests(ITestOutputHelper output)
{
    [Fact]
    public Task An_office_that_is_cut_off_for_ten_minutes_loses_nothing() => SimulatedJourney.Play("uplink-cut", output);
}

public sealed class SimulatedNatForgetsTests(ITestOutputHelper output)
{
    [Fact]
    public Task A_link_survives_forgotten_mappings_and_a_new_address() => SimulatedJourney.Play("nat-forgets", output);
}

public sealed class SimulatedGatewayOnlyTests(ITestOutputHelper output)
{
    [Fact]
    public Task Each_device_goes_the_way_it_may_and_no_other() => SimulatedJourney.Play("gateway-only", output);
}

public sealed class SimulatedKillAnyTests(ITestOutputHelper output)
{
    [Fact]
    public Task Whoever_is_killed_what_was_acknowledged_is_there_afterwards() => SimulatedJourney.Play("kill-any", output);
}

public sealed class SimulatedOverlappingSubnetsTests(ITestOutputHelper output)
{
    [Fact]
    public Task Offices_that_look_the_same_from_inside_are_told_apart() => SimulatedJourney.Play("overlapping-subnets", output);
}

public sealed class SimulatedGatewayTakeoverTests(ITestOutputHelper output)
{
    [Fact]
    public Task Either_gateway_of_an_office_may_die_and_its_devices_are_at_the_other_in_seconds() => SimulatedJourney.Play("gateway-takeover", output);
}

public sealed class SimulatedGatewayChainTests(ITestOutputHelper output)
{
    [Fact]
    public Task Nodes_that_can_not_reach_headquarters_link_through_others_over_two_hops() => SimulatedJourney.Play("gateway-chain", output);
}

public sealed class SimulatedDmzGatewayTests(ITestOutputHelper output)
{
    [Fact]
    public Task A_gateway_that_can_not_dial_out_is_dialled_and_no_other_is_taken_for_it() => SimulatedJourney.Play("dmz-gateway", output);
}
