using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Gateway;
using Fleet.Messages.Link;
using Fleet.Office.Link;
using Fleet.Office.Outbox;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Link;

/// <summary>The test is the relay's parent's stand-in, its link and its gateway in turn.</summary>
public sealed class RelayTests : TestKit
{
    private static readonly OfficeId Leeds = new("leeds");
    private static readonly NodeReport Node = new(1, [], [], "0.1.0", "host", DateTimeOffset.UnixEpoch, [], [], [], "directly", [], null);
    private static readonly RelayOptions Options = new(Window: 2, FrameItems: 3, FrameBytes: 100_000, MaxPassing: 5, StoredWithin: TimeSpan.FromSeconds(60), PresenceInterval: TimeSpan.FromSeconds(10));
    private readonly TempDirectory _directory = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly OutboxFile _outbox;
    private readonly TestProbe _link;
    private readonly TestProbe _gateway;
    private readonly IActorRef _relay;

    public RelayTests()
        : base(ConfigurationFactory.ParseString("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"").WithFallback(DefaultConfig))
    {
        _outbox = new OutboxFile(_directory.Of("outbox.db"), new OutboxOptions(100, 100, TimeSpan.FromDays(30)), _clock);
        (_link, _gateway) = (CreateTestProbe(), CreateTestProbe());
        _relay = ActorOfAsTestActorRef<Relay>(Relay.Props(Options, _outbox, Node, _clock), TestActor);
        _gateway.Send(_relay, new GatewayReady());
        Assert.False(_gateway.ExpectMsg<UplinkChanged>().Up);
    }

    [Fact]
    public void An_epoch_begins_with_an_announce_of_the_node_and_what_its_gateway_holds()
    {
        _link.Send(_relay, new LinkOpened("e1", 0, "directly"));
        Assert.Equal(new UplinkChanged(true, "e1"), _gateway.ExpectMsg<UplinkChanged>());
        _gateway.ExpectMsg<GetHeld>();

        _gateway.Reply(new List<HeldDesired> { new(new DeviceId("a"), 2) });

        var announce = _link.ExpectMsg<Announce>();
        Assert.Equal(("e1", true, 2UL), (announce.Epoch, announce.Last, announce.Held.Single().Version));
    }

    [Fact]
    public void A_long_announce_is_split()
    {
        _link.Send(_relay, new LinkOpened("e1", 0, "directly"));
        _gateway.FishForMessage<GetHeld>(_ => true);

        _gateway.Reply(Enumerable.Range(0, Announce.MaxHeld + 1).Select(n => new HeldDesired(new DeviceId($"d{n}"), 1)).ToList());

        Assert.False(_link.ExpectMsg<Announce>().Last);
        Assert.True(_link.ExpectMsg<Announce>().Last);
    }

    [Fact]
    public void Reports_leave_in_numbered_frames_within_the_window()
    {
        OpenLink("e1");

        _relay.Tell(Reports(1, 10));

        Assert.Equal((1UL, 3), NextFrame());
        Assert.Equal((2UL, 3), NextFrame());
        _link.ExpectNoMsg(TimeSpan.Zero);
        _link.Send(_relay, new UpFrameStored("e1", 1));
        Assert.Equal((3UL, 3), NextFrame());
    }

    [Fact]
    public void What_was_not_stored_goes_again_in_the_next_epoch_and_what_was_does_not()
    {
        OpenLink("e1");
        _relay.Tell(Reports(1, 6));
        NextFrame();
        NextFrame();
        _link.Send(_relay, new UpFrameStored("e1", 1));

        _link.Send(_relay, new LinkClosed("cut"));
        OpenLink("e2");

        var again = _link.ExpectMsg<UpFrame>();
        Assert.Equal(("e2", 1UL), (again.Epoch, again.Number));
        Assert.Equal(["d4", "d5", "d6"], again.Items.Cast<DeviceEnvelopeUp>().Select(r => r.DeviceId.Value));
    }

    [Fact]
    public void A_late_answer_of_an_earlier_epoch_removes_nothing()
    {
        OpenLink("e1");
        _relay.Tell(Reports(1, 3));
        NextFrame();
        _link.Send(_relay, new LinkClosed("cut"));
        OpenLink("e2");
        NextFrame();

        _link.Send(_relay, new UpFrameStored("e1", 1));

        Assert.Equal(3, _outbox.ReportCount);
        _link.Send(_relay, new UpFrameStored("e2", 1));
        Assert.Equal(0, _outbox.ReportCount);
    }

    [Fact]
    public void Reports_and_events_made_during_a_cut_wait_on_disk_and_passing_items_do_not()
    {
        _relay.Tell(Reports(1, 1));
        _relay.Tell(new RecordEvent("link-down", "cut"));
        _relay.Tell(new SendUp([new PresenceDigest([])]));

        OpenLink("e1");

        var items = _link.ExpectMsg<UpFrame>().Items;
        Assert.Equal([typeof(NodeEvent), typeof(DeviceEnvelopeUp)], items.Select(i => i.GetType()));
    }

    [Fact]
    public void What_comes_down_goes_to_whom_it_is_for()
    {
        OpenLink("e1");
        _relay.Tell(new RecordEvent("started", "node"));
        _link.ExpectMsg<UpFrame>();

        _link.Send(_relay, new DownFrame("e1", [new NodeDesired(2, [NodeRole.Gateway], TimeSpan.Zero, null, [], [], Periodic: false, Updates: null), new SyncWanted(new DeviceId("a")), new NodeEventsStored(1)]));

        Assert.Equal(2UL, ExpectMsg<NodeDesired>().Version);
        Assert.IsType<SyncWanted>(_gateway.ExpectMsg<CameDown>().Items.Single());
        Assert.Equal(0, _outbox.EventCount);
    }

    [Fact]
    public void A_changed_node_is_reported_in_the_epoch()
    {
        OpenLink("e1");

        _relay.Tell(new ReportNode(Node with { AppliedVersion = 5 }));

        Assert.Equal(5UL, Assert.IsType<NodeReport>(_link.ExpectMsg<UpFrame>().Items.Single()).AppliedVersion);
    }

    [Fact]
    public void When_headquarters_stores_nothing_the_link_is_opened_anew()
    {
        OpenLink("e1");
        _relay.Tell(Reports(1, 1));
        NextFrame();
        _clock.Advance(Options.StoredWithin + TimeSpan.FromSeconds(1));

        ((TestScheduler)Sys.Scheduler).Advance(Options.StoredWithin / 4);

        _link.ExpectMsg<Redial>();
    }

    [Fact]
    public void The_way_of_a_link_is_in_its_announce_and_in_each_report()
    {
        _link.Send(_relay, new LinkOpened("e1", 0, "through gw2.leeds"));
        _gateway.FishForMessage<GetHeld>(_ => true);
        _gateway.Reply(new List<HeldDesired>());
        Assert.Equal("through gw2.leeds", _link.ExpectMsg<Announce>().Report.LinkedBy);

        _relay.Tell(new ReportNode(Node with { AppliedVersion = 5 }));

        Assert.Equal("through gw2.leeds", Assert.IsType<NodeReport>(_link.ExpectMsg<UpFrame>().Items.Single()).LinkedBy);
    }

    [Fact]
    public void When_too_much_waits_what_is_asked_again_goes_first_and_what_is_told_once_stays()
    {
        OpenLink("e1");
        _relay.Tell(Reports(1, 6));
        NextFrame();
        NextFrame();

        _relay.Tell(new SendUp([new LinesDigest([]), .. Enumerable.Range(1, Options.MaxPassing + 1).Select(n => new DesiredWanted(new DeviceId($"d{n}"), 0, Leeds))]));
        _link.Send(_relay, new UpFrameStored("e1", 1));
        _link.Send(_relay, new UpFrameStored("e1", 2));

        IUpItem[] sent = [.. _link.ExpectMsg<UpFrame>().Items, .. _link.ExpectMsg<UpFrame>().Items];
        Assert.IsType<LinesDigest>(sent[0]);
        Assert.Equal(["d2", "d3", "d4", "d5", "d6"], sent.OfType<DesiredWanted>().Select(w => w.DeviceId.Value));
    }

    [Fact]
    public void When_too_much_waits_that_is_told_once_the_link_is_opened_anew()
    {
        OpenLink("e1");
        _relay.Tell(Reports(1, 6));
        NextFrame();
        NextFrame();

        _relay.Tell(new SendUp([.. Enumerable.Range(0, Options.MaxPassing + 3).Select(_ => new LinesDigest([]))]));

        _link.ExpectMsg<Redial>();
        _link.ExpectNoMsg(TimeSpan.Zero);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _outbox.Dispose();
        _directory.Dispose();
    }

    private void OpenLink(string epoch)
    {
        _link.Send(_relay, new LinkOpened(epoch, 0, "directly"));
        _gateway.FishForMessage<GetHeld>(_ => true);
        _gateway.Reply(new List<HeldDesired>());
        _link.ExpectMsg<Announce>();
    }

    private (ulong Number, int Items) NextFrame()
    {
        var frame = _link.ExpectMsg<UpFrame>();
        return (frame.Number, frame.Items.Count);
    }

    private static SendUp Reports(int first, int count) =>
        new([.. Enumerable.Range(first, count).Select(n => new DeviceEnvelopeUp(new DeviceId($"d{n}"), new byte[] { (byte)n }, Leeds))]);
}
