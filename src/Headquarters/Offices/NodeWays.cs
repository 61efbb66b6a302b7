using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Transport;

namespace Fleet.Headquarters.Offices;

/// <summary>How an office's nodes and headquarters come together (decision 0003): what may be set, and what each node is told of it. Pure.</summary>
public static class NodeWays
{
    /// <summary>The nodes to which a node hands its link; empty where it goes by itself, or its hop has no port open yet.</summary>
    public static IReadOnlyList<NodeHop> HopsOf(Office office, NodeSnapshot node) =>
        node.Through is { } hop && office.Nodes.GetValueOrDefault(hop)?.Report is { LinkAddresses: { Count: > 0 } addresses } ? [new NodeHop(hop, addresses)] : [];

    /// <summary>The nodes whose links pass through a node.</summary>
    public static IReadOnlyList<NodeId> CarriedBy(Office office, NodeId node) =>
        [.. office.Nodes.Values.Where(n => n.Through == node).Select(n => n.NodeId).OrderBy(n => n.Value, StringComparer.Ordinal)];

    /// <summary>The nodes that are told other things after than before: of the way, or what changes with their desired version.</summary>
    /// <remarks>Links of an office with hundreds of nodes come and go all the time: only nodes of which something changed, and their neighbours on the way, are compared.</remarks>
    public static IEnumerable<NodeSnapshot> ToldAnew(Office before, Office after)
    {
        if (ReferenceEquals(before.Nodes, after.Nodes))
            return [];
        List<NodeId> changed = [.. after.Nodes.Keys.Union(before.Nodes.Keys).Where(id => !ReferenceEquals(before.Nodes.GetValueOrDefault(id), after.Nodes.GetValueOrDefault(id)))];
        var behind = after.Nodes.Values.Where(n => n.Through is { } hop && changed.Contains(hop)).Select(n => n.NodeId);
        var hops = changed.SelectMany(id => new[] { before.Nodes.GetValueOrDefault(id)?.Through, after.Nodes.GetValueOrDefault(id)?.Through }).OfType<NodeId>();
        return changed.Concat(behind).Concat(hops).Distinct().Where(id => !SameDesired(before, after, id)).Select(id => after.Nodes.GetValueOrDefault(id)).OfType<NodeSnapshot>();
    }

    private static bool SameDesired(Office before, Office after, NodeId id) =>
        before.Nodes.TryGetValue(id, out var old) && after.Nodes.TryGetValue(id, out var node) && old.DesiredVersion == node.DesiredVersion
        && CarriedBy(before, id).SequenceEqual(CarriedBy(after, id))
        && HopsOf(before, old).SelectMany(h => h.Addresses.Prepend(h.NodeId.Value)).SequenceEqual(HopsOf(after, node).SelectMany(h => h.Addresses.Prepend(h.NodeId.Value)));

    public static OfficeDecision Decide(Office office, SetNodeWay command, DateTimeOffset now)
    {
        var node = office.Nodes[command.NodeId];
        if (Problem(office, command) is { } problem)
            return OfficeRules.Refuse(office, RefusalCode.NotAllowed, problem);
        IReadOnlyList<IOfficeEvent> events = node.Through == command.Through && node.DmzAddress == command.DmzAddress
            ? []
            : [new NodeWaySet(office.Id, node.NodeId, node.DesiredVersion + 1, command.Through, command.DmzAddress, command.By, now)];
        return new OfficeDecision(events, new OfficeAccepted(office.Id));
    }

    private static string? Problem(Office office, SetNodeWay command)
    {
        if (command.Through is not null && command.DmzAddress is not null)
            return "a node links through another or is dialled by headquarters, not both";
        if (command.DmzAddress is { } address)
            return HostPort.Problem(address)
                ?? (office.Nodes.Values.FirstOrDefault(n => n.NodeId != command.NodeId && string.Equals(n.DmzAddress, address, StringComparison.OrdinalIgnoreCase)) is { } taken
                    ? $"headquarters dials {address} for node {taken.NodeId} already"
                    : null);
        if (command.Through is not { } hop)
            return null;
        if (hop.Office != office.Id)
            return $"{hop} is a node of another office; a link passes through nodes of its own office alone";
        if (!office.Nodes.ContainsKey(hop))
            return $"there is no node {hop}";
        List<NodeId> path = [command.NodeId];
        for (NodeId? next = hop; next is { } at; next = office.Nodes.GetValueOrDefault(at)?.Through)
        {
            path.Add(at);
            if (at == command.NodeId)
                return $"links would go round: {string.Join(" → ", path)}";
        }

        // Those behind the node go its way too.
        var nodes = path.Count + Behind(office, command.NodeId, 0);
        return nodes - 1 > Passages.MaxHops ? $"a link passes through {Passages.MaxHops} nodes at most, and here through {nodes - 1}" : null;
    }

    private static int Behind(Office office, NodeId node, int depth) =>
        // A loop can't be set, so this ends; the bound is for a journal that says otherwise.
        depth > Passages.MaxHops ? depth : office.Nodes.Values.Where(n => n.Through == node).Select(n => 1 + Behind(office, n.NodeId, depth + 1)).DefaultIfEmpty(0).Max();
}
