using System.Security.Authentication;
using System.Threading.Channels;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.Office.Identity;

namespace Fleet.Office.Passing;

/// <summary>
/// The node's ways to headquarters, for its own link and for those that pass through it: a stream that headquarters opened, through another node of
/// the office, or directly; in this order, but the one that worked last first. Used from any thread.
/// </summary>
/// <param name="direct"><c>host:port</c> of headquarters' link, in order, besides those that headquarters names.</param>
/// <param name="through"><c>host:port</c> of link ports that this machine's administrator named.</param>
/// <param name="dmz">Whether headquarters dials this node.</param>
public sealed class HeadquartersWays(
    NodeId node, IReadOnlyList<string> direct, IReadOnlyList<string> through, bool dmz, NodeCredentials credentials, IByteNetwork network)
{
    private const string Dialled = "dialled by headquarters";

    private readonly Passages _passages = new(() => credentials.Certificate, credentials.Trust, peer => IsOther(peer, node) ? null : $"no other node of office {node.Office}");
    // One is enough: headquarters opens the next when it is used.
    private readonly Channel<Passage> _dialled = Channel.CreateBounded<Passage>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest }, dropped => dropped.Stream.Dispose());

    private NodeDesired _desired = new(0, [], TimeSpan.Zero, null, [], [], Periodic: false, Updates: null);
    private Used _used = new("", "");
    private string _avoided = "";

    /// <summary>The way on which a stream opened last, for people.</summary>
    public string LastUsed => Volatile.Read(ref _used).Shown;

    /// <summary>The nodes whose links pass through here.</summary>
    public IReadOnlyList<NodeId> Carries => Volatile.Read(ref _desired).Carries;

    /// <summary>What headquarters wants: through whom this node goes, and who goes through it.</summary>
    public void Obey(NodeDesired desired) => Volatile.Write(ref _desired, desired);

    /// <summary>Headquarters wants the link at another of its addresses than the one that was used last: that one comes last until another way opened.</summary>
    public void GoElsewhere()
    {
        Volatile.Write(ref _avoided, Volatile.Read(ref _used).Name);
        Volatile.Write(ref _used, new Used("", ""));
    }

    /// <summary>Whether a peer is an office node of the same office.</summary>
    public static bool IsOther(PeerIdentity peer, NodeId node) => peer.Kind == PeerKind.Node && peer.Id != node.Value && new NodeId(peer.Id).Office == node.Office;

    /// <summary>Headquarters opened a stream to this node; it waits until it is used.</summary>
    public void Add(Passage dialled) => _dialled.Writer.TryWrite(dialled);

    /// <summary>The ways, in the order of trying.</summary>
    /// <param name="path">The nodes that the link came through, this one the last.</param>
    public IReadOnlyList<LinkWay> Of(IReadOnlyList<string> path)
    {
        List<LinkWay> ways = dmz ? [Way(Dialled, Dialled, WaitForDial)] : [];
        ways.AddRange(Volatile.Read(ref _desired).Through.SelectMany(hop => hop.Addresses.Select(a => ThroughNode(a, hop.NodeId, path))));
        ways.AddRange(through.Select(a => ThroughNode(a, null, path)));
        ways.AddRange(Volatile.Read(ref _desired).Headquarters.Concat(direct).Select(a => Way(a, "directly", cancellation => network.Connect(a, cancellation))));
        var (last, avoided) = (Volatile.Read(ref _used).Name, Volatile.Read(ref _avoided));
        return [.. ways.DistinctBy(w => w.Name).OrderByDescending(w => w.Name == last).ThenBy(w => w.Name == avoided)];
    }

    /// <summary>Opens a stream to headquarters for the link of another node.</summary>
    /// <exception cref="IOException">No way opens; the message says why each does not.</exception>
    public async Task<Stream> Open(IReadOnlyList<string> path, CancellationToken cancellation)
    {
        var faults = new List<string>();
        foreach (var way in Of(path))
        {
            try
            {
                return await way.Open(cancellation);
            }
            catch (Exception fault) when (fault is IOException or AuthenticationException)
            {
                faults.Add($"{way.Name}: {fault.Message}");
            }
        }

        throw new IOException(string.Join("; ", faults.DefaultIfEmpty("it has none itself")));
    }

    private LinkWay ThroughNode(string address, NodeId? hop, IReadOnlyList<string> path)
    {
        var name = $"through {(hop is { } known ? $"{known} at {address}" : address)}";
        return new LinkWay(name, async cancellation =>
        {
            var raw = await network.Connect(address, cancellation);
            var knock = await _passages.Knock(raw, hop is { } wanted ? PeerIdentity.Of(wanted).LogicalHost : null, path, cancellation);
            await knock.Answer(cancellation);
            Volatile.Write(ref _used, new Used(name, $"through {knock.Peer.Id}"));
            return knock.Stream;
        });
    }

    private LinkWay Way(string name, string shown, Func<CancellationToken, Task<Stream>> open) => new(name, async cancellation =>
    {
        var stream = await open(cancellation);
        Volatile.Write(ref _used, new Used(name, shown));
        Volatile.Write(ref _avoided, "");
        return stream;
    });

    private async Task<Stream> WaitForDial(CancellationToken cancellation)
    {
        var passage = await _dialled.Reader.ReadAsync(cancellation);
        try
        {
            await passage.Grant(cancellation);
            return passage.Stream;
        }
        catch
        {
            await passage.Stream.DisposeAsync();
            throw;
        }
    }

    /// <param name="Name">Of the way.</param>
    /// <param name="Shown">For people.</param>
    private sealed record Used(string Name, string Shown);
}
