using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Devices;
using Fleet.Messages.Cluster;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.TestCompany;
using TestKit = Akka.TestKit.Xunit2.TestKit;
using TestProbe = Akka.TestKit.TestProbe;

namespace Fleet.Headquarters.Tests.Offices;

public sealed class OfficeActorTests : IAsyncLifetime
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    private TestCompany _company = null!;
    private TestKit _kit = null!;

    public async Task InitializeAsync()
    {
        _company = await Start(offices: [Leeds, York]);
        _kit = new TestKit(_company.System);
    }

    public async Task DisposeAsync() => await _company.DisposeAsync();

    [Fact]
    public async Task A_frame_is_stored_only_once_the_journal_has_it()
    {
        var node = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");

        var down = await node.Send(Up(till, till.Report(1, events: [1, 2, 3])), new NodeEvent(1, DateTimeOffset.UtcNow, "started", ""));

        var events = await _company.Events();
        Assert.Equal(3, events.OfType<DeviceEventRecorded>().Count(e => e.DeviceId == till.Id));
        Assert.Equal(1UL, Assert.Single(events.OfType<NodeEventRecorded>()).Event.Number);
        Assert.Equal(1UL, down.OfType<NodeEventsStored>().Single().Number);
        Assert.Equal(3UL, till.OpenAck(AckFor(down, till)).EventNumber);
        Assert.Contains(down.OfType<DeviceState>(), s => s.DeviceId == till.Id && s.ReportedVersion == 1);
    }

    [Fact]
    public async Task A_report_that_meets_its_device_s_twin_going_to_rest_is_judged()
    {
        const ulong reports = 100;
        var node = await Linked(Leeds, "gw1");
        var twin = node.Session.Sender;
        using var till = await _company.EnrolDevice(Leeds, "till-1");

        for (ulong version = 1; version <= reports; version++)
        {
            twin.Tell(new DeviceTwinIdle(till.Id), Akka.Actor.ActorRefs.NoSender);
            await node.Send(Up(till, till.Report(version)));
        }

        Assert.Equal(reports, (ulong)(await _company.Events()).OfType<DeviceReported>().Count());
    }

    [Fact]
    public async Task Frames_sent_again_after_a_new_link_record_nothing_twice()
    {
        var node = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        IUpItem[] items = [Up(till, till.Report(1, events: [1, 2])), new NodeEvent(1, DateTimeOffset.UtcNow, "started", "")];
        await node.Send(items);

        await node.Link("epoch-2");
        var again = await node.Send(items);

        var events = await _company.Events();
        Assert.Equal(2, events.OfType<DeviceEventRecorded>().Count());
        Assert.Single(events.OfType<NodeEventRecorded>());
        Assert.Equal(2UL, till.OpenAck(AckFor(again, till)).EventNumber);
    }

    [Fact]
    public async Task A_frame_of_an_epoch_that_is_over_is_not_taken()
    {
        var node = await Linked(Leeds, "gw1");
        await node.Link("epoch-2");

        _company.Cluster.Offices.Tell(new TakeFrame(Leeds, node.Id, new UpFrame("epoch-1", 1, [new NodeEvent(1, DateTimeOffset.UtcNow, "late", "")])), node.Session.Ref);

        Assert.Equal(RefusalCode.NotAllowed, (await node.Session.ExpectMsgAsync<OfficeRefused>()).Code);
        Assert.Empty((await _company.Events()).OfType<NodeEventRecorded>());
    }

    [Fact]
    public async Task A_session_cannot_speak_for_a_node_of_another_office_or_another_session()
    {
        var leeds = await Linked(Leeds, "gw1");
        await Linked(York, "gw1");

        _company.Cluster.Offices.Tell(new TakeFrame(York, new NodeId("gw1.york"), new UpFrame("epoch-1", 1, [LinkedNode.Report(7)])), leeds.Session.Ref);

        Assert.Equal(York, (await leeds.Session.ExpectMsgAsync<OfficeRefused>()).OfficeId);
        Assert.Empty((await _company.Events()).OfType<NodeReported>());
    }

    [Fact]
    public async Task A_link_with_an_unknown_certificate_is_refused()
    {
        var node = await Linked(Leeds, "gw1");
        var stranger = _kit.CreateTestProbe();

        _company.Cluster.Offices.Tell(new LinkNode(Leeds, node.Id, "epoch-9", "00", DateTimeOffset.UtcNow), stranger.Ref);

        Assert.Equal(RefusalCode.Removed, (await stranger.ExpectMsgAsync<OfficeRefused>()).Code);
    }

    [Fact]
    public async Task A_role_reaches_the_node_within_a_second()
    {
        var node = await Linked(Leeds, "gw1");
        await node.Announce();

        await _company.Office(new AssignRoles(Leeds, node.Id, [NodeRole.Gateway], [], "test"));

        var sent = await node.Session.ExpectMsgAsync<SendDown>(TimeSpan.FromSeconds(1));
        Assert.Equal([NodeRole.Gateway], sent.Items.OfType<NodeDesired>().Single().Roles);
    }

    [Fact]
    public async Task An_announce_brings_all_states_and_only_the_documents_that_the_node_lacks()
    {
        var node = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        using var desk = await _company.EnrolDevice(Leeds, "desk-1");

        await node.Link("epoch-2");
        var down = await node.Announce(new HeldDesired(till.Id, 1), new HeldDesired(new DeviceId("d-unknown"), 3));

        Assert.Equal(3, down.OfType<DeviceState>().Count());
        var documents = down.OfType<DeviceEnvelopeDown>().Select(e => e.DeviceId).ToList();
        Assert.Contains(desk.Id, documents);
        Assert.DoesNotContain(till.Id, documents);
        Assert.Equal(RefusalCode.Removed, down.OfType<DeviceRefusedDown>().Single().Code);
    }

    [Fact]
    public async Task A_document_that_is_another_because_of_what_is_announced_comes_down_once()
    {
        var node = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        using var desk = await _company.EnrolDevice(Leeds, "desk-1");
        await _company.Office(new AssignRoles(Leeds, node.Id, [NodeRole.Gateway], [], "test"));
        await node.Link("epoch-2");

        // The desk's document is one that the node has not, whatever it announces.
        var down = await node.Announce(LinkedNode.Report(0, "10.1.0.1:13000"), new HeldDesired(till.Id, 1));

        var documents = down.OfType<DeviceEnvelopeDown>().GroupBy(e => e.DeviceId).ToDictionary(d => d.Key, d => d.ToList());
        Assert.Equal(["10.1.0.1:13000"], till.OpenDesired(Assert.Single(documents[till.Id]).Envelope).Gateways.Single().Addresses);
        Assert.Equal(["10.1.0.1:13000"], desk.OpenDesired(Assert.Single(documents[desk.Id]).Envelope).Gateways.Single().Addresses);
    }

    [Fact]
    public async Task A_policy_reaches_the_devices_of_a_linked_node()
    {
        var node = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        var settings = new Dictionary<string, string> { ["sync.interval"] = "30s" };

        var reply = await _company.Company(new ApplyPolicy(new PolicyDocument(new PolicyName("base"), [], new Dictionary<string, string>(), 1, settings), "test"));

        Assert.Equal(new PolicyAccepted(new PolicyName("base"), 1, true), reply);
        var document = till.OpenDesired((await node.Down<DeviceEnvelopeDown>(e => e.DeviceId == till.Id && Envelope.Header(e.Envelope.Span).Version == 2)).Envelope);
        Assert.Equal(TimeSpan.FromSeconds(30), document.SyncInterval.ToTimeSpan());
    }

    [Fact]
    public async Task A_refused_enrolment_is_journaled_up_to_the_cap()
    {
        var token = await _company.Token(Leeds, Messages.Offices.JoinKind.Node);
        using var stranger = new Machine("stranger");

        for (var i = 0; i < 5; i++)
            Assert.Equal((int)RefusalCode.WrongKind, (await _company.Enrol(stranger.Join(token))).Refusal.Code);

        Assert.Equal(TestOffices.Options.RefusalsPerHour, (await _company.Events()).OfType<EnrolmentRefused>().Count());
    }

    [Fact]
    public async Task A_newcomer_through_a_gateway_of_another_office_is_refused()
    {
        var york = await Linked(York, "gw1");
        using var till = new Machine("till-1");
        var request = till.Join(await _company.Token(Leeds, Messages.Offices.JoinKind.Agent));

        var down = await york.Send(new EnrolmentUp("r1", Google.Protobuf.MessageExtensions.ToByteArray(request)));

        var reply = EnrolReply.Parser.ParseFrom(down.OfType<EnrolmentDown>().Single().Reply.Span);
        Assert.Equal(RefusalCode.WrongOffice, (RefusalCode)reply.Refusal.Code);
    }

    [Fact]
    public async Task A_renewed_device_key_is_used_from_its_first_report_on()
    {
        using var till = await _company.EnrolDevice(Leeds, "till-1");

        var answer = await _company.Report(till, Leeds, till.WithRenewal(till.Report(1)));
        var ack = till.OpenAck(AckFor(answer.Items, till));
        till.Renewed();
        var under = await _company.Report(till, Leeds, till.Report(2));

        Assert.Equal((2u, 2), (ack.KeyGeneration, ack.CertificateChain.Count));
        Assert.Equal(2UL, till.OpenAck(AckFor(under.Items, till)).ReportVersion);
    }

    [Fact]
    public async Task A_node_renews_and_links_with_the_old_certificate_or_the_new()
    {
        var node = await Linked(Leeds, "gw1");
        using var key = KeyRequest.NewKey();

        var down = await node.Send(new NodeRenewal(KeyRequest.For(key)));

        using var leaf = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(down.OfType<NodeRenewed>().Single().CertificateChain[0].Span);
        Assert.Equal(PeerIdentity.Of(node.Id), PeerIdentity.FromCertificate(leaf));
        _company.Cluster.Offices.Tell(new LinkNode(Leeds, node.Id, "epoch-new", leaf.SerialNumber, DateTimeOffset.UtcNow), node.Session.Ref);
        await node.Session.ExpectMsgAsync<NodeWelcomed>();
        await node.Link("epoch-old");
    }

    // At two headquarters nodes, whose doors know nothing of each other.
    [Fact]
    public async Task A_copied_node_takes_the_place_of_the_other_once_and_the_other_is_refused_by_name()
    {
        var (node, here, there) = await CameInHere();

        await node.ComeIn(there, "epoch-b", "run-2");
        var parted = await here.ExpectMsgAsync<OfficeRefused>(Wait);
        node.Ask(here, "epoch-c", "run-1");
        var refused = await here.ExpectMsgAsync<OfficeRefused>(Wait);
        await node.ComeIn(there, "epoch-d", "run-2");

        Assert.Equal("the node came in anew", parted.Detail);
        Assert.Equal(RefusalCode.Clone, refused.Code);
        Assert.Contains("another process runs with this node's identity", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_was_started_anew_at_another_headquarters_node_is_no_copy()
    {
        var (node, here, there) = await CameInHere();
        _company.Cluster.Offices.Tell(new UnlinkNode(Leeds, node.Id, "epoch-a", "gone"), here.Ref);

        foreach (var (session, epoch, run) in new[] { (there, "epoch-b", "run-2"), (here, "epoch-c", "run-2"), (there, "epoch-d", "run-3") })
            await node.ComeIn(session, epoch, run);
    }

    // A session asks again until it is answered, and a twin that begins takes long.
    [Fact]
    public async Task A_link_that_is_asked_for_again_is_linked_once()
    {
        var node = await Linked(Leeds, "gw1");

        await node.Link(node.Epoch);
        await node.Link("epoch-2");

        Assert.Equal([true, true], (await _company.Events()).OfType<NodeLinkChanged>().Select(e => e.Up));
    }

    [Fact]
    public async Task A_cloned_machine_is_refused_by_name_and_the_twin_is_unharmed()
    {
        var node = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        await node.Send(Up(till, till.Report(1, events: [1])));
        using var clone = till.Copy(counter: 100);

        var down = await node.Send(Up(clone, clone.Report(9, events: [1, 2, 3])));
        var unharmed = await node.Send(Up(till, till.Report(2, events: [2])));

        Assert.Equal(RefusalCode.Clone, (RefusalCode)clone.OpenAck(AckFor(down, till)).Refusal.Code);
        Assert.Contains(down.OfType<DeviceState>(), s => s.DeviceId == till.Id && s.ReportedVersion == 0);
        Assert.Equal((2UL, 2UL), (till.OpenAck(AckFor(unharmed, till)).ReportVersion, till.OpenAck(AckFor(unharmed, till)).EventNumber));
        var events = await _company.Events();
        Assert.Single(events.OfType<DeviceCloneSeen>());
        Assert.Equal([1UL, 2UL], events.OfType<DeviceEventRecorded>().Select(e => e.Number));
    }

    [Fact]
    public async Task A_moved_device_is_answered_from_its_new_office_through_the_old_gateway()
    {
        var leeds = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        await leeds.Send(Up(till, till.Report(1, events: [1])));

        await _company.Office(new MoveDevice(Leeds, till.Id, York, "test"));
        await Until(async () => (await _company.Events()).Any(e => e is DeviceMoveDone), "york has the device");
        await leeds.Send(Up(till, till.Report(2, events: [2])));
        var ack = await leeds.Down<DeviceEnvelopeDown>(e => Envelope.Header(e.Envelope.Span).Kind == EnvelopeKind.Ack && Envelope.Header(e.Envelope.Span).Version == 2);

        Assert.Equal(2UL, till.OpenAck(ack.Envelope).EventNumber);
        Assert.Equal(York, (await _company.Events()).OfType<DeviceEventRecorded>().Single(e => e.Number == 2).OfficeId);
    }

    [Fact]
    public async Task A_device_moved_to_an_office_that_does_not_exist_stays()
    {
        using var till = await _company.EnrolDevice(Leeds, "till-1");

        await _company.Office(new MoveDevice(Leeds, till.Id, new OfficeId("nowhere"), "test"));

        await Until(async () => (await _company.Events()).OfType<DeviceMovedIn>().Any(e => e.OfficeId == Leeds), "the device is back");
        var answer = await _company.Report(till, Leeds, till.Report(1));
        Assert.Equal(1UL, till.OpenAck(AckFor(answer.Items, till)).ReportVersion);
    }

    [Fact]
    public async Task A_direct_device_is_told_of_changes_by_the_event_stream()
    {
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        await _company.Direct(Leeds, new PresenceDigest([new DeviceSeen(till.Id, DateTimeOffset.UtcNow)]));
        var listener = _kit.CreateTestProbe();
        _company.System.EventStream.Subscribe(listener.Ref, typeof(CameDownDirect));

        await _company.Office(new RequestSync(Leeds, till.Id, "test"));

        var down = await listener.ExpectMsgAsync<CameDownDirect>();
        Assert.Equal(new SyncWanted(till.Id), down.Items.Single());
    }

    [Fact]
    public async Task A_twin_that_begins_says_so_to_headquarters_own_gateway()
    {
        var listener = _kit.CreateTestProbe();
        _company.System.EventStream.Subscribe(listener.Ref, typeof(OfficeBegan));

        await _company.Company(new AddOffice(new OfficeId("hull"), "Hull", "test"));

        Assert.Equal("hull", (await listener.ExpectMsgAsync<OfficeBegan>()).OfficeId.Value);
    }

    [Fact]
    public async Task A_device_that_asked_headquarters_once_is_told_there_also_after_it_synced_through_a_node()
    {
        var node = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        await _company.Direct(Leeds, new DesiredWanted(till.Id, 0, Leeds));
        await node.Send(new PresenceDigest([new DeviceSeen(till.Id, DateTimeOffset.UtcNow)]));
        var listener = _kit.CreateTestProbe();
        _company.System.EventStream.Subscribe(listener.Ref, typeof(CameDownDirect));

        await _company.Office(new LabelDevice(Leeds, till.Id, new Dictionary<string, string> { ["ring"] = "canary" }, [], "test"));

        var down = await listener.ExpectMsgAsync<CameDownDirect>();
        Assert.Contains(down.Items, i => i is DeviceState { DesiredVersion: 2 } state && state.DeviceId == till.Id);
    }

    [Fact]
    public async Task Presence_shows_through_which_node_a_device_was_seen()
    {
        var node = await Linked(Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");

        await node.Send(new PresenceDigest([new DeviceSeen(till.Id, DateTimeOffset.UtcNow)]));

        await Until(async () => (await _company.ReadModel.Device(till.Id))?.Device.Through == node.Id, "the read model has the presence");
        Assert.DoesNotContain(await _company.Events(), e => e is DeviceReported);
    }

    [Fact]
    public async Task A_session_that_ends_takes_its_link_down()
    {
        var node = await Linked(Leeds, "gw1");

        _company.System.Stop(node.Session.Ref);

        await Until(async () => (await _company.Events()).OfType<NodeLinkChanged>().Any(e => e.NodeId == node.Id && !e.Up), "the link is down");
    }

    [Fact]
    public async Task Many_devices_in_many_frames_at_once_are_each_recorded_once_in_order()
    {
        var node = await Linked(Leeds, "gw1");
        var token = await _company.Token(Leeds, Messages.Offices.JoinKind.Agent, uses: 40);
        var machines = Enumerable.Range(0, 40).Select(i => new Machine($"till-{i}")).ToList();
        foreach (var machine in machines)
            machine.Joined((await _company.Enrol(machine.Join(token))).Enrolled);
        var random = new Random(7);
        var frames = Enumerable.Range(1, 10).Select(v => machines.Select(m => Up(m, m.Report((ulong)v, events: [.. Enumerable.Range(1, v).Select(n => (ulong)n)]))).Cast<IUpItem>().ToArray()).ToList();

        foreach (var frame in frames)
            await node.Send([.. frame, .. frames[random.Next(frames.Count)].Take(random.Next(20))]);

        var recorded = (await _company.Events()).OfType<DeviceEventRecorded>().ToLookup(e => e.DeviceId, e => (int)e.Number);
        Assert.All(machines, m => Assert.Equal(Enumerable.Range(1, 10), recorded[m.Id]));
        machines.ForEach(m => m.Dispose());
    }

    /// <summary>A node whose first process is linked at one headquarters node, and a session at another.</summary>
    private async Task<(LinkedNode Node, TestProbe Here, TestProbe There)> CameInHere()
    {
        var node = await Linked(Leeds, "gw1");
        var here = _kit.CreateTestProbe();
        await node.ComeIn(here, "epoch-a", "run-1");
        return (node, here, _kit.CreateTestProbe());
    }

    private Task<LinkedNode> Linked(OfficeId office, string name) => LinkedNode.Join(_company, _kit.CreateTestProbe(), office, name);

    private static DeviceEnvelopeUp Up(Machine machine, DeviceReport report) => new(machine.Id, machine.Seal(report), Leeds);

    private static ReadOnlyMemory<byte> AckFor(IEnumerable<IDownItem> down, Machine machine) =>
        down.OfType<DeviceEnvelopeDown>().Last(e => e.DeviceId == machine.Id && Envelope.Header(e.Envelope.Span).Kind == EnvelopeKind.Ack).Envelope;

    private static Task Until(Func<Task<bool>> condition, string what) => TestSupport.Until.True(condition, what);
}
