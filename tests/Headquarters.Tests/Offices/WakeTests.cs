using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using static Fleet.Headquarters.Tests.TestCompany;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Headquarters.Tests.Offices;

/// <summary>The wake-up ladder, from an operator's request to the outcome in the read model, on a whole headquarters.</summary>
public sealed class WakeTests : IAsyncLifetime
{
    private TestCompany _company = null!;
    private TestKit _kit = null!;

    public async Task InitializeAsync()
    {
        _company = await Start(offices: [Leeds]);
        _kit = new TestKit(_company.System);
    }

    public async Task DisposeAsync() => await _company.DisposeAsync();

    [Fact]
    public async Task A_device_with_a_line_is_pushed_and_its_sync_is_the_acknowledgement()
    {
        var (node, till) = await Connected();

        var counter = await Wake(till);
        var wake = await node.Down<WakeDevice>();
        Assert.Equal((till.Id, WakeChannel.OfficePush), (wake.DeviceId, wake.Channel));
        Assert.True(till.Takes(wake.Signal));
        Assert.Equal(counter, WakeSignal.Read(wake.Signal.Span)?.Counter);
        await node.Send(new DeviceWoken(till.Id, counter, Leeds));

        var ended = await Ended(counter);
        Assert.Equal((WakeChannel.OfficePush, ""), (ended.Channel, ended.Detail));
        await Until.True(async () => (await _company.ReadModel.Device(till.Id))?.Wake is { EndedAt: not null, Channel: WakeChannel.OfficePush }, "the read model shows the outcome");
    }

    [Fact]
    public async Task A_rung_that_can_not_be_tried_is_left_at_once_and_one_that_is_silent_in_time()
    {
        var (node, till) = await Connected(address: "192.168.1.20");

        var counter = await Wake(till);
        await node.Down<WakeDevice>(w => w.Channel == WakeChannel.OfficePush);
        var down = await node.Send(new WakeFailed(till.Id, counter, WakeChannel.OfficePush, "no line", Leeds));
        var datagram = down.OfType<WakeDevice>().Single(w => w.Channel == WakeChannel.OfficeDatagram);
        Assert.Equal(["192.168.1.20"], datagram.Addresses);
        // Nobody answers: the twin waits for the device's own sync, which comes.
        await node.Send(new PresenceDigest([new DeviceSeen(till.Id, DateTimeOffset.UtcNow.AddSeconds(1))]));

        var ended = await Ended(counter);
        Assert.Equal(WakeChannel.PeriodicSync, ended.Channel);
        Assert.Contains("office push: no line", ended.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wake_up_that_found_no_way_is_tried_when_a_node_links_again()
    {
        var (node, till) = await Connected(address: "192.168.1.20");
        _company.Cluster.Offices.Tell(new UnlinkNode(Leeds, node.Id, node.Epoch, "cut"), Akka.Actor.ActorRefs.NoSender);
        await Until.True(async () => (await _company.Events()).OfType<NodeLinkChanged>().Any(l => !l.Up), "the link is down");
        var counter = await Wake(till);

        await node.Link("epoch-2");
        await node.Announce();

        var wake = await node.Down<WakeDevice>();
        Assert.Equal((counter, WakeChannel.OfficeDatagram), (WakeSignal.Read(wake.Signal.Span)?.Counter, wake.Channel));
    }

    [Fact]
    public async Task A_second_request_names_the_wake_up_that_is_under_way()
    {
        var (_, till) = await Connected();

        Assert.Equal(await Wake(till), await Wake(till));

        Assert.Single((await _company.Events()).OfType<DeviceWakeRequested>());
    }

    [Fact]
    public async Task A_restart_forgets_no_wake_up()
    {
        var (node, till) = await Connected();
        var counter = await Wake(till);

        await _company.Restart();
        _kit = new TestKit(_company.System);
        node = await Linked("gw2");
        var down = await node.Send(new LinesDigest([new DeviceLine(till.Id, LineEnd.None, DateTimeOffset.UtcNow, Leeds, TimeSpan.Zero)]));

        Assert.Equal(counter, WakeSignal.Read(down.OfType<WakeDevice>().Single().Signal.Span)?.Counter);
    }

    [Fact]
    public async Task All_devices_of_an_office_are_woken_together_and_each_has_its_outcome()
    {
        var (node, till) = await Connected();
        var other = await _company.EnrolDevice(Leeds, "till-2");
        await node.Send(new LinesDigest([new DeviceLine(other.Id, LineEnd.None, DateTimeOffset.UtcNow, Leeds, TimeSpan.Zero)]));
        var running = await Wake(till);
        await node.Down<WakeDevice>(w => w.DeviceId == till.Id);

        var accepted = Assert.IsType<OfficeWakeAccepted>(await _company.Office(new WakeOffice(Leeds, "test")));
        var wake = await node.Down<WakeDevice>();

        var counters = accepted.Wakes.ToDictionary(w => w.DeviceId, w => w.Counter);
        Assert.Equal(running, counters[till.Id]);
        Assert.Equal((other.Id, WakeChannel.OfficePush), (wake.DeviceId, wake.Channel));
        Assert.True(other.Takes(wake.Signal));
        await node.Send(new DeviceWoken(till.Id, running, Leeds), new DeviceWoken(other.Id, counters[other.Id], Leeds));
        Assert.Equal(WakeChannel.OfficePush, (await Ended(running)).Channel);
        Assert.Equal(WakeChannel.OfficePush, (await Ended(counters[other.Id])).Channel);
    }

    [Fact]
    public async Task A_removed_device_is_not_woken()
    {
        var (_, till) = await Connected();
        await _company.Office(new RemoveDevice(Leeds, till.Id, "test"));

        Assert.Equal(RefusalCode.NotFound, Assert.IsType<OfficeRefused>(await _company.Office(new RequestWake(Leeds, till.Id, "test"))).Code);
    }

    private async Task<LinkedNode> Linked(string name) => await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, name);

    private async Task<(LinkedNode Node, Machine Till)> Connected(string? address = null)
    {
        var node = await Linked("gw1");
        var till = await _company.EnrolDevice(Leeds, "till-1");
        var report = till.Report(1);
        if (address is not null)
            report.Inventory.Interfaces.Add(new NetworkInterface { Name = "eth0", Addresses = { address } });
        await node.Send(new DeviceEnvelopeUp(till.Id, till.Seal(report), Leeds), new LinesDigest([new DeviceLine(till.Id, LineEnd.None, DateTimeOffset.UtcNow, Leeds, TimeSpan.Zero)]));
        return (node, till);
    }

    private async Task<ulong> Wake(Machine till) => Assert.IsType<WakeAccepted>(await _company.Office(new RequestWake(Leeds, till.Id, "test"))).Counter;

    private async Task<DeviceWakeEnded> Ended(ulong counter)
    {
        await Until.True(async () => (await _company.Events()).OfType<DeviceWakeEnded>().Any(e => e.Counter == counter), "the outcome is journaled");
        return (await _company.Events()).OfType<DeviceWakeEnded>().Single(e => e.Counter == counter);
    }
}
