using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Device.Tests.Sync;

public sealed class GrpcCarriersTests : IDisposable
{
    private readonly FakeHeadquarters _headquarters = new();
    private readonly FakeGateway.Answers _answers = new() { Sync = _ => new SyncReply { Outcome = SyncReply.Types.Outcome.NothingNew, HeadquartersReachable = true } };

    public void Dispose() => _headquarters.Dispose();

    [Fact]
    public async Task Many_syncs_use_one_connection_and_an_unchanged_one_costs_under_a_kilobyte()
    {
        await using var gateway = await Start();
        var wire = new CountingNetwork();
        await using var carriers = new GrpcCarriers(wire.Connect, TestDevice.Options, TimeProvider.System);
        var identity = Identity();
        var request = new SyncRequest
        {
            DeviceId = "d1", OfficeId = "leeds", DesiredVersion = 12, ReportedVersion = 345, AcknowledgedVersion = 345,
            RunId = Google.Protobuf.ByteString.CopyFrom(new byte[8]), AgentVersion = "0.1.0",
        };
        // The first syncs bring the handshake, session tickets and settings.
        for (var n = 0; n < 3; n++)
            await carriers.InOrder([gateway.Address], identity)[0].SyncAsync(request, CancellationToken.None);
        var before = wire.Total;

        const int Syncs = 20;
        for (var n = 0; n < Syncs; n++)
            await carriers.InOrder([gateway.Address], identity)[0].SyncAsync(request, CancellationToken.None);

        var each = (wire.Total - before) / (double)Syncs;
        Assert.Equal(1, _answers.Connections);
        // TLS records and HTTP/2 frames; TCP/IP headers add about 52 bytes a segment, at most eight of them.
        Assert.True(each + 8 * 52 < 1000, $"{each:0} bytes of TCP payload a sync");
        Console.WriteLine($"idle sync: {each:0} bytes of TCP payload");
    }

    [Fact]
    public async Task A_peer_of_another_authority_is_not_spoken_to()
    {
        using var rogue = new TestAuthority();
        await using var gateway = await FakeGateway.Start(rogue, PeerIdentity.Of(new NodeId("gw1.leeds")), _answers);
        await using var carriers = new GrpcCarriers(Tcp.Connect, TestDevice.Options, TimeProvider.System);

        var fault = await Assert.ThrowsAsync<CarrierException>(() => carriers.InOrder([gateway.Address], Identity())[0].SyncAsync(new SyncRequest(), CancellationToken.None));

        Assert.Contains("not of this headquarters' CA", fault.Message);
        Assert.Equal(0, _answers.Syncs);
    }

    [Fact]
    public async Task A_gateway_that_restarted_is_found_again_within_the_same_sync()
    {
        var gateway = await Start();
        await using var carriers = new GrpcCarriers(Tcp.Connect, TestDevice.Options, TimeProvider.System);
        var channel = carriers.InOrder([gateway.Address], Identity())[0];
        await channel.SyncAsync(new SyncRequest(), CancellationToken.None);
        var port = int.Parse(gateway.Address.Split(':')[1]);
        await gateway.DisposeAsync();
        await using var restarted = await FakeGateway.Start(_headquarters.Authority, PeerIdentity.Of(new NodeId("gw1.leeds")), _answers, port);

        var reply = await channel.SyncAsync(new SyncRequest(), CancellationToken.None);

        Assert.Equal(SyncReply.Types.Outcome.NothingNew, reply.Outcome);
        Assert.Equal("gw1.leeds", channel.Name);
    }

    [Fact]
    public async Task A_dead_address_is_named_with_the_reason()
    {
        await using var carriers = new GrpcCarriers(Tcp.Connect, TestDevice.Options, TimeProvider.System);

        var fault = await Assert.ThrowsAsync<CarrierException>(() => carriers.InOrder(["127.0.0.1:1"], Identity())[0].SyncAsync(new SyncRequest(), CancellationToken.None));

        Assert.Contains("127.0.0.1:1: Connection refused", fault.Message);
    }

