using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Identity;
using Fleet.Device.Settings;

namespace Fleet.Device.Sync;

/// <summary>Carriers over gRPC. Keeps one connection an address; those that are no longer named, or show an old certificate, are closed.</summary>
public sealed class GrpcCarriers(ByteDialler dial, DeviceOptions options, TimeProvider clock) : ISyncCarriers
{
    private readonly Dictionary<string, Channel> _open = [];
    private DeviceIdentity? _identity;

    public IReadOnlyList<ISyncChannel> InOrder(IReadOnlyList<string> addresses, DeviceIdentity identity)
    {
        var renewed = _identity?.Current.Generation != identity.Current.Generation;
        foreach (var (address, channel) in _open.Where(o => renewed || !addresses.Contains(o.Key)).ToList())
        {
            channel.Close();
            _open.Remove(address);
        }

        _identity = identity;
        return [.. addresses.Where(a => HostPort.Problem(a) is null).Select(ChannelTo)];
    }

    public ValueTask DisposeAsync()
    {
        foreach (var channel in _open.Values)
            channel.Close();
        _open.Clear();
        return ValueTask.CompletedTask;
    }

    private Channel ChannelTo(string address)
    {
        if (!_open.TryGetValue(address, out var channel))
            _open[address] = channel = new Channel(address, this);
        return channel;
    }

    private sealed class Channel(string address, GrpcCarriers owner) : ISyncChannel
    {
        private GrpcConnection? _connection;
        private PeerIdentity? _peer;

        public string Name => _peer?.Id ?? address;

        public async Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellation)
        {
            if (_connection is not null)
            {
                try
                {
                    return await Call(_connection).ConfigureAwait(false);
                }
                catch (CarrierException)
                {
                    // A connection that stood idle may have died unseen (a NAT forgot it): the carrier deserves a fresh one before the next is tried.
                    Close();
                }
            }

            _connection = Open();
            try
            {
                return await Call(_connection).ConfigureAwait(false);
            }
            catch (CarrierException)
            {
                Close();
                throw;
            }

            Task<SyncReply> Call(GrpcConnection connection) =>
                connection.Call((client, call) => client.SyncAsync(request, call), owner.AnswerTimeout, owner.Clock, cancellation);
        }

        public void Close()
        {
            _connection?.Dispose();
            _connection = null;
        }

        private GrpcConnection Open()
        {
            var identity = owner._identity!;
            var trust = identity.Trust(owner.Clock);
            return new GrpcConnection(address, owner.Dial, identity.Current.ForTls(), (leaf, _) =>
            {
                var peer = trust.Check(leaf, out var problem);
                if (peer is null)
                    return problem;
                if (peer.Kind == PeerKind.Device)
                    return $"{peer} answers there, which is no gateway";
                _peer = peer;
                return null;
            }, owner.Options);
        }
    }

    private ByteDialler Dial => dial;

    private DeviceOptions Options => options;

    private TimeSpan AnswerTimeout => options.AnswerTimeout;

    private TimeProvider Clock => clock;
}
