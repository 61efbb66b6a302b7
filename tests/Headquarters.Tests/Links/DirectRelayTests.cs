using Akka.Actor;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Gateway;
using Fleet.Headquarters.Links;
using Fleet.Messages.Cluster;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Google.Protobuf;

namespace Fleet.Headquarters.Tests.Links;

public sealed class DirectRelayTests : TestKit
{
    private static readonly OfficeId Leeds = new("leeds");
    private static readonly OfficeId York = new("york");
    private static readonly DeviceId LeedsTill = new("till-1");
    private static readonly DeviceId YorkTill = new("till-2");

    private readonly IActorRef _relay;
    private readonly Akka.TestKit.TestProbe _offices;
    private readonly Akka.TestKit.TestProbe _gateway;

    public DirectRelayTests()
    {
        (_offices, _gateway) = (CreateTestProbe(), CreateTestProbe());
        _relay = Sys.ActorOf(DirectRelay.Props(_offices, TimeSpan.FromMinutes(1)));
        _relay.Tell(new GatewayReady(), _gateway);
        Assert.True(_gateway.ExpectMsg<UplinkChanged>().Up);
    }

    [Fact]
    public void Items_go_to_the_offices_they_hint_at_and_answers_come_down()
    {
        _relay.Tell(new SendUp([new DesiredWanted(LeedsTill, 0, Leeds), new DesiredWanted(YorkTill, 0, York)]), _gateway);

        Assert.Equal([Leeds, York], new[] { _offices.ExpectMsg<TakeDirect>().OfficeId, _offices.ExpectMsg<TakeDirect>().OfficeId });

        _relay.Tell(new DirectAnswer([new SyncWanted(LeedsTill)]), _offices);
        Assert.Equal(new SyncWanted(LeedsTill), Assert.Single(_gateway.ExpectMsg<CameDown>().Items));
    }

    [Fact]
    public void What_a_twin_has_for_direct_devices_comes_down_unasked()
    {
        Sys.EventStream.Publish(new CameDownDirect(Leeds, [new SyncWanted(LeedsTill)]));

        Assert.Equal(new SyncWanted(LeedsTill), Assert.Single(_gateway.ExpectMsg<CameDown>().Items));
    }

    [Fact]
    public void A_digest_is_split_by_the_offices_that_its_devices_named_before()
    {
        _relay.Tell(new SendUp([new DesiredWanted(LeedsTill, 0, Leeds), new DesiredWanted(YorkTill, 0, York)]), _gateway);
        _offices.ExpectMsg<TakeDirect>();
        _offices.ExpectMsg<TakeDirect>();

        _relay.Tell(new SendUp([new PresenceDigest([new DeviceSeen(YorkTill, default), new DeviceSeen(new DeviceId("never-met"), default)])]), _gateway);

        var taken = _offices.ExpectMsg<TakeDirect>();
        Assert.Equal(York, taken.OfficeId);
        Assert.Equal(YorkTill, Assert.Single(Assert.IsType<PresenceDigest>(Assert.Single(taken.Items)).Seen).DeviceId);
        _offices.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void A_twin_that_began_anew_hears_of_the_lines_and_the_devices_of_its_office()
    {
        _relay.Tell(new SendUp([new DesiredWanted(LeedsTill, 3, Leeds), new DesiredWanted(YorkTill, 3, York)]), _gateway);
        _offices.ExpectMsg<TakeDirect>();
        _offices.ExpectMsg<TakeDirect>();

        Sys.EventStream.Publish(new OfficeBegan(Leeds));

        Assert.Equal(Leeds, _gateway.ExpectMsg<TellLines>().OfficeId);
        var taken = _offices.ExpectMsg<TakeDirect>();
        Assert.Equal((Leeds, LeedsTill), (taken.OfficeId, Assert.IsType<DesiredWanted>(Assert.Single(taken.Items)).DeviceId));
        _offices.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void An_enrolment_goes_to_the_office_it_names_and_its_answer_to_the_newcomer()
    {
        _relay.Tell(new SendUp([new EnrolmentUp("r1", new EnrolRequest { OfficeId = "leeds" }.ToByteArray())]), _gateway);

        var enrol = _offices.ExpectMsg<Enrol>();
        Assert.Equal((Leeds, "r1", null), (enrol.OfficeId, enrol.RequestId, enrol.CarrierOffice));

        _relay.Tell(new EnrolmentAnswer("r1", new byte[] { 1 }), _offices);
        Assert.Equal("r1", Assert.IsType<EnrolmentDown>(Assert.Single(_gateway.ExpectMsg<CameDown>().Items)).RequestId);
    }

    [Fact]
    public void An_enrolment_into_an_impossible_office_is_refused_here()
    {
        _relay.Tell(new SendUp([new EnrolmentUp("r1", new EnrolRequest { OfficeId = "../etc" }.ToByteArray())]), _gateway);

        var down = Assert.IsType<EnrolmentDown>(Assert.Single(_gateway.ExpectMsg<CameDown>().Items));
        Assert.Equal((int)RefusalCode.Invalid, EnrolReply.Parser.ParseFrom(down.Reply.Span).Refusal.Code);
        _offices.ExpectNoMsg(TimeSpan.Zero);
    }
}
