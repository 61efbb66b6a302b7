using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.TestSupport;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Fleet.Device.Tests.Enrolment;

public sealed class EnrolmentTests : IDisposable
{
    private readonly FakeHeadquarters _headquarters = new();
    private readonly FakeGateway.Answers _answers = new();
    private readonly EnrolmentClient _client = new(Tcp.Connect, TestDevice.Options, TimeProvider.System);

    public void Dispose() => _headquarters.Dispose();

    [Fact]
    public async Task A_machine_enrols_through_a_gateway_and_keeps_what_it_was_given()
    {
        _answers.Enrol = _headquarters.Enrol;
        await using var gateway = await Start(_headquarters.Authority);
        var storage = new DeviceMemory();
        var pending = Pending(gateway.Address);

        var accepted = Assert.IsType<EnrolmentOutcome.Accepted>(await _client.Enrol(pending, CancellationToken.None));
        DeviceEnrolment.Complete(storage, pending, accepted);

        var identity = IdentityFiles.Load(storage)!;
        Assert.Equal((_headquarters.Device, new OfficeId("leeds"), 1u), (identity.Device, identity.Office, identity.Current.Generation));
        Assert.Equal("gw1.leeds", accepted.Through);
        Assert.Null(PendingEnrolment.Load(storage));
        Assert.DoesNotContain(Convert.ToHexString(_headquarters.Token.Secret), Convert.ToHexString(Google.Protobuf.MessageExtensions.ToByteArray(_headquarters.Enrolments[0])));
    }

    [Fact]
    public async Task Nothing_is_sent_to_a_server_of_another_authority()
    {
        using var rogue = new TestAuthority();
        _answers.Enrol = _ => throw new InvalidOperationException("was asked");
        await using var gateway = await Start(rogue);

        var outcome = Assert.IsType<EnrolmentOutcome.Unreachable>(await _client.Enrol(Pending(gateway.Address), CancellationToken.None));

        Assert.Contains("does not match the token's pin", outcome.Detail);
        Assert.Equal(0, _answers.Enrolments);
    }

    [Fact]
    public async Task Nothing_is_sent_to_a_device_that_poses_as_a_gateway()
    {
        await using var gateway = await FakeGateway.Start(_headquarters.Authority, PeerIdentity.Of(new DeviceId("d9")), _answers);

        var outcome = Assert.IsType<EnrolmentOutcome.Unreachable>(await _client.Enrol(Pending(gateway.Address), CancellationToken.None));

        Assert.NotEmpty(outcome.Detail);
        Assert.Equal(0, _answers.Enrolments);
    }

    [Fact]
    public async Task An_answer_that_does_not_know_the_secret_is_not_accepted()
    {
        _answers.Enrol = request =>
        {
            var reply = _headquarters.Enrol(request);
            reply.Enrolled.OfficeId = "york";
            return reply;
        };
        await using var gateway = await Start(_headquarters.Authority);

        var outcome = Assert.IsType<EnrolmentOutcome.Unreachable>(await _client.Enrol(Pending(gateway.Address), CancellationToken.None));

        Assert.Contains("altered", outcome.Detail);
    }

    [Fact]
    public async Task A_refusal_ends_the_enrolment()
    {
        _answers.Enrol = _ => new EnrolReply { Refusal = new Refusal { Code = (int)RefusalCode.TokenExpired, Detail = "the token ran out" } };
        await using var gateway = await Start(_headquarters.Authority);

        var outcome = Assert.IsType<EnrolmentOutcome.Refused>(await _client.EnrolUntilAnswered(Pending(gateway.Address), (_, _) => { }, CancellationToken.None));

        Assert.Equal(RefusalCode.TokenExpired, outcome.Code);
    }

    [Fact]
    public async Task While_headquarters_is_out_of_reach_the_newcomer_is_told_and_completes_by_itself()
    {
        _answers.Enrol = request => _answers.Enrolments < 3
            ? new EnrolReply { Refusal = new Refusal { Code = (int)RefusalCode.HeadquartersUnreachable, Detail = "no link" } }
            : _headquarters.Enrol(request);
        await using var gateway = await Start(_headquarters.Authority);
        var told = new List<string>();

        var outcome = await _client.EnrolUntilAnswered(Pending(gateway.Address), (unreachable, _) => told.Add(unreachable.Detail), CancellationToken.None);

        Assert.IsType<EnrolmentOutcome.Accepted>(outcome);
        Assert.Equal(2, told.Count);
        Assert.All(told, t => Assert.Contains("can't reach headquarters now", t));
    }

    [Fact]
    public async Task A_repeat_after_a_lost_answer_and_a_restart_is_the_same_request()
    {
        _answers.Enrol = _headquarters.Enrol;
        await using var gateway = await Start(_headquarters.Authority);
        var storage = new DeviceMemory();
        var pending = Pending(gateway.Address);
        pending.Save(storage);
        await _client.Enrol(pending, CancellationToken.None);

        await _client.Enrol(PendingEnrolment.Load(storage)!, CancellationToken.None);

        Assert.Equal(_headquarters.Enrolments[0], _headquarters.Enrolments[1]);
    }

    [Fact]
    public async Task The_next_address_is_tried_where_nobody_answers()
    {
        _answers.Enrol = _headquarters.Enrol;
        await using var gateway = await Start(_headquarters.Authority);

        var outcome = await _client.Enrol(Pending("127.0.0.1:1", gateway.Address), CancellationToken.None);

        Assert.IsType<EnrolmentOutcome.Accepted>(outcome);
    }

    [Fact]
    public async Task A_wait_that_a_server_names_is_kept_and_a_senseless_one_is_not()
    {
        _answers.Enrol = _ => new EnrolReply { Refusal = new Refusal { Code = (int)RefusalCode.Busy, RetryAfter = new Duration { Seconds = 315_360_000 } } };
        await using var senseless = await Start(_headquarters.Authority);
        var trailer = new Metadata { { RetryAfter.Trailer, "1500" } };
        await using var busy = await FakeGateway.Start(_headquarters.Authority, PeerIdentity.Of(new NodeId("gw2.leeds")),
            new FakeGateway.Answers { Enrol = _ => throw new RpcException(new Status(StatusCode.ResourceExhausted, "busy"), trailer) });

        var outcome = Assert.IsType<EnrolmentOutcome.Unreachable>(await _client.Enrol(Pending(senseless.Address, busy.Address), CancellationToken.None));

        Assert.Equal(TimeSpan.FromMilliseconds(1500), outcome.RetryAfter);
    }

    private Task<FakeGateway> Start(TestAuthority authority) => FakeGateway.Start(authority, PeerIdentity.Of(new NodeId("gw1.leeds")), _answers);

    private PendingEnrolment Pending(params string[] gateways) =>
        PendingEnrolment.Begin(_headquarters.Token, JoinKind.Agent, "till-1", [1], new Reach(gateways, [], GatewayOnly: false));
}
