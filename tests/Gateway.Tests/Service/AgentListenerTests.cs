using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Push;
using Fleet.Gateway.Service;
using Fleet.Gateway.Sessions;
using Google.Protobuf;
using Fleet.TestSupport;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using static Fleet.Gateway.Tests.TestFleet;

namespace Fleet.Gateway.Tests.Service;

/// <summary>The agents' port over real sockets and TLS, with honest and hostile clients.</summary>
public sealed class AgentListenerTests : TestKit, IAsyncLifetime
{
    private static readonly PeerIdentity Gateway1 = PeerIdentity.Of(new NodeId("gw1.leeds"));
    private readonly TestAuthority _authority = new();
    private X509Certificate2 _own = null!;
    private AgentListener _listener = null!;

    private PeerTrust Trust => new(_authority.Certificate, TimeProvider.System, TimeSpan.Zero);

    public async Task InitializeAsync()
    {
        _own = _authority.Issue(Gateway1);
        _listener = await AgentListener.Start(new AgentListenerSetup(TestActor, Options.Endpoint, Options, () => _own, Trust, TimeProvider.System, NullLoggerFactory.Instance));
    }

    public async Task DisposeAsync() => await _listener.DisposeAsync();

    [Fact]
    public async Task A_device_syncs_with_its_certificate()
    {
        using var channel = Dial(_authority.Issue(PeerIdentity.Of(Till)));
        var call = new AgentGateway.AgentGatewayClient(channel).SyncAsync(Request(2, 5, 5));

        Assert.Equal(Till, ExpectMsg<SyncDevice>().DeviceId);
        LastSender.Tell(new SyncReply { Outcome = SyncReply.Types.Outcome.NothingNew });

        Assert.Equal(SyncReply.Types.Outcome.NothingNew, (await call).Outcome);
    }

    [Fact]
    public async Task The_agents_port_opens_no_lines_and_the_push_servers_takes_no_syncs()
    {
        using var agents = Dial(_authority.Issue(PeerIdentity.Of(Till)));
        using var listening = new AgentGateway.AgentGatewayClient(agents).Listen(new ListenRequest { DeviceId = Till.Value, OfficeId = Leeds.Value });

        var refused = await Assert.ThrowsAsync<RpcException>(() => listening.ResponseStream.MoveNext(CancellationToken.None));
        await using var push = await StartPush();
        using var lines = Dial(_authority.Issue(PeerIdentity.Of(Till)), push);

        Assert.Equal((StatusCode.Unimplemented, StatusCode.Unimplemented), (refused.StatusCode, await StatusOf(lines, Request(2, 5, 5))));
    }

