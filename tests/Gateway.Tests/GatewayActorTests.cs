using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Gateway.Sessions;
using Fleet.Messages.Link;
using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;
using static Fleet.Gateway.Tests.TestFleet;

namespace Fleet.Gateway.Tests;

public sealed class GatewayActorTests() : TestKit(
    ConfigurationFactory.ParseString("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"").WithFallback(DefaultConfig))
{
    private readonly RecordingStore _store = new();

    private TestScheduler Time => (TestScheduler)Sys.Scheduler;

    [Fact]
    public void An_unchanged_device_never_reaches_the_uplink()
    {
        var gateway = StartLinked();
        gateway.Tell(new CameDown([State(desired: 2, reported: 5)]));

        gateway.Tell(new SyncDevice(Till, Request(2, 5, 5)));

        Assert.Equal(SyncReply.Types.Outcome.NothingNew, ExpectMsg<SyncReply>().Outcome);
        gateway.Tell(new PresenceDue());
        // The first thing the uplink hears is the presence digest: the sync itself sent nothing.
        var seen = Assert.IsType<PresenceDigest>(ExpectMsg<SendUp>().Items.Single());
        Assert.Equal([Till], seen.Seen.Select(s => s.DeviceId));
    }

    [Fact]
    public void A_report_is_answered_when_the_acknowledgement_comes_down()
    {
        var gateway = StartLinked();
        var device = CreateTestProbe();
        device.Send(gateway, new SyncDevice(Till, Request(0, 1, 0, Sealed(EnvelopeKind.Report, 1))));
        Assert.IsType<DeviceEnvelopeUp>(ExpectMsg<SendUp>().Items.Single());

        gateway.Tell(new CameDown([Down(EnvelopeKind.Ack, 1), Down(EnvelopeKind.Desired, 1)]));

        var reply = device.ExpectMsg<SyncReply>();
        Assert.Equal(SyncReply.Types.Outcome.Delivered, reply.Outcome);
        Assert.Equal(2, reply.Envelopes.Count);
        Assert.True(reply.HeadquartersReachable);
    }

    [Fact]
    public void A_report_without_an_answer_in_time_is_held()
    {
        var gateway = StartLinked();
        var device = CreateTestProbe();
        device.Send(gateway, new SyncDevice(Till, Request(0, 1, 0, Sealed(EnvelopeKind.Report, 1))));
        ExpectMsg<SendUp>();

        Time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(SyncReply.Types.Outcome.Held, device.ExpectMsg<SyncReply>().Outcome);
    }

    [Fact]
    public void When_the_link_breaks_those_who_wait_are_answered_at_once()
    {
        var gateway = StartLinked();
        var device = CreateTestProbe();
        var newcomer = CreateTestProbe();
        device.Send(gateway, new SyncDevice(Till, Request(0, 1, 0, Sealed(EnvelopeKind.Report, 1))));
        newcomer.Send(gateway, new EnrolNewcomer(new EnrolRequest { Name = "till" }));

        gateway.Tell(new UplinkChanged(Up: false, Epoch));

        Assert.Equal(SyncReply.Types.Outcome.Held, device.ExpectMsg<SyncReply>().Outcome);
        Assert.Equal((int)RefusalCode.HeadquartersUnreachable, newcomer.ExpectMsg<EnrolReply>().Refusal.Code);
    }

    [Fact]
    public void A_newcomer_during_a_cut_is_told_so_at_once_with_a_spread_wait()
    {
        var gateway = StartLinked();
        gateway.Tell(new UplinkChanged(Up: false, Epoch));

        gateway.Tell(new EnrolNewcomer(new EnrolRequest()));

        var refusal = ExpectMsg<EnrolReply>().Refusal;
        Assert.Equal((int)RefusalCode.HeadquartersUnreachable, refusal.Code);
        Assert.InRange(refusal.RetryAfter.ToTimeSpan(), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15));
    }

    [Fact]
    public void An_enrolment_gets_the_reply_that_carries_its_number()
    {
        var gateway = StartLinked();
        var newcomer = CreateTestProbe();
        newcomer.Send(gateway, new EnrolNewcomer(new EnrolRequest { Name = "till" }));
        var up = Assert.IsType<EnrolmentUp>(ExpectMsg<SendUp>().Items.Single());
        var reply = new EnrolReply { Enrolled = new Enrolled { Id = "till-1" } };

        gateway.Tell(new CameDown([new EnrolmentDown("another", new EnrolReply().ToByteArray()), new EnrolmentDown(up.RequestId, reply.ToByteArray())]));

        Assert.Equal(reply, newcomer.ExpectMsg<EnrolReply>());
    }

    [Fact]
    public void A_gateway_restarted_during_a_cut_answers_from_what_it_kept()
    {
        var before = StartLinked();
        before.Tell(new CameDown([Down(EnvelopeKind.Desired, 2), State(desired: 2, reported: 5)]));
        before.Tell(new GetHeld());
        Assert.Equal([new HeldDesired(Till, 2)], ExpectMsg<List<HeldDesired>>());
        Watch(before);
        Sys.Stop(before);
        ExpectTerminated(before);

        var after = Start();
        after.Tell(new SyncDevice(Till, Request(1, 5, 5)));

        var reply = ExpectMsg<SyncReply>();
        Assert.Equal(SyncReply.Types.Outcome.Delivered, reply.Outcome);
        Assert.False(reply.HeadquartersReachable);
    }

    [Fact]
    public void A_malformed_request_is_refused_with_the_reason()
    {
        var gateway = StartLinked();

        gateway.Tell(new SyncDevice(Till, Request(0, 2, 0, [1, 2, 3])));

        var reply = ExpectMsg<SyncReply>();
        Assert.Equal(SyncReply.Types.Outcome.Refused, reply.Outcome);
        Assert.Equal((int)RefusalCode.Invalid, reply.Refusal.Code);
    }

    [Fact]
    public void Beyond_the_number_that_may_wait_reports_are_held_at_once()
    {
        var gateway = StartLinked();
        var devices = Enumerable.Range(0, Options.MaxWaiting + 1).Select(_ => CreateTestProbe()).ToList();

        foreach (var device in devices)
            device.Send(gateway, new SyncDevice(Till, Request(0, 1, 0, Sealed(EnvelopeKind.Report, 1))));

        Assert.Equal(SyncReply.Types.Outcome.Held, devices[^1].ExpectMsg<SyncReply>().Outcome);
        Assert.False(devices[0].HasMessages);
    }

    private IActorRef Start()
    {
        var gateway = Sys.ActorOf(GatewayActor.Props(Options, _store, TestActor, new FakeTimeProvider()));
        ExpectMsg<GatewayReady>();
        return gateway;
    }

    private IActorRef StartLinked()
    {
        var gateway = Start();
        gateway.Tell(new UplinkChanged(Up: true, Epoch));
        return gateway;
    }

    private sealed class RecordingStore : IGatewayStore
    {
        private readonly Dictionary<DeviceId, DeviceSession> _kept = [];

        public IEnumerable<DeviceSession> Load() => _kept.Values;

        public void Save(IReadOnlyCollection<DeviceSession> changed, IReadOnlyCollection<DeviceId> forgotten)
        {
            foreach (var session in changed)
                _kept[session.Id] = session;
            foreach (var id in forgotten)
                _kept.Remove(id);
        }
    }
}
