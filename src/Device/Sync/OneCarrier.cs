using Fleet.Device.Identity;

namespace Fleet.Device.Sync;

/// <summary>The carriers of a machine that is its own gateway: always the one channel given.</summary>
public sealed class OneCarrier(ISyncChannel channel) : ISyncCarriers
{
    public IReadOnlyList<ISyncChannel> InOrder(IReadOnlyList<string> addresses, DeviceIdentity identity) => [channel];

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
