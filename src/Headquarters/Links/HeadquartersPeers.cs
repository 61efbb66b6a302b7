using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Monitoring;
using Fleet.Messages.Cluster;

namespace Fleet.Headquarters.Links;

/// <summary>Why a headquarters node ends that nobody stopped.</summary>
/// <param name="Orderly">Its work was given to the others before; else it lost them, and a process that starts anew joins them again.</param>
public sealed record NodeEnd(bool Orderly, string Why);

/// <summary>What one headquarters node does for and with the others: it says how it is, gives its links and offices away when it stops, and sends office nodes home.</summary>
internal sealed class HeadquartersPeers
{
    /// <summary>Office nodes that go home in one look around, which is every few seconds.</summary>
    private const int GoHomeAtOnce = 10;

    private readonly ClusterSystem _cluster;
    private readonly EdgeSystem _edge;
    private readonly OverloadWatch _overload;
    private readonly ProjectionLag _projection;
    private readonly HeadquartersOptions _options;
    private readonly TimeProvider _clock;
    private readonly DateTimeOffset _startedAt;
    private readonly TaskCompletionSource<NodeEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, TimeSpan> _clocks = new();
    private int _draining;

    private HeadquartersPeers(ClusterSystem cluster, EdgeSystem edge, OverloadWatch overload, ProjectionLag projection, HeadquartersOptions options, TimeProvider clock) =>
        (_cluster, _edge, _overload, _projection, _options, _clock, _startedAt) = (cluster, edge, overload, projection, options, clock, clock.GetUtcNow());

    /// <summary>Whether the node gives its work away, to stop.</summary>
    public bool IsDraining => Volatile.Read(ref _draining) == 1;

    /// <summary>Which other nodes' clocks are off, in words; empty: none.</summary>
    public string ClocksOff => string.Join(", ", _clocks.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key} is {c.Value.Duration().TotalSeconds:0} s {(c.Value > TimeSpan.Zero ? "ahead" : "behind")}"));

    /// <summary>Done when the node should stop.</summary>
    public Task<NodeEnd> Ended => _ended.Task;

    public static HeadquartersPeers Start(ClusterSystem cluster, EdgeSystem edge, OverloadWatch overload, ProjectionLag projection, HeadquartersOptions options, TimeProvider clock)
    {
        var peers = new HeadquartersPeers(cluster, edge, overload, projection, options, clock);
        cluster.System.ActorOf(HeadquartersNodeActor.Props(new HeadquartersNodeTools(peers.State, _ => peers._ended.TrySetResult(new NodeEnd(Orderly: true, "drained")), peers.SendHome, projection.Told, peers.SetClock, clock)), HeadquartersNodeActor.Name);
        _ = peers.Watch();
        return peers;
    }

    /// <summary>Sends the office nodes that are linked here to the other headquarters nodes, where there are any.</summary>
    public async Task Drain(TimeSpan within)
    {
        var alone = _cluster.Ended.IsCompleted || !Akka.Cluster.Cluster.Get(_cluster.System).OthersTakingPart().Any();
        if (Interlocked.Exchange(ref _draining, 1) == 1 || alone)
            return;
        await _edge.Drain(within, CancellationToken.None);
    }

    private ClusterNodeState State() => new(
        _options.Cluster.Address, HeadquartersNode.Version, _startedAt, _clock.GetUtcNow(), _edge.Links, Environment.WorkingSet, _edge.Processors, IsDraining, _options.Links.Address, _overload.Why, _projection.Now?.Time);

    // Each office node has one headquarters node that it prefers among those that are there; the same order as it is told.
    private void SendHome(IReadOnlyList<string> others)
    {
        var own = _options.Links.Address;
        if (own.Length == 0 || IsDraining)
            return;
        List<string> there = [own, .. others];
        _ = _edge.Part(GoHomeAtOnce, "its own headquarters node is there again", node => Rendezvous.Order(node.Value, there, a => a).First() != own);
    }

    private void SetClock(string address, TimeSpan? off)
    {
        if (off is { } wrong)
            _clocks[address] = wrong;
        else
            _clocks.TryRemove(address, out _);
    }

    private async Task Watch()
    {
        await _cluster.Ended;
        _ended.TrySetResult(new NodeEnd(Orderly: false,
            "this headquarters node lost the others, which go on without it, or they stopped it; it stops, and joins them again when it is started anew (let the service manager restart it)"));
    }
}
