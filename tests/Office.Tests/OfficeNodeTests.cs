using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Device.Enrolment;
using Fleet.Device.Inventory;
using Fleet.Device.Settings;
using Fleet.Device.Sync;
using Fleet.Messages.Link;
using Fleet.Office.Identity;
using Fleet.TestSupport;
using Google.Protobuf;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Office.Tests;

/// <summary>Whole nodes over real sockets, against an edge whose answers the test says.</summary>
public sealed class OfficeNodeTests : IAsyncLifetime
{
    private static readonly DeviceId Till = new("till-1");
    private readonly TempDirectory _directory = new();
    private readonly FakeHeadquarters _headquarters = new();
    private readonly FakeEdge.Script _said = new();
    private FakeEdge _edge = null!;
    private DataDirectory _data = null!;

    public async Task InitializeAsync()
    {
        _said.Owner = item => item is DeviceEnvelopeUp up && up.DeviceId == _headquarters.Device
            ? [new DeviceEnvelopeDown(up.DeviceId, _headquarters.Take(ByteString.CopyFrom(up.Envelope.Span)))]
            : [];
        _edge = FakeEdge.Start(_headquarters.Authority, Options().Link, _said);
        _data = DataDirectory.Open(_directory.Of("node"), "office");
        await using var server = await FakeGateway.Start(_headquarters.Authority, PeerIdentity.Headquarters, new FakeGateway.Answers { Enrol = _headquarters.Enrol });
        var enrolment = new NodeEnrolment(new EnrolmentClient(Tcp.Connect, DeviceOptions.Default, TimeProvider.System), MachineFingerprint.Read());

        var outcome = await enrolment.Enrol(_data, _headquarters.Token, "gw1", new NodeReach([server.Address], [_edge.Local.ToString()], []), CancellationToken.None);

        Assert.IsType<EnrolmentOutcome.Accepted>(outcome);
    }

