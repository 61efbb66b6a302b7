using System.Diagnostics;
using System.Net;
using Fleet.Contracts;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Nat;
using Fleet.NatLab.Topologies;
using Xunit.Abstractions;

namespace Fleet.NatLab.Tests.Journeys;

/// <summary>One headquarters and hundreds of office nodes, all the product's own, in this process; alone, because it takes every processor for a while.</summary>
[Collection(nameof(ManyOfficesTests))]
[CollectionDefinition(nameof(ManyOfficesTests), DisableParallelization = true)]
public sealed class ManyOfficesTests(ITestOutputHelper output)
{
    private const int Offices = 301;
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 16 };
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Three_hundred_and_one_offices_behind_every_kind_of_translator_link_to_one_headquarters()
    {
        var began = Stopwatch.StartNew();
        void Step(string step) => output.WriteLine($"{began.Elapsed.TotalSeconds,5:0.0} s, {Environment.WorkingSet >> 20} MB  {step}");
        await using var fleet = await SimFleet.Build(Mixed(), Step);
        await fleet.StartHeadquarters();
        Step("headquarters is ready");

        await Parallel.ForEachAsync(fleet.Topology.Offices, AtOnce, async (office, _) =>
        {
            await fleet.Operator.AddOffice(office.Id);
            var token = await fleet.Operator.CreateToken(office.Id, "node");
            await fleet.EnrolNode(office.Nodes[0], token.Text);
        });
        Step($"{Offices} nodes are enrolled");
        await Parallel.ForEachAsync(fleet.Topology.Offices, AtOnce, async (office, _) => await fleet.StartNode(office.Nodes[0]));
        await fleet.Until(async shown => (await shown.Status()).LinkedNodes == Offices, $"{Offices} offices are linked", Patience);
        Step($"{Offices} offices are linked");

        // The first, behind its own carrier, and those on both sides of 300.
        foreach (var office in new[] { 0, 298, 299, 300 })
            await fleet.UntilObeyed(fleet.Topology.Offices[office].Nodes[0], "poller", Patience);
        Step("what headquarters tells a node reaches it");
    }

    private static Topology Mixed() => new("many", IPAddress.Parse("203.0.113.10"), [.. Enumerable.Range(0, Offices).Select(Office)]);

    /// <summary>Every fifth one has a carrier that translates again.</summary>
    private static TopologyOffice Office(int number)
    {
        var id = new OfficeId($"office-{number}");
        var kinds = NatBehaviour.ByName.Keys.Order(StringComparer.Ordinal).ToList();
        var own = new IPAddress([198, 18, (byte)(number / 250), (byte)(1 + (number % 250))]);
        var behindCarrier = number % 5 == 0;
        return new TopologyOffice(
            id, behindCarrier ? IPAddress.Parse("100.64.0.7") : own, behindCarrier ? own : null, kinds[number % kinds.Count],
            IPAddress.Parse("192.168.1.1"), [new TopologyNode(NodeId.Of("gw1", id), IPAddress.Parse("192.168.1.10"))], [], []);
    }
}
