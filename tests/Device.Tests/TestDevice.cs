using Fleet.Contracts.Agents;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Inventory;
using Fleet.Device.Settings;
using Fleet.Device.Storage;
using Fleet.Device.Sync;
using Fleet.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Device.Tests;

/// <summary>A device enrolled at a fake headquarters without any network, its carrier a function.</summary>
internal sealed class TestDevice
{
    public static readonly DeviceOptions Options = DeviceOptions.Default with { FirstRetry = TimeSpan.FromMilliseconds(20) };

    private TestDevice(DeviceMemory storage) => Storage = storage;

    public DeviceMemory Storage { get; }

    public FixedMachine Machine { get; } = new();

    public static TestDevice EnrolledAt(FakeHeadquarters headquarters, Reach? reach = null)
    {
        var storage = new DeviceMemory();
        var pending = PendingEnrolment.Begin(headquarters.Token, JoinKind.Agent, "till-1", [1], reach ?? new Reach([], [], GatewayOnly: false));
        var reply = headquarters.Enrol(pending.ToRequest()).Enrolled;
        DeviceEnrolment.Complete(storage, pending, new EnrolmentOutcome.Accepted(reply, "gw1.leeds"));
        return new TestDevice(storage);
    }

    public static TestDevice On(DeviceMemory storage) => new(storage);

    public DeviceRuntime Start(ISyncCarriers carriers, TimeProvider? clock = null, DeviceOptions? options = null) =>
        new(Storage, options ?? Options, carriers, Machine, clock ?? TimeProvider.System, NullLogger.Instance, "1.0", new Random(1));

    public DeviceRuntime Start(Func<SyncRequest, SyncReply> carrier, TimeProvider? clock = null) => Start(new OneCarrier(new FakeChannel("gw1.leeds", carrier)), clock);

    /// <summary>Runs a device until a round ends that satisfies the condition, and stops it.</summary>
    public static async Task<RoundEnd> RunUntil(DeviceRuntime device, Func<RoundEnd, bool> enough)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var reached = default(RoundEnd);
        device.RoundEnded += end =>
        {
            if (stop.IsCancellationRequested || !enough(end))
                return;
            reached = end;
            stop.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.Run(stop.Token));
        Assert.True(reached != default, "no round ended as awaited within 30 s");
        return reached;
    }

    internal sealed class FixedMachine : IMachine
    {
        public byte[] Fingerprint { get; set; } = [1];

        public string HostName { get; set; } = "till-1";

        public Contracts.Agents.Inventory Inventory() => new() { HostName = HostName, OsName = "TestOS" };
    }
}

/// <summary>A carrier that is a function; what it throws is thrown.</summary>
/// <param name="goodbye">Told of goodbyes, which the function is not asked.</param>
internal sealed class FakeChannel(string name, Func<SyncRequest, SyncReply> answer, Action<SyncRequest>? goodbye = null) : ISyncChannel
{
    public string Name => name;

    public Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellation)
    {
        if (!request.Leaving)
            return Task.FromResult(answer(request));
        goodbye?.Invoke(request);
        return Task.FromResult(new SyncReply());
    }
}

/// <summary>Several carriers in a fixed order.</summary>
internal sealed class FakeCarriers(params ISyncChannel[] channels) : ISyncCarriers
{
    public IReadOnlyList<ISyncChannel> InOrder(IReadOnlyList<string> addresses, DeviceIdentity identity) => channels;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