    public async Task DisposeAsync()
    {
        await _edge.DisposeAsync();
        _data.Dispose();
        _headquarters.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_started_node_links_announces_itself_and_reports_its_own_machine()
    {
        await using var node = await Start();

        await node.Linked.WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal("gw1.leeds", _said.Hellos.First().NodeId.Value);
        await Until.True(() => _said.Items<NodeEvent>().Any(e => e.Kind == "started"), "the start is in the node's history at headquarters");
        await Until.True(() => _headquarters.Reports.Any(r => r.Inventory.HostName == Environment.MachineName), "the own machine's report was opened at headquarters");
    }

    [Fact]
    public async Task The_gateway_role_opens_the_port_is_reported_and_closes_again()
    {
        await using var node = await Start();
        await node.Linked.WaitAsync(TimeSpan.FromSeconds(20));

        _said.Send(Wanted(1, NodeRole.Gateway));
        await Until.True(() => _said.Node is { AppliedVersion: 1, Roles: [NodeRole.Gateway], GatewayAddresses.Count: 1 }, "the role is reported as running");
        var at = IPEndPoint.Parse(_said.Node!.GatewayAddresses[0]);
        Assert.True(IsOpen(at));

        _said.Send(Wanted(2));
        await Until.True(() => _said.Node is { AppliedVersion: 2, Roles.Count: 0, GatewayAddresses.Count: 0 }, "the role is reported as stopped");
        await Until.True(() => !IsOpen(at), "the port is closed");
    }

    [Fact]
    public async Task The_own_machine_is_woken_by_the_link_itself()
    {
        await using var node = await Start();
        const string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        await Until.True(() => _headquarters.Reports.Count > 0, "the own machine has reported");

        _said.Send(new WakeDevice(_headquarters.Device, WakeSignal.Make(_headquarters.KeysOf(1), 7), WakeChannel.OfficeDatagram, [], new OfficeId("leeds"), trace));

        await Until.True(() => _said.Items<DeviceWoken>().Any(w => w.Counter == 7), "the wake-up is acknowledged");
        // Nobody records here; the trace goes on all the same.
        Assert.Equal(trace, _said.Items<DeviceWoken>().First(w => w.Counter == 7).Trace);
    }

    [Fact]
    public async Task A_node_that_is_told_to_shows_how_it_is()
    {
        using var http = new HttpClient();
        await using var node = await Start("metrics.listen=on", "metrics.port=0");
        await node.Linked.WaitAsync(TimeSpan.FromSeconds(20));

        await Until.True(async () => (await http.GetStringAsync($"http://{node.Monitoring}/health/ready")).Contains("\"status\":\"fine\",\"checks\"", StringComparison.Ordinal), "a node with a link is ready");
        var metrics = await http.GetStringAsync($"http://{node.Monitoring}/metrics");
        await _edge.DisposeAsync();
        await Until.True(async () => (await http.GetStringAsync($"http://{node.Monitoring}/health/ready")).Contains("no link to headquarters", StringComparison.Ordinal), "a node without says so");
        using var ready = await http.GetAsync($"http://{node.Monitoring}/health/ready");

        Assert.Matches(@"fleet_office_linked\{[^}]*\} 1", metrics);
        Assert.Matches(@"fleet_office_frames_total\{[^}]*direction=""up""[^}]*\} [1-9]", metrics);
        // Its office goes on without headquarters, and so does it.
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Contains("\"status\":\"degraded\"", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_dials_periodically_brings_all_up_to_date_hangs_up_and_dials_again()
    {
        _said.AtAnnounce.Add(Wanted(1) with { Periodic = true, SyncInterval = TimeSpan.FromSeconds(2) });
        await using var node = await Start("office.hang-up-after=1s");

        await Until.True(() => _said.Hellos.Count >= 3, "it has dialled again and again");

        // Each dial is a new actor system over a new connection, and what waited went up before it hung up.
        Assert.Contains(_said.Items<NodeEvent>(), e => e.Kind == "started");
        Assert.Contains(_said.Goodbyes, g => g.Reason == "hung up until its next dial");
        await Until.True(() => _headquarters.Reports.Any(r => r.Inventory.HostName == Environment.MachineName), "the own machine's report was opened at headquarters");
    }

    [Fact]
    public async Task A_link_that_comes_back_tells_its_way_in_its_announce_alone()
    {
        await using var node = await Start();
        await Until.True(() => _said.Announces.Count == 1, "the node is linked");

        var port = _edge.Local.Port;
        await _edge.DisposeAsync();
        _edge = FakeEdge.Start(_headquarters.Authority, Options().Link, _said, port);
        await Until.True(() => _said.Announces.Count == 2, "the node is linked again");
        _said.Send(Wanted(1));
        await Until.True(() => _said.Node is { AppliedVersion: 1 }, "what headquarters wants is obeyed");

        Assert.All(_said.Announces, a => Assert.Equal("directly", a.Report.LinkedBy));
        Assert.Equal(1UL, Assert.Single(_said.Items<NodeReport>()).AppliedVersion);
    }

    [Fact]
    public async Task A_port_in_use_is_reported_and_the_node_stays_up_until_it_is_free()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var node = await Start($"gateway.port={port}", "office.port-retry=200ms");
        await node.Linked.WaitAsync(TimeSpan.FromSeconds(20));
        _said.Send(Wanted(1, NodeRole.Gateway));
        await Until.True(() => _said.Node?.Problems.Any(p => p.Contains($":{port}", StringComparison.Ordinal)) == true, "the port in use is reported as a problem");

        other.Stop();

        await Until.True(() => _said.Node is { Roles: [NodeRole.Gateway], Problems.Count: 0 }, "the role runs once the port is free");
    }

    [Fact]
    public async Task A_role_that_this_version_lacks_is_reported_as_a_problem()
    {
        await using var node = await Start();
        await node.Linked.WaitAsync(TimeSpan.FromSeconds(20));

        _said.Send(Wanted(1, (NodeRole)99));

        await Until.True(() => _said.Node?.Problems.Any(p => p.Contains("role 99 is not in version", StringComparison.Ordinal)) == true, "the unknown role is reported");
    }

    [Fact]
    public async Task During_a_cut_the_gateway_answers_and_everything_arrives_once_after_it()
    {
        var desired = Clear(EnvelopeKind.Desired, 3);
        _said.AtAnnounce.AddRange([Wanted(1, NodeRole.Gateway), new DeviceState(Till, 3, 0, TimeSpan.FromMinutes(15)), new DeviceEnvelopeDown(Till, desired)]);
        await using var node = await Start();
        using var device = await Device();
        var port = _edge.Local.Port;

        await _edge.DisposeAsync();
        await Until.True(async () => !(await device.SyncAsync(Request(3, 0))).HeadquartersReachable, "the gateway knows that headquarters is out of reach");
        var delivered = await device.SyncAsync(Request(2, 0));
        var held = await device.SyncAsync(Request(3, 1, Clear(EnvelopeKind.Report, 1)));
        var newer = await device.SyncAsync(Request(3, 2, Clear(EnvelopeKind.Report, 2)));
        var newcomer = await device.EnrolAsync(Enrolment());
        _edge = FakeEdge.Start(_headquarters.Authority, Options().Link, _said, port);

        Assert.Equal([desired], delivered.Envelopes.Select(e => e.ToByteArray()));
        Assert.Equal([SyncReply.Types.Outcome.Held, SyncReply.Types.Outcome.Held], [held.Outcome, newer.Outcome]);
        Assert.Equal((int)RefusalCode.HeadquartersUnreachable, newcomer.Refusal.Code);
        Assert.NotNull(newcomer.Refusal.RetryAfter);
        await Until.True(() => _said.Items<DeviceEnvelopeUp>().Any(r => r.DeviceId == Till), "the report held during the cut arrived");
        await Until.True(() => _said.Items<NodeEvent>().Count(e => e.Kind == "link-up") == 2, "the whole history arrived");
        Assert.Equal(Clear(EnvelopeKind.Report, 2), Assert.Single(_said.Items<DeviceEnvelopeUp>(), r => r.DeviceId == Till).Envelope.ToArray());
        var numbers = _said.Items<NodeEvent>().Select(e => e.Number).ToList();
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(n => (ulong)n), numbers);
        Assert.Contains(_said.Announces.Last().Held, h => h == new HeldDesired(Till, 3));
    }

    [Fact]
    public async Task A_node_restarted_during_a_cut_holds_its_role_and_answers_from_the_last_desired_state()
    {
        _said.AtAnnounce.AddRange([Wanted(1, NodeRole.Gateway), new DeviceState(Till, 3, 0, TimeSpan.FromMinutes(15)), new DeviceEnvelopeDown(Till, Clear(EnvelopeKind.Desired, 3))]);
        var port = FreePorts.One();
        await using (await Start($"gateway.port={port}"))
        {
            using var before = await Device();
            await Until.True(async () => (await before.SyncAsync(Request(2, 0))).Envelopes.Count == 1, "the gateway has the desired document");
        }

        await _edge.DisposeAsync();
        await using var node = await Start($"gateway.port={port}");
        using var device = new DeviceCalls(_headquarters.Authority, new IPEndPoint(IPAddress.Loopback, port));
        SyncReply? reply = null;
        await Until.True(async () => (reply = await device.TrySync(Request(2, 0))) is not null, "the restarted gateway answers");

        Assert.Equal((SyncReply.Types.Outcome.Delivered, false), (reply!.Outcome, reply.HeadquartersReachable));
    }

    [Fact]
    public async Task A_link_that_falls_silent_is_dialled_anew_within_the_lease_and_a_little()
    {
        _said.Lease = TimeSpan.FromSeconds(1);
        await using var node = await Start();
        await node.Linked.WaitAsync(TimeSpan.FromSeconds(20));

        _said.Answers = false;
        await Until.True(() => _said.Hellos.Count > 1, "the node said hello again");
        _said.Answers = true;

        await Until.True(() => _said.Announces.Select(a => a.Epoch).Distinct().Count() > 1, "the node announced itself in a new epoch");
        Assert.Single(_said.Hellos.Select(h => h.Incarnation).Distinct());
        await Until.True(() => _said.Items<NodeEvent>().Any(e => e.Kind == "link-down" && e.Text.Contains("has not answered", StringComparison.Ordinal)), "the reason is in the history");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lost_link_is_one_line_in_the_log_and_its_return_another(bool killed)
    {
        using var log = new CaughtLog();
        await using var node = await OfficeNode.Start(new OfficeSetup(Options("log.level=debug"), _data, TimeProvider.System, log));
        await node.Linked.WaitAsync(TimeSpan.FromSeconds(20));
        var port = _edge.Local.Port;

        // A killed headquarters says no goodbye; either way the node dials in vain for a while.
        if (killed)
            _edge.Break(node.Node);
        await _edge.DisposeAsync();
        await Until.True(() => log.All.Count(l => l.Text.StartsWith("Still no link", StringComparison.Ordinal)) > 2, "the node dialled a few times in vain");
        _edge = FakeEdge.Start(_headquarters.Authority, Options().Link, _said, port);
        await Until.True(() => log.Lines.Any(l => l.Text.StartsWith("Linked to headquarters again after", StringComparison.Ordinal)), "the return is told");

        var told = log.Lines.SkipWhile(l => !l.Text.StartsWith("Linked to headquarters, ", StringComparison.Ordinal)).Skip(1).Where(l => l.Category != "Fleet.Office.OwnDevice").ToList();
        Assert.Equal([LogLevel.Warning, LogLevel.Information], told.Select(l => l.Level));
        Assert.StartsWith("No link to headquarters since ", told[0].Text, StringComparison.Ordinal);
        Assert.DoesNotContain(told, l => l.Cause is not null);
    }

    [Fact]
    public async Task A_certificate_that_is_due_is_renewed_over_the_link_without_dropping_it()
    {
        var identity = NodeIdentity.Load(_data)!;
        using var key = identity.Current.Open();
        using var old = _headquarters.Authority.Issue(PeerIdentity.Of(identity.NodeId), key, TimeSpan.FromMinutes(2));
        (identity with { Current = identity.Current with { Certificate = old.RawData } }).Save(_data);
        var owner = _said.Owner;
        _said.Owner = item => item is NodeRenewal renewal
            ? [new NodeRenewed([.. _headquarters.Authority.Answer(PeerIdentity.Of(identity.NodeId), renewal.CertificateRequest.ToArray()).Select(c => (ReadOnlyMemory<byte>)c)])]
            : owner(item);

        await using var node = await Start();

        await Until.True(() => _said.Items<NodeEvent>().Any(e => e.Kind == "certificate-renewed"), "the renewal is in the history");
        Assert.Single(_said.Hellos);
        using var current = X509CertificateLoader.LoadCertificate(NodeIdentity.Load(_data)!.Current.Certificate!);
        Assert.True(current.NotAfter > DateTime.Now.AddDays(20));
        Assert.Equal([old.Thumbprint], _said.Certificates.Distinct());
        // The next connection shows the new one.
        var port = _edge.Local.Port;
        await _edge.DisposeAsync();
        _edge = FakeEdge.Start(_headquarters.Authority, Options().Link, _said, port);
        await Until.True(() => _said.Certificates.Contains(current.Thumbprint), "the renewed certificate was shown");
    }

    [Fact]
    public async Task A_directory_without_an_enrolled_node_is_refused()
    {
        using var empty = DataDirectory.Open(_directory.Of("empty"), "office");

        var fault = await Assert.ThrowsAsync<StorageException>(() => OfficeNode.Start(new OfficeSetup(Options(), empty, TimeProvider.System, NullLoggerFactory.Instance)));

        Assert.Contains("office enroll", fault.Message, StringComparison.Ordinal);
    }

    private Task<OfficeNode> Start(params string[] sets) => OfficeNode.Start(new OfficeSetup(Options(sets), _data, TimeProvider.System, NullLoggerFactory.Instance));

    private async Task<DeviceCalls> Device()
    {
        await Until.True(() => _said.Node is { GatewayAddresses.Count: 1 }, "the gateway's port is open");
        return new DeviceCalls(_headquarters.Authority, IPEndPoint.Parse(_said.Node!.GatewayAddresses[0]));
    }

    private static OfficeOptions Options(params string[] sets) =>
        OfficeOptions.Load(null, ["gateway.bind=127.0.0.1", "gateway.port=0", "push.bind=127.0.0.1", "push.port=0", "gateway.answer-timeout=1s", "link.max-backoff=1s", "log.level=warning", .. sets]);

    private static NodeDesired Wanted(ulong version, params NodeRole[] roles) => new(version, roles, TimeSpan.FromMinutes(15), null, [], [], Periodic: false, Updates: null);

    // Carriers read the header alone, so these need no keys.
    private static byte[] Clear(EnvelopeKind kind, ulong version) => new SealedEnvelope
    {
        Header = new EnvelopeHeader { DeviceId = Till.Value, Kind = kind, Version = version }.ToByteString(),
    }.ToByteArray();

    private static SyncRequest Request(ulong desired, ulong reported, byte[]? report = null) => new()
    {
        DeviceId = Till.Value,
        OfficeId = "leeds",
        DesiredVersion = desired,
        ReportedVersion = reported,
        Envelope = ByteString.CopyFrom(report ?? []),
        RunId = ByteString.CopyFromUtf8("run"),
    };

    private static EnrolRequest Enrolment() => new()
    {
        TokenId = "t1",
        OfficeId = "leeds",
        Kind = JoinKind.Agent,
        Name = "till",
        CertificateRequest = ByteString.CopyFrom(new byte[100]),
        Proof = ByteString.CopyFrom(new byte[32]),
    };

    private static bool IsOpen(IPEndPoint at)
    {
        using var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(at);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A device's calls over gRPC and mutual TLS.</summary>
    private sealed class DeviceCalls : IDisposable
    {
        private readonly GrpcChannel _channel;
        private readonly AgentGateway.AgentGatewayClient _client;

        public DeviceCalls(TestAuthority authority, IPEndPoint at)
        {
            var trust = new PeerTrust(authority.Certificate, TimeProvider.System, TimeSpan.Zero);
            var handler = new SocketsHttpHandler();
            handler.SslOptions.ClientCertificates = [authority.Issue(PeerIdentity.Of(Till))];
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => trust.Check((X509Certificate2)shown!, out var _) is { Kind: PeerKind.Node };
            _channel = GrpcChannel.ForAddress($"https://{at}", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
            _client = new AgentGateway.AgentGatewayClient(_channel);
        }

        public async Task<SyncReply> SyncAsync(SyncRequest request) => await _client.SyncAsync(request);

        public async Task<EnrolReply> EnrolAsync(EnrolRequest request) => await _client.EnrolAsync(request);

        public async Task<SyncReply?> TrySync(SyncRequest request)
        {
            try
            {
                return await _client.SyncAsync(request);
            }
            catch (Grpc.Core.RpcException)
            {
                return null;
            }
        }

        public void Dispose() => _channel.Dispose();
    }
}
