using Akka.Actor;
using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>The links of an office's nodes: which session speaks for which node under which epoch. Never journaled.</summary>
internal sealed class OfficeLinks
{
    /// <summary>What a process is told that another took the place of.</summary>
    public const string RunsTwice = "another process runs with this node's identity; stop one of them, and enrol it anew in an empty data directory";

    /// <summary>What the log says of it.</summary>
    public const string RunsTwiceInLog = "Node {NodeId} runs twice: two processes have its identity, the second is refused. Stop one, and enrol it anew in an empty data directory";

    // Three of these fit into one link frame of the default size.
    private const int PartBytes = 80 * 1024;
    private const int PartItems = 500;

    private readonly Dictionary<NodeId, OfficeLinkState> _links = [];

    /// <summary>Whether anybody is linked who could be told something.</summary>
    public bool Any => _links.Count > 0;

    /// <summary>The session of a node; null where it is not linked under this epoch.</summary>
    public OfficeLinkState? Current(NodeId node, string epoch) => _links.TryGetValue(node, out var link) && link.Epoch == epoch ? link : null;

    public NodeId? Of(IActorRef session) => _links.Where(l => l.Value.Session.Equals(session)).Select(l => (NodeId?)l.Key).FirstOrDefault();

    /// <summary>Whether a process comes in that another, which is linked, took the place of: taking turns, they would end each other's link for ever.</summary>
    public bool IsClone(NodeId node, string? incarnation) => incarnation is not null && _links.TryGetValue(node, out var link) && link.Replaced == incarnation && link.Incarnation != incarnation;

    /// <returns>The session of another process, perhaps at another headquarters node, whose place this one takes; null: there was none.</returns>
    public IActorRef? Up(NodeId node, IActorRef session, string epoch, string? incarnation)
    {
        var before = _links.GetValueOrDefault(node);
        var anew = before?.Incarnation is { } other && incarnation is not null && other != incarnation;
        _links[node] = new OfficeLinkState(session, epoch, incarnation, anew ? before!.Incarnation : before?.Replaced);
        return anew ? before!.Session : null;
    }

    public bool Down(NodeId node, string epoch) => Current(node, epoch) is not null && _links.Remove(node);

    public string EpochOf(NodeId node) => _links[node].Epoch;

    /// <summary>The node was removed: its session is told, and drops the link.</summary>
    public void Remove(NodeId node, OfficeId office)
    {
        if (_links.Remove(node, out var link))
            link.Session.Tell(new OfficeRefused(office, RefusalCode.Removed, $"node {node} was removed; enrol it anew"));
    }

    public void Send(NodeId node, IReadOnlyList<IDownItem> items)
    {
        if (_links.TryGetValue(node, out var link))
            Send(link.Session, link.Epoch, items);
    }

    public void SendAll(IReadOnlyList<IDownItem> items)
    {
        foreach (var node in _links.Keys)
            Send(node, items);
    }

    /// <summary>Sends in parts that fit into a frame of the link.</summary>
    public static void Send(IActorRef session, string epoch, IReadOnlyList<IDownItem> items)
    {
        var part = new List<IDownItem>();
        var bytes = 0;
        foreach (var item in items)
        {
            var size = item switch
            {
                DeviceEnvelopeDown envelope => envelope.Envelope.Length,
                InstallAgent install => install.Secret.Length,
                _ => 200,
            };
            if (part.Count > 0 && (bytes + size > PartBytes || part.Count == PartItems))
            {
                session.Tell(new SendDown(epoch, part));
                (part, bytes) = ([], 0);
            }

            part.Add(item);
            bytes += size;
        }

        if (part.Count > 0)
            session.Tell(new SendDown(epoch, part));
    }
}

/// <param name="Incarnation">The node's process.</param>
/// <param name="Replaced">The process whose place it took; null: none.</param>
internal sealed record OfficeLinkState(IActorRef Session, string Epoch, string? Incarnation, string? Replaced)
{
    /// <summary>What the node announced so far that it holds; an announce comes in parts.</summary>
    public Dictionary<DeviceId, ulong> Held { get; } = [];
}
