using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using static Fleet.Headquarters.Tests.Discovery.NetworkSituation;
using static Fleet.Headquarters.Tests.TestCompany;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Headquarters.Tests.Discovery;

/// <summary>Polls and what they see, from the poller's word to the read model, on a whole headquarters.</summary>
public sealed class DiscoveryTests : IAsyncLifetime
{
    private static readonly PollId ByPlan = new("p-plan");

    private TestCompany _company = null!;
    private TestKit _kit = null!;

    private NetworkQueries Network => new(_company.Store);

    public async Task InitializeAsync()
    {
        _company = await Start(offices: [Leeds]);
        _kit = new TestKit(_company.System);
    }

    public async Task DisposeAsync() => await _company.DisposeAsync();

    [Fact]
    public async Task A_poll_is_run_at_the_poller_and_its_progress_and_end_are_shown()
    {
        var node = await Poller("gw1");

        var accepted = Assert.IsType<PollAccepted>(await Run(PollMethod.IpRange, "10.1.0.0/24"));
        var run = await node.Down<RunPoll>();
        Assert.Equal((accepted.PollId, true), (run.PollId, run.Full));
        Assert.Equal(["10.1.0.0/24"], run.Ranges);
        await Until.True(async () => await Network.Poll(run.PollId) is { Outcome: null }, "the poll is listed");
        await node.Send(new PollProgress(run.PollId, run.Method, true, DateTimeOffset.UtcNow, 100, 254, 3, 400));
        await Until.True(async () => await Network.Poll(run.PollId) is { Done: 100, Total: 254, Found: 3, Packets: 400, Outcome: null }, "the progress is shown");
        await node.Send(Ended(run.PollId, PollOutcome.Completed, found: 4) with { CannotSee = ["silent hosts: no CAP_NET_RAW"] });

        await Until.True(async () => await Network.Poll(run.PollId) is { Outcome: PollOutcome.Completed, Found: 4, CannotSee: ["silent hosts: no CAP_NET_RAW"] }, "the end is shown");
        Assert.NotNull((await node.Announce()).OfType<NodeDesired>().Single().Polls!.Schedules.Single(s => s.Method == PollMethod.IpRange).LastFull);
    }