    [Fact]
    public async Task A_line_carries_what_the_push_server_writes_until_the_device_hangs_up()
    {
        await using var push = await StartPush();
        using var channel = Dial(_authority.Issue(PeerIdentity.Of(Till)), push);
        using var line = new AgentGateway.AgentGatewayClient(channel).Listen(new ListenRequest { DeviceId = Till.Value, OfficeId = Leeds.Value });

        var open = ExpectMsg<OpenLine>();
        Assert.True(open.Items.TryWrite(new PushItem { Wake = ByteString.CopyFromUtf8("signal") }));
        Assert.True(await line.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal((Till, Leeds, "signal"), (open.DeviceId, open.OfficeHint, line.ResponseStream.Current.Wake.ToStringUtf8()));
        line.Dispose();

        Assert.Equal((Till, open.Items), ExpectMsg<CloseLine>() is var close ? (close.DeviceId, close.Items) : default);
    }

    [Fact]
    public async Task A_device_may_not_listen_as_another()
    {
        await using var push = await StartPush();
        using var channel = Dial(_authority.Issue(PeerIdentity.Of(new DeviceId("till-2"))), push);
        using var line = new AgentGateway.AgentGatewayClient(channel).Listen(new ListenRequest { DeviceId = Till.Value, OfficeId = Leeds.Value });

        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(() => line.ResponseStream.MoveNext(CancellationToken.None))).StatusCode);
    }

    [Fact]
    public async Task A_newcomer_with_a_self_signed_certificate_may_enrol()
    {
        using var key = KeyRequest.NewKey();
        using var channel = Dial(KeyRequest.SelfSigned(key, TimeProvider.System));
        var call = new AgentGateway.AgentGatewayClient(channel).EnrolAsync(Enrolment());

        ExpectMsg<EnrolNewcomer>();
        LastSender.Tell(new EnrolReply { Enrolled = new Enrolled { Id = "till-1" } });

        Assert.Equal("till-1", (await call).Enrolled.Id);
    }

    [Fact]
    public async Task A_self_signed_certificate_may_not_sync()
    {
        using var key = KeyRequest.NewKey();
        using var channel = Dial(KeyRequest.SelfSigned(key, TimeProvider.System));

        Assert.Equal(StatusCode.Unauthenticated, await StatusOf(channel, Request(2, 5, 5)));
    }

    [Fact]
    public async Task A_device_may_not_sync_as_another()
    {
        using var channel = Dial(_authority.Issue(PeerIdentity.Of(new DeviceId("till-2"))));

        Assert.Equal(StatusCode.PermissionDenied, await StatusOf(channel, Request(2, 5, 5)));
    }

    [Fact]
    public async Task A_client_without_a_certificate_gets_nothing()
    {
        using var channel = Dial(null);

        await GetsNothing(channel);
    }

    [Theory]
    [InlineData("foreign")]
    [InlineData("expired")]
    [InlineData("node")]
    public async Task Certificates_of_others_get_nothing(string kind)
    {
        using var foreign = new TestAuthority();
        using var channel = Dial(kind switch
        {
            "foreign" => foreign.Issue(PeerIdentity.Of(Till)),
            "expired" => _authority.Issue(PeerIdentity.Of(Till), TimeSpan.FromMinutes(-1)),
            _ => _authority.Issue(Gateway1),
        });

        await GetsNothing(channel);
    }

    [Fact]
    public async Task An_oversized_message_is_refused_and_the_next_call_works()
    {
        using var channel = Dial(_authority.Issue(PeerIdentity.Of(Till)));

        var status = await StatusOf(channel, Request(2, 5, 4, new byte[AgentGatewayService.MaxMessageBytes + 1]));

        Assert.Equal(StatusCode.ResourceExhausted, status);
        await Sync(channel);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 3, 255, 255, 255 }, "bytes no message is made of")]
    [InlineData(new byte[] { 0, 176, 0, 0, 0, 1 }, "a length of three gigabytes")]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, "an end in the middle")]
    public async Task A_call_that_can_not_be_read_is_one_line_in_the_log_and_others_are_served(byte[] body, string what)
    {
        using var log = new CaughtLog();
        await using var listener = await AgentListener.Start(new AgentListenerSetup(TestActor, Options.Endpoint, Options, () => _own, Trust, TimeProvider.System, log));
        using var http = new HttpClient(Handler(_authority.Issue(PeerIdentity.Of(Till))));
        using var call = new HttpRequestMessage(HttpMethod.Post, $"https://{listener.Local}/fleet.agent.v1.AgentGateway/Sync")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/grpc") } },
        };

        using var answer = await http.SendAsync(call);
        await answer.Content.ReadAsByteArrayAsync();

        Assert.NotEqual("0", answer.Headers.Concat(answer.TrailingHeaders).Single(h => h.Key == "grpc-status").Value.Single());
        var told = Assert.Single(log.Lines);
        Assert.True(told is { Level: LogLevel.Warning, Cause: null } && told.Text.StartsWith("Refused 1 calls of agents", StringComparison.Ordinal), $"{what}: {told}");
        using var channel = Dial(_authority.Issue(PeerIdentity.Of(Till)), listener);
        await Sync(channel);
    }

    [Fact]
    public async Task A_device_that_floods_is_told_a_wait_and_the_others_are_served_as_ever()
    {
        using var hostile = Dial(_authority.Issue(PeerIdentity.Of(Till)));
        var client = new AgentGateway.AgentGatewayClient(hostile);
        var answered = Task.Run(async () =>
        {
            var refused = new List<TimeSpan>();
            for (var i = 0; i < 1000; i++)
                if ((await client.SyncAsync(Request(2, 5, 5), deadline: DateTime.UtcNow.AddSeconds(20))).Refusal is { } refusal)
                    refused.Add(refusal.RetryAfter.ToTimeSpan());
            return refused;
        });
        var passed = 0;
        while (!answered.IsCompleted)
            if (ReceiveOne(TimeSpan.FromMilliseconds(100)) is SyncDevice)
            {
                passed++;
                LastSender.Tell(new SyncReply());
            }

        // Ten seconds' worth at once, and its rate while this ran.
        Assert.InRange(passed, 200, 700);
        Assert.Equal(1000 - passed, (await answered).Count);
        Assert.All(await answered, wait => Assert.True(wait >= TimeSpan.FromSeconds(1)));
        using var other = Dial(_authority.Issue(PeerIdentity.Of(new DeviceId("till-2"))));
        var honest = Request(2, 5, 5);
        honest.DeviceId = "till-2";
        var call = new AgentGateway.AgentGatewayClient(other).SyncAsync(honest);
        ExpectMsg<SyncDevice>();
        LastSender.Tell(new SyncReply());
        Assert.Null((await call).Refusal);
    }

    [Fact]
    public async Task A_device_that_opens_lines_over_and_over_hears_in_a_trailer_when_to_come_again()
    {
        var gateway = Sys.ActorOf(GatewayActor.Props(Options, new NoStore(), TestActor, TimeProvider.System));
        await using var lines = await AgentListener.Start(new AgentListenerSetup(
            gateway, Options.Endpoint with { Face = AgentFace.Push }, Options, () => _own, Trust, TimeProvider.System, NullLoggerFactory.Instance));
        using var channel = Dial(_authority.Issue(PeerIdentity.Of(Till)), lines);
        var client = new AgentGateway.AgentGatewayClient(channel);

        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                using var line = client.Listen(new ListenRequest { DeviceId = Till.Value, OfficeId = Leeds.Value });
                Assert.True(await line.ResponseStream.MoveNext());
            }
        });

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.InRange(RetryAfter.Read(refused.Trailers.GetValue(RetryAfter.Trailer))!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("", "leeds", "token_id")]
    [InlineData("t1", "Leeds!", "office_id")]
    public async Task A_malformed_enrolment_is_refused_with_the_field(string token, string office, string field)
    {
        using var key = KeyRequest.NewKey();
        using var channel = Dial(KeyRequest.SelfSigned(key, TimeProvider.System));
        var request = Enrolment();
        (request.TokenId, request.OfficeId) = (token, office);

        var refused = await Assert.ThrowsAsync<RpcException>(() => new AgentGateway.AgentGatewayClient(channel).EnrolAsync(request).ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains(field, refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renewed_certificate_is_shown_on_the_next_connection()
    {
        var shown = new List<string>();
        var before = _own.Thumbprint;
        using (var first = Dial(_authority.Issue(PeerIdentity.Of(Till)), shown: shown))
            await Sync(first);

        _own = _authority.Issue(Gateway1);

        using (var second = Dial(_authority.Issue(PeerIdentity.Of(Till)), shown: shown))
            await Sync(second);
        Assert.Equal([before, _own.Thumbprint], shown);
    }

    [Fact]
    public async Task A_port_in_use_is_said_so()
    {
        var taken = Options with { Port = _listener.Local.Port };

        var fault = await Assert.ThrowsAsync<IOException>(() =>
            AgentListener.Start(new AgentListenerSetup(TestActor, taken.Endpoint, taken, () => _own, Trust, TimeProvider.System, NullLoggerFactory.Instance)));

        Assert.Contains($"{_listener.Local.Port}", fault.Message, StringComparison.Ordinal);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _authority.Dispose();
    }

    private Task<AgentListener> StartPush() => AgentListener.Start(new AgentListenerSetup(
        TestActor, Options.Endpoint with { Face = AgentFace.Push }, Options, () => _own, Trust, TimeProvider.System, NullLoggerFactory.Instance));

    private static EnrolRequest Enrolment() => new()
    {
        TokenId = "t1",
        OfficeId = "leeds",
        Kind = JoinKind.Agent,
        Name = "till",
        CertificateRequest = ByteString.CopyFrom(new byte[100]),
        Proof = ByteString.CopyFrom(new byte[32]),
    };

    private async Task Sync(GrpcChannel channel)
    {
        var call = new AgentGateway.AgentGatewayClient(channel).SyncAsync(Request(2, 5, 5));
        ExpectMsg<SyncDevice>();
        LastSender.Tell(new SyncReply());
        await call;
    }

    /// <summary>With TLS 1.3 a client learns of its refusal as the loss of the connection: at which byte, and so under which status, is chance.</summary>
    private async Task GetsNothing(GrpcChannel channel)
    {
        var status = await StatusOf(channel, Request(2, 5, 5));

        Assert.True(status is StatusCode.Unavailable or StatusCode.Internal, $"{status}");
        Assert.False(HasMessages);
    }

    private static async Task<StatusCode> StatusOf(GrpcChannel channel, SyncRequest request) =>
        (await Assert.ThrowsAsync<RpcException>(() => new AgentGateway.AgentGatewayClient(channel).SyncAsync(request).ResponseAsync)).StatusCode;

    private GrpcChannel Dial(X509Certificate2? certificate, AgentListener? listener = null, List<string>? shown = null) => GrpcChannel.ForAddress(
        $"https://{new IPEndPoint(IPAddress.Loopback, (listener ?? _listener).Local.Port)}",
        new GrpcChannelOptions { HttpHandler = Handler(certificate, shown), DisposeHttpClient = true });

    private SocketsHttpHandler Handler(X509Certificate2? certificate, List<string>? shown = null) => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificates = certificate is null ? null : [certificate],
            RemoteCertificateValidationCallback = (_, server, _, _) =>
            {
                shown?.Add(server!.GetCertHashString());
                return Trust.Check((X509Certificate2)server!, out _) == Gateway1;
            },
        },
    };
}
