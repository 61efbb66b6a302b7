using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Identity;
using Fleet.Device.Sync;
using Fleet.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Device.Tests.Sync;

/// <summary>A device with two gateways.</summary>
public sealed class TakeOverTests : IDisposable
{
    private readonly FakeHeadquarters _headquarters = new();
    private readonly CancellationTokenSource _stop = new();

    public void Dispose()
    {
        _stop.Dispose();
        _headquarters.Dispose();
    }

    [Fact]
    public async Task A_device_whose_gateway_dies_while_it_waits_for_its_next_sync_is_at_the_other_within_seconds()
    {
        var dying = await Gateway("gw1.leeds");
        await using var other = await Gateway("gw2.leeds");
        await using var carriers = new GrpcCarriers(Tcp.Connect, TestDevice.Options, TimeProvider.System);
        // Its own interval is 15 minutes.
        var device = TestDevice.EnrolledAt(_headquarters, new Reach([dying.Address, other.Address], [], GatewayOnly: true)).Start(carriers);
        var running = device.Run(_stop.Token);
        await Until.True(() => device.State is { ReachedThrough: "gw1.leeds", AwaitsAck: false, AcknowledgedVersion: > 0 }, "the device has synced");

        await dying.DisposeAsync();

        await Until.True(() => device.State.ReachedThrough == "gw2.leeds", "it syncs through the other gateway", TimeSpan.FromSeconds(10));
        await End(running);
    }

    [Fact]
    public async Task The_end_of_a_connection_to_headquarters_itself_wakes_nobody()
    {
        var headquarters = await FakeGateway.Start(_headquarters.Authority, PeerIdentity.Headquarters, new FakeGateway.Answers { Sync = _headquarters.Sync });
        await using var carriers = new GrpcCarriers(Tcp.Connect, TestDevice.Options, TimeProvider.System);
        var lost = 0;
        carriers.GatewayLost += () => lost++;
        var identity = IdentityFiles.Load(TestDevice.EnrolledAt(_headquarters).Storage)!;
        var channel = carriers.InOrder([headquarters.Address], identity)[0];
        await channel.SyncAsync(new SyncRequest { DeviceId = "d1" }, CancellationToken.None);

        await headquarters.DisposeAsync();

        // A sync that fails shows that the end has been seen.
        await Assert.ThrowsAsync<CarrierException>(() => channel.SyncAsync(new SyncRequest(), CancellationToken.None));
        Assert.Equal(0, lost);
    }

    [Fact]
    public async Task A_gateway_that_stays_silent_is_left_for_the_other_before_its_answer_is_overdue()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var asked = new TaskCompletionSource();
        var silent = new SilentChannel("gw1.leeds", asked);
        var device = TestDevice.EnrolledAt(_headquarters).Start(new FakeCarriers(silent, new FakeChannel("gw2.leeds", _headquarters.Sync)), clock);
        var running = device.Run(_stop.Token);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(10));

        clock.Advance(TestDevice.Options.TakeOverAfter);

        await Until.True(() => device.State.ReachedThrough == "gw2.leeds", "the other gateway is asked");
        await End(running);
    }

    [Fact]
    public async Task A_report_that_a_cut_off_gateway_can_only_hold_is_taken_to_the_other()
    {
        var cutOff = new FakeChannel("gw1.leeds", _ => new SyncReply { Outcome = SyncReply.Types.Outcome.Held, HeadquartersReachable = false });
        var device = TestDevice.EnrolledAt(_headquarters).Start(new FakeCarriers(cutOff, new FakeChannel("gw2.leeds", _headquarters.Sync)));

        await TestDevice.RunUntil(device, end => end == RoundEnd.Done);

        Assert.Equal("gw2.leeds", device.State.ReachedThrough);
        Assert.Equal(device.State.ReportedVersion, device.State.AcknowledgedVersion);
    }

    [Fact]
    public async Task Where_every_gateway_is_cut_off_the_report_stays_held()
    {
        var cutOff = (string name) => new FakeChannel(name, _ => new SyncReply { Outcome = SyncReply.Types.Outcome.Held, HeadquartersReachable = false });
        var device = TestDevice.EnrolledAt(_headquarters).Start(new FakeCarriers(cutOff("gw1.leeds"), cutOff("gw2.leeds")));

        Assert.Equal(RoundEnd.Held, await TestDevice.RunUntil(device, _ => true));
    }

    private Task<FakeGateway> Gateway(string node) =>
        FakeGateway.Start(_headquarters.Authority, PeerIdentity.Of(new NodeId(node)), new FakeGateway.Answers { Sync = _headquarters.Sync });

    private async Task End(Task running)
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    /// <summary>Takes a request and never answers, but for a goodbye.</summary>
    private sealed class SilentChannel(string name, TaskCompletionSource asked) : ISyncChannel
    {
        public string Name => name;

        public async Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellation)
        {
            if (request.Leaving)
                return new SyncReply();
            asked.TrySetResult();
            return await new TaskCompletionSource<SyncReply>().Task.WaitAsync(cancellation);
        }
    }
}