    [Fact]
    public async Task A_second_poll_of_a_method_waits_for_the_first_which_can_be_cancelled()
    {
        var node = await Poller("gw1");
        var first = Assert.IsType<PollAccepted>(await Run(PollMethod.IpRange));

        Assert.Equal(RefusalCode.AlreadyExists, Assert.IsType<OfficeRefused>(await Run(PollMethod.IpRange)).Code);
        Assert.IsType<OfficeAccepted>(await _company.Office(new StopPoll(Leeds, first.PollId, "test")));

        Assert.Equal(first.PollId, (await node.Down<CancelPoll>()).PollId);
        Assert.Contains($"did you mean {first.PollId}?", Assert.IsType<OfficeRefused>(await _company.Office(new StopPoll(Leeds, new PollId(first.PollId.Value[..^1] + "z"), "test"))).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_ranges_are_refused_with_what_to_do()
    {
        await Poller("gw1");

        Assert.Contains("over a /16", await Refused("10.0.0.0/8"), StringComparison.Ordinal);
        Assert.Contains("--force", await Refused("10.0.0.0/8"), StringComparison.Ordinal);
        Assert.Contains("overlaps", await Refused("10.1.0.0/24", "10.1.0.128-10.1.0.140"), StringComparison.Ordinal);
        Assert.Contains("no address range", await Refused("10.1.0"), StringComparison.Ordinal);
        Assert.IsType<PollAccepted>(await _company.Office(new StartPoll(Leeds, PollMethod.IpRange, true, ["10.0.0.0/12"], AllowLarge: true, "test")));

        async Task<string> Refused(params string[] ranges) => Assert.IsType<OfficeRefused>(await Run(PollMethod.IpRange, ranges)).Detail;
    }

    [Fact]
    public async Task Without_a_poller_nothing_is_polled_and_the_refusal_says_how_to_get_one()
    {
        Assert.Contains("fleet node assign NODE --role poller", Assert.IsType<OfficeRefused>(await Run(PollMethod.IpRange)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_poll_sees_is_kept_once_and_seen_again_is_not_journaled()
    {
        var node = await Poller("gw1");
        await node.Send(Progress());

        await node.Send(Saw(Seen(PrinterMac, "192.168.1.20", "printer")));
        await Until.True(async () => (await Listed()).Count == 1, "the device is listed");
        var before = (await _company.Events()).Count;
        await node.Send(Saw(Seen(PrinterMac, "192.168.1.20", "printer", at: DateTimeOffset.UtcNow)));

        var device = Assert.Single(await Listed());
        await Until.True(async () => (await Listed()).Single().LastSeen > device.Device.LastSeen, "the later time is shown");
        Assert.Equal(("printer", "Brother industries, LTD."), (device.Name, device.Vendor));
        Assert.Equal(before, (await _company.Events()).Count);
    }

    [Fact]
    public async Task An_address_that_another_device_took_does_not_come_back_with_the_next_sighting()
    {
        var node = await Poller("gw1");
        await node.Send(Progress());
        await node.Send(Saw(Seen(PrinterMac, "192.168.1.20")));
        await node.Send(Saw(Seen(PrinterMac, "192.168.1.20", at: DateTimeOffset.UtcNow)));

        await node.Send(Saw(Seen("52:54:00:00:00:02", "192.168.1.20"), Seen(PrinterMac, "192.168.1.21", at: DateTimeOffset.UtcNow)));

        await Until.True(async () => (await Listed()).Count == 2, "both devices are listed");
        Assert.Equal(["192.168.1.21"], (await Listed()).Single(d => d.Device.Mac == PrinterMac).Device.Addresses.Select(a => a.Address));
    }

    [Fact]
    public async Task What_is_told_of_a_method_that_this_version_does_not_know_is_dropped()
    {
        var node = await Poller("gw1");
        var method = (PollMethod)77;

        await node.Send(Progress() with { Method = method }, new Sightings(ByPlan, method, [Seen(PrinterMac, "192.168.1.20")]), Ended(ByPlan, PollOutcome.Completed, 1) with { Method = method });

        Assert.DoesNotContain(await _company.Events(), e => e is PollBegun or DeviceDiscovered or PollFinished);
    }

    [Fact]
    public async Task A_poll_that_hits_a_known_agents_address_changes_nothing_of_that_agent_but_last_seen()
    {
        var node = await Poller("gw1");
        var till = await _company.EnrolDevice(Leeds, "till-1");
        var report = till.Report(1);
        report.Inventory.Interfaces.Add(new NetworkInterface { Name = "eth0", Mac = "52:54:00:00:00:09", Addresses = { "192.168.1.30" } });
        await node.Send(new DeviceEnvelopeUp(till.Id, till.Seal(report), Leeds));
        await Until.True(async () => await _company.ReadModel.Device(till.Id) is { Report: not null, Device.Presence.Since: not null }, "the report and its presence are shown");
        await node.Send(Progress());
        var before = (await _company.ReadModel.Device(till.Id))!;
        var events = (await _company.Events()).Count;

        var down = await node.Send(Saw(
            Seen("52:54:00:00:00:09", "192.168.1.99", "somebody-else"),
            Seen("", "192.168.1.30", "by-address"),
            Seen("", "", "till-1.shop.example", "ldap:7", NameSource.Directory)));

        await Until.True(async () => (await _company.ReadModel.Device(till.Id))?.SeenOnNetwork is not null, "that it was seen is shown");
        var after = (await _company.ReadModel.Device(till.Id))!;
        Assert.Equal(before with { SeenOnNetwork = after.SeenOnNetwork, Device = before.Device with { Labels = after.Device.Labels }, Report = after.Report }, after);
        Assert.Equal((before.Report, before.Device.Labels.Count), (after.Report, after.Device.Labels.Count));
        Assert.Equal((node.Id, PollMethod.IpRange), (after.SeenOnNetwork!.By, after.SeenOnNetwork.With));
        Assert.Empty(down);
        Assert.Empty(await Listed());
        Assert.Equal(events, (await _company.Events()).Count);
        Assert.Equal(2, (await _company.ReadModel.Devices(new DeviceFilter(PageRequest.First))).Total);
    }

    [Fact]
    public async Task A_device_that_gets_an_agent_is_no_longer_discovered()
    {
        var node = await Poller("gw1");
        await node.Send(Progress());
        await node.Send(Saw(Seen("52:54:00:00:00:09", "192.168.1.30")));
        await Until.True(async () => (await Listed()).Count == 1, "the device is listed");

        var till = await _company.EnrolDevice(Leeds, "till-1");
        var report = till.Report(1);
        report.Inventory.Interfaces.Add(new NetworkInterface { Name = "eth0", Mac = "52:54:00:00:00:09" });
        await node.Send(new DeviceEnvelopeUp(till.Id, till.Seal(report), Leeds));

        await Until.True(async () => (await Listed()).Count == 0, "it is gone from the list");
        Assert.Contains((await _company.Events()).OfType<DiscoveredDeviceGone>(), g => g.Why == $"it has an agent now: {till.Id}");
    }

    [Fact]
    public async Task Devices_addresses_and_what_was_set_aside_survive_a_restart()
    {
        var node = await Poller("gw1");
        await node.Send(Progress());
        await node.Send(Saw(Seen(PrinterMac, "192.168.1.20", "printer"), Seen("52:54:00:00:00:02", "192.168.1.21")));
        await Until.True(async () => (await Listed()).Count == 2, "the devices are listed");
        var printer = (await Listed()).Single(d => d.Device.Mac == PrinterMac).Device.DiscoveredId;
        await _company.Office(new IgnoreDiscovered(Leeds, printer, true, "test"));

        await _company.Restart();
        _kit = new TestKit(_company.System);
        var again = await Poller("gw2");
        await again.Send(Progress(new PollId("p-2")));
        await again.Send(new Sightings(new PollId("p-2"), PollMethod.IpRange, [Seen(PrinterMac, "192.168.1.77", "printer", at: DateTimeOffset.UtcNow)]));

        await Until.True(async () => (await Network.Discovered(printer)) is { Ignored: true } d && d.Device.Addresses[0].Address == "192.168.1.77", "the same device at its new address");
        Assert.Single(await Listed());
    }

    [Fact]
    public async Task Only_the_poller_is_believed()
    {
        var node = await Poller("gw1");
        var other = await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, "gw2");
        await node.Send(Progress());

        await other.Send(Progress(new PollId("p-forged")), Saw(Seen(PrinterMac, "192.168.1.20")), Ended(ByPlan, PollOutcome.Completed, 1));

        Assert.DoesNotContain((await _company.Events()), e => e is DeviceDiscovered or PollFinished);
    }

    [Fact]
    public async Task The_poller_alone_reads_a_directorys_password_and_the_journal_does_not_show_it()
    {
        var node = await Poller("gw1");
        var kept = NodeSecret.Seal(_company.Authority.EnvelopePublicKey, PollPlans.KeptPassword, "pa55word-of-ldap"u8);
        var directory = new DirectorySource("dc1.shop.example", 636, DirectorySecurity.Tls, "", "", "svc@shop.example", kept, default);

        await _company.Office(new SchedulePolls(Leeds, new PollSchedule(PollMethod.Ldap, true, TimeSpan.Zero, TimeSpan.FromHours(1), [], false, [directory], null, null), 50, "test"));
        var desired = await node.Down<NodeDesired>(d => d.Polls?.PacketsPerSecond == 50);

        var sent = desired.Polls!.Schedules.Single(s => s.Method == PollMethod.Ldap).Directories.Single();
        Assert.Equal("pa55word-of-ldap"u8.ToArray(), node.Machine.OpenSecret(Polls.DirectoryPassword, sent.Password));
        Assert.False(await _company.Stores("pa55word-of-ldap"));
    }

    private async Task<LinkedNode> Poller(string name)
    {
        var node = await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, name);
        await _company.Office(new AssignRoles(Leeds, node.Id, [NodeRole.Poller], [], "test"));
        await Until.True(async () => (await Network.Polling(Leeds)).Poller == node.Id, $"{node.Id} is the poller");
        return node;
    }

    private Task<IOfficeReply> Run(PollMethod method, params string[] ranges) => _company.Office(new StartPoll(Leeds, method, true, ranges, AllowLarge: false, "test"));

    private async Task<IReadOnlyList<DiscoveredView>> Listed() => (await Network.Discovered(new DiscoveredFilter(PageRequest.First))).Items;

    private static PollProgress Progress(PollId? id = null) => new(id ?? ByPlan, PollMethod.IpRange, true, DateTimeOffset.UtcNow, 0, 254, 0, 0);

    private static Sightings Saw(params Sighting[] seen) => new(ByPlan, PollMethod.IpRange, seen);

    private static PollEnded Ended(PollId id, PollOutcome outcome, int found) => new(id, PollMethod.IpRange, true, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, outcome, "", 254, found, 900, []);
}