    [Fact]
    public async Task A_whole_device_syncs_over_the_wire()
    {
        _answers.Sync = _headquarters.Sync;
        await using var gateway = await Start();
        await using var carriers = new GrpcCarriers(Tcp.Connect, TestDevice.Options, TimeProvider.System);
        var device = TestDevice.EnrolledAt(_headquarters, new Reach([gateway.Address], [], GatewayOnly: true)).Start(carriers);

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        Assert.Equal(1UL, device.State.AcknowledgedVersion);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-2)]
    public async Task A_device_whose_clock_is_two_days_off_enrols_syncs_and_says_so(int headquartersIsAheadBy)
    {
        // The system's own clock is the device's: certificates and the CA itself look not yet valid, or expired, to the real chain check.
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(headquartersIsAheadBy));
        using var headquarters = new FakeHeadquarters(clock) { CertificateLife = TimeSpan.FromHours(30) };
        _answers.Enrol = headquarters.Enrol;
        _answers.Sync = headquarters.Sync;
        await using var gateway = await FakeGateway.Start(headquarters.Authority, PeerIdentity.Of(new NodeId("gw1.leeds")), _answers, life: TimeSpan.FromHours(1));
        var storage = new DeviceMemory();
        var pending = PendingEnrolment.Begin(headquarters.Token, JoinKind.Agent, "till-1", [1], new Reach([gateway.Address], [], GatewayOnly: true));
        var outcome = await new EnrolmentClient(Tcp.Connect, TestDevice.Options, TimeProvider.System).Enrol(pending, CancellationToken.None);
        DeviceEnrolment.Complete(storage, pending, Assert.IsType<EnrolmentOutcome.Accepted>(outcome));
        await using var carriers = new GrpcCarriers(Tcp.Connect, TestDevice.Options, TimeProvider.System);
        var device = TestDevice.On(storage).Start(carriers);

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);
        await TestDevice.RunUntil(TestDevice.On(storage).Start(carriers), end => end == RoundEnd.Done);

        Assert.Equal(headquartersIsAheadBy, Math.Round(device.State.ClockBehind.TotalDays));
        Assert.Contains(headquarters.Reports.SelectMany(r => r.Events), e => e.Kind == ReplyRules.ClockWrong);
        Assert.Contains(headquarters.Reports[^1].Problems, p => p.Contains("clock is about 2d"));
    }

    private Task<FakeGateway> Start() => FakeGateway.Start(_headquarters.Authority, PeerIdentity.Of(new NodeId("gw1.leeds")), _answers);

    private DeviceIdentity Identity() => IdentityFiles.Load(TestDevice.EnrolledAt(_headquarters).Storage)!;

    /// <summary>Real TCP that counts its payload both ways.</summary>
    private sealed class CountingNetwork
    {
        private long _total;

        public long Total => Interlocked.Read(ref _total);

        public async Task<Stream> Connect(string address, CancellationToken cancellation) => new CountingStream(await Tcp.Connect(address, cancellation), this);

        private sealed class CountingStream(Stream inner, CountingNetwork network) : Stream
        {
            public override bool CanRead => true;

            public override bool CanSeek => false;

            public override bool CanWrite => true;

            public override long Length => throw new NotSupportedException();

            public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

            public override void Flush() => inner.Flush();

            public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Count(await inner.ReadAsync(buffer, cancellationToken));

            public override void Write(byte[] buffer, int offset, int count)
            {
                Count(count);
                inner.Write(buffer, offset, count);
            }

            public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            {
                Count(buffer.Length);
                return inner.WriteAsync(buffer, cancellationToken);
            }

            public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

            public override void SetLength(long value) => throw new NotSupportedException();

            protected override void Dispose(bool disposing) => inner.Dispose();

            private int Count(int bytes)
            {
                Interlocked.Add(ref network._total, bytes);
                return bytes;
            }
        }
    }
}
