using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Identity;
using Fleet.Device.Settings;

namespace Fleet.Device.Sync;

/// <summary>
/// Carriers over gRPC. Keeps one connection an address; those that are no longer named, or show an old certificate, are closed. Carriers that failed lately
/// are tried last.
/// </summary>
public sealed class GrpcCarriers(ByteDialler dial, DeviceOptions options, TimeProvider clock, Random? random = null) : ISyncCarriers
{
    private readonly Dictionary<string, Channel> _open = [];
    private readonly CarrierMemory _memory = new(options.ReturnAfter, clock, random ?? Random.Shared);
    private readonly ConcurrentDictionary<string, string> _nodes = [];
    private readonly ConcurrentQueue<string> _doubted = [];
    private DeviceIdentity? _identity;

    public event Action? GatewayLost;

    public IReadOnlyList<ISyncChannel> InOrder(IReadOnlyList<string> addresses, DeviceIdentity identity)
    {
        var renewed = _identity?.Current.Generation != identity.Current.Generation;
        foreach (var (address, channel) in _open.Where(o => renewed || !addresses.Contains(o.Key)).ToList())
        {
            channel.Close();
            _open.Remove(address);
        }

        _identity = identity;
        while (_doubted.TryDequeue(out var node))
            foreach (var (address, _) in _nodes.Where(n => n.Value == node))
                _memory.Fail(address);
        return [.. _memory.Order(addresses).Where(a => HostPort.Problem(a) is null).Select(ChannelTo)];
    }

    public void Avoid(string node) => _doubted.Enqueue(node);

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
        private volatile bool _asking;

        public string Name => _peer?.Id ?? address;

        public bool IsAvoided => owner._memory.IsAvoided(address);

        public async Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellation)
        {
            _asking = true;
            try
            {
                var reply = await Ask(request, cancellation).ConfigureAwait(false);
                // It answers, and can't get through to headquarters: another may.
                if (reply is { Outcome: SyncReply.Types.Outcome.Held, HeadquartersReachable: false })
                    owner._memory.Fail(address);
                return reply;
            }
            catch (Exception fault) when (fault is CarrierException or OperationCanceledException)
            {
                Close();
                owner._memory.Fail(address);
                throw;
            }
            finally
            {
                _asking = false;
            }
        }

        public void Close()
        {
            var connection = _connection;
            _connection = null;
            connection?.Dispose();
        }

        private async Task<SyncReply> Ask(SyncRequest request, CancellationToken cancellation)
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

            return await Call(_connection = Open()).ConfigureAwait(false);

            Task<SyncReply> Call(GrpcConnection connection) =>
                connection.Call((client, call) => client.SyncAsync(request, call), owner.AnswerTimeout, owner.Clock, cancellation);
        }

        // One that closes it here, or asks just now, knows. Headquarters is not looked for before the next sync: thousands would.
        private void Lost()
        {
            if (_connection is not null && !_asking && _peer is { Kind: PeerKind.Node })
                owner.GatewayLost?.Invoke();
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
                owner._nodes[address] = peer.Id;
                return null;
            }, owner.Options, Lost);
        }
    }

    private ByteDialler Dial => dial;

    private DeviceOptions Options => options;

    private TimeSpan AnswerTimeout => options.AnswerTimeout;

    private TimeProvider Clock => clock;
}
