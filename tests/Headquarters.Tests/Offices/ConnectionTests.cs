using Akka.Actor;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Headquarters.Company;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.Offices;

/// <summary>Who may stay connected: modes of nodes and devices, and the company's budgets, through the twins of two offices.</summary>
public sealed class ConnectionTests : IAsyncLifetime
{
    private TestCompany _company = null!;
    private TestKit _kit = null!;

    public async Task InitializeAsync()
    {
        _company = await TestCompany.Start(offices: [Leeds, York]);
        _kit = new TestKit(_company.System);
    }

    public async Task DisposeAsync()
    {
        _kit.Dispose();
        await _company.DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_is_set_to_periodic_is_told_so_and_shown_so()
    {
        var node = await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, "gw1");
        await node.Announce();

        await _company.Office(new SetNodeLink(Leeds, node.Id, false, "test"));
        var periodic = await node.Down<NodeDesired>(d => d.Periodic);
        await _company.Office(new SetNodeLink(Leeds, node.Id, null, "test"));
        var always = await node.Down<NodeDesired>(d => !d.Periodic);

        Assert.True(always.Version > periodic.Version && periodic.Version > 0);
        Assert.Equal(TimeSpan.FromMinutes(15), periodic.SyncInterval);
        await ReadModelShows(async () => await _company.ReadModel.Node(node.Id) is { Mode: { Periodic: false, Set: null }, DesiredVersion: 2 }, "the mode of the node");
    }

    [Fact]
    public async Task A_policy_makes_the_nodes_of_an_office_periodic_with_the_interval_it_sets()
    {
        var node = await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, "gw1");
        await node.Announce();

        await _company.Company(new ApplyPolicy(new PolicyDocument(new PolicyName("metered"), [Leeds], new Dictionary<string, string>(), 1,
            new Dictionary<string, string> { ["node.link"] = "periodic", ["sync.interval"] = "1h" }), "test"));

        Assert.Equal(TimeSpan.FromHours(1), (await node.Down<NodeDesired>(d => d.Periodic)).SyncInterval);
    }

    [Fact]
    public async Task Over_the_budget_a_device_stays_periodic_and_is_told_the_budget_the_count_and_the_setting_until_a_place_is_free()
    {
        _company.Budgets = new ConnectionBudgets(Links: 2000, Devices: 2);
        await _company.Restart();
        var leeds = new[] { await _company.EnrolDevice(Leeds, "till-1"), await _company.EnrolDevice(Leeds, "till-2") };
        var york = await _company.EnrolDevice(York, "till-3");
        foreach (var till in leeds)
        {
            await _company.Office(new SetConnection(Leeds, till.Id, true, "test"));
            await ReadModelShows(async () => await _company.ReadModel.Device(till.Id) is { HasPlace: true }, $"{till.Id} has a place");
        }

        await _company.Office(new SetConnection(York, york.Id, true, "test"));

        await ReadModelShows(async () => await _company.ReadModel.Device(york.Id) is { HasPlace: false, PlaceWhy.Length: > 0 }, "the refusal");
        Assert.Equal("fleet.devices.max-always-connected lets 2 devices stay connected, and 2 do: it goes on in periodic mode. Raise the setting, or let others be periodic",
            (await _company.ReadModel.Device(york.Id))!.PlaceWhy);

        await _company.Office(new SetConnection(Leeds, leeds[0].Id, false, "test"));

        await ReadModelShows(async () => await _company.ReadModel.Device(york.Id) is { HasPlace: true, PlaceWhy: "" }, "the place that became free");
    }

    [Fact]
    public async Task Of_the_nodes_over_the_budget_the_newest_is_periodic_and_says_why_and_a_restart_changes_nothing()
    {
        _company.Budgets = new ConnectionBudgets(Links: 1, Devices: 100);
        await _company.Restart();
        _kit = new TestKit(_company.System);
        var first = await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, "gw1");
        await ReadModelShows(async () => (await _company.Events()).OfType<ConnectionsLeased>().Any(l => l.Links == 1), "the first node's place");
        var second = await LinkedNode.Join(_company, _kit.CreateTestProbe(), York, "gw1");

        await ReadModelShows(async () => await _company.ReadModel.Node(second.Id) is { Mode: { Periodic: true, Why.Length: > 0 } }, "the refusal");
        await _company.Restart();
        await _company.Cluster.Offices.Ask<OfficePresence>(new GetPresence(York), TimeSpan.FromSeconds(20));

        Assert.Contains("fleet.links.max-always-connected lets 1 office nodes stay connected, and 1 do", (await _company.ReadModel.Node(second.Id))!.Mode.Why, StringComparison.Ordinal);
        Assert.False((await _company.ReadModel.Node(first.Id))!.Mode.Periodic);
        var leases = (await _company.Events()).OfType<ConnectionsLeased>().GroupBy(l => l.OfficeId).Select(l => l.Last()).ToList();
        Assert.Equal(1, leases.Sum(l => l.Links));
    }

    [Fact]
    public async Task A_wake_up_behind_a_node_that_hung_up_waits_for_its_dial_and_says_so()
    {
        var node = await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, "gw1");
        var till = await _company.EnrolDevice(Leeds, "till-1");
        await node.Announce();
        await node.Send(new DeviceEnvelopeUp(till.Id, till.Seal(till.Report(1)), Leeds));
        await _company.Office(new SetNodeLink(Leeds, node.Id, false, "test"));
        await node.Down<NodeDesired>(d => d.Periodic);
        _company.Cluster.Offices.Tell(new UnlinkNode(Leeds, node.Id, node.Epoch, "hung up"), node.Session.Ref);
        await ReadModelShows(async () => await _company.ReadModel.Node(node.Id) is { Linked: false }, "the node hung up");

        var wake = Assert.IsType<WakeAccepted>(await _company.Office(new RequestWake(Leeds, till.Id, "test")));
        await node.Link("epoch-2");
        await node.Announce();
        await node.Send(new DeviceWoken(till.Id, wake.Counter, Leeds));

        await Until.True(async () => (await _company.Events()).OfType<DeviceWakeEnded>().Any(), "the outcome is journaled");
        Assert.Contains("gw1.leeds dials every 15m: the wake-up waited for its next dial", (await _company.Events()).OfType<DeviceWakeEnded>().Single().Detail, StringComparison.Ordinal);
    }
}
