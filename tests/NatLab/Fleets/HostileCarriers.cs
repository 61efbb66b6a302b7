using Fleet.Contracts.Agents;
using Fleet.Device.Identity;
using Fleet.Device.Sync;

namespace Fleet.NatLab.Fleets;

/// <summary>A gateway in hostile hands, between a device and headquarters: it keeps all it carries, and alters what it is told to.</summary>
internal sealed class HostileCarriers(ISyncCarriers honest) : ISyncCarriers
{
    private readonly Lock _gate = new();
    private readonly List<SyncRequest> _carried = [];

    /// <summary>Alters what the device sends; null: nothing.</summary>
    public Action<SyncRequest>? AlterUp { get; set; }

    /// <summary>Alters what headquarters answers; null: nothing.</summary>
    public Action<SyncReply>? AlterDown { get; set; }

    /// <summary>Every request that held an envelope, as the device sent it.</summary>
    public IReadOnlyList<SyncRequest> Carried
    {
        get
        {
            lock (_gate)
                return [.. _carried];
        }
    }

    public IReadOnlyList<ISyncChannel> InOrder(IReadOnlyList<string> addresses, DeviceIdentity identity) =>
        [.. honest.InOrder(addresses, identity).Select(c => new Channel(this, c))];

    public ValueTask DisposeAsync() => honest.DisposeAsync();

    private sealed class Channel(HostileCarriers carriers, ISyncChannel honest) : ISyncChannel
    {
        public string Name => honest.Name;

        public async Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellation)
        {
            if (request.Envelope.Length > 0)
                lock (carriers._gate)
                    carriers._carried.Add(request.Clone());
            var altered = request.Clone();
            carriers.AlterUp?.Invoke(altered);
            var reply = await honest.SyncAsync(altered, cancellation).ConfigureAwait(false);
            carriers.AlterDown?.Invoke(reply);
            return reply;
        }
    }
}
