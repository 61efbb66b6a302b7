using Fleet.Contracts;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Discovery;

/// <summary>Offices with pollers, and what these see.</summary>
internal static class NetworkSituation
{
    public const string PrinterMac = "00:1b:a9:00:00:01";
    public static readonly NodeId Node2 = new("gw2.leeds");

    /// <summary>An office whose node polls, linked and obeying.</summary>
    public static Office WithPoller(this Office office, NodeId node) => office.WithPollerRole(node).Linked(node, up: true, Noon);

    public static Office WithPollerRole(this Office office, NodeId node) => office.With(
        new NodeEnrolled(office.Id, node, new DeviceId("d-" + node.Value.Replace('.', '-')), Certificate(1), Noon),
        new NodeRolesAssigned(office.Id, node, 1, [NodeRole.Poller], "test", Noon));

    public static Office Linked(this Office office, NodeId node, bool up, DateTimeOffset at) =>
        office.Settled([new NodeLinkChanged(office.Id, node, up, up ? "linked" : "went away", at)], TestOffices.Options, at).After;

    /// <summary>The node says that it obeys what headquarters wants of it.</summary>
    public static Office Obeying(this Office office, NodeId node, DateTimeOffset at) =>
        office.Settled([new NodeReported(office.Id, node, new NodeReport(office.Nodes[node].DesiredVersion, [], [], "1", "h", Noon, [], [], [], "directly", [], null), at)], TestOffices.Options, at).After;

    public static Sighting Seen(string mac = "", string address = "", string name = "", string identity = "", NameSource source = NameSource.ReverseDns, DateTimeOffset? at = null, params SeenService[] services) => new(
        at ?? Noon, mac, identity, address.Length > 0 ? [address] : [], name.Length > 0 ? [new SeenName(source, name)] : [], services, "");
}
