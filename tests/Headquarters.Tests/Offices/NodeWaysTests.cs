using Fleet.Contracts;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Offices;

/// <summary>How nodes and headquarters come together: what may be set, and what each node is told.</summary>
public sealed class NodeWaysTests
{
    [Fact]
    public void A_node_that_links_through_another_is_told_where_and_the_other_is_told_whom_it_carries()
    {
        var office = Nodes(2).Through(2, 1).Open(1);

        Assert.Equal(["192.168.1.1:13001"], NodeWays.HopsOf(office, office.Nodes[Id(2)]).Single().Addresses);
        Assert.Equal([Id(2)], NodeWays.CarriedBy(office, Id(1)));
        Assert.Empty(NodeWays.HopsOf(office, office.Nodes[Id(1)]));
    }

    [Theory]
    [InlineData("gw1.leeds", "gw2.leeds", "links would go round: gw1.leeds → gw2.leeds → gw1.leeds")]
    [InlineData("gw1.leeds", "gw1.leeds", "links would go round: gw1.leeds → gw1.leeds")]
    [InlineData("gw1.leeds", "gw3.leeds", "links would go round: gw1.leeds → gw3.leeds → gw2.leeds → gw1.leeds")]
    [InlineData("gw1.leeds", "gw1.york", "gw1.york is a node of another office; a link passes through nodes of its own office alone")]
    [InlineData("gw1.leeds", "gw9.leeds", "there is no node gw9.leeds")]
    public void A_hop_that_can_not_lead_to_headquarters_is_refused(string node, string hop, string why)
    {
        var office = Nodes(3).Through(2, 1).Through(3, 2);

        var decision = office.Decide(new SetNodeWay(Leeds, new NodeId(node), new NodeId(hop), null, "test"), Noon);

        Assert.Equal(why, Assert.IsType<OfficeRefused>(decision.Reply).Detail);
        Assert.Empty(decision.Events);
    }

    [Fact]
    public void A_way_through_too_many_nodes_is_refused_also_for_those_behind_the_node()
    {
        var office = Nodes(7).Through(2, 1).Through(3, 2).Through(4, 3).Through(5, 4).Through(7, 6);

        var end = office.Decide(new SetNodeWay(Leeds, Id(6), Id(5), null, "test"), Noon);
        var middle = office.Decide(new SetNodeWay(Leeds, Id(6), Id(4), null, "test"), Noon);
        var fits = office.Decide(new SetNodeWay(Leeds, Id(6), Id(3), null, "test"), Noon);

        Assert.Contains("at most, and here through 6", Assert.IsType<OfficeRefused>(end.Reply).Detail, StringComparison.Ordinal);
        Assert.Contains("at most, and here through 5", Assert.IsType<OfficeRefused>(middle.Reply).Detail, StringComparison.Ordinal);
        Assert.IsType<OfficeAccepted>(fits.Reply);
    }

    [Theory]
    [InlineData("198.51.100.7:13001", "headquarters dials 198.51.100.7:13001 for node gw1.leeds already")]
    [InlineData("198.51.100.7", "'198.51.100.7' is no address; write HOST:PORT, such as hq.example.com:13000")]
    public void An_address_in_use_or_malformed_is_not_dialled(string address, string why)
    {
        var office = Nodes(2).With(new NodeWaySet(Leeds, Id(1), 1, null, "198.51.100.7:13001", "test", Noon));

        var decision = office.Decide(new SetNodeWay(Leeds, Id(2), null, address, "test"), Noon);

        Assert.Equal(why, Assert.IsType<OfficeRefused>(decision.Reply).Detail);
    }

    [Fact]
    public void A_way_that_is_set_already_is_no_event_and_another_counts_the_desired_version_up()
    {
        var office = Nodes(2).Through(2, 1);

        Assert.Empty(office.Decide(new SetNodeWay(Leeds, Id(2), Id(1), null, "test"), Noon).Events);
        var direct = office.Decide(new SetNodeWay(Leeds, Id(2), null, null, "test"), Noon);
        Assert.Equal(office.Nodes[Id(2)].DesiredVersion + 1, Assert.IsType<NodeWaySet>(direct.Events.Single()).Version);
    }

    [Fact]
    public void A_node_that_carries_another_is_not_removed()
    {
        var decision = Nodes(2).Through(2, 1).Decide(new RemoveNode(Leeds, Id(1), "test"), Noon);

        Assert.Equal("node gw2.leeds links through gw1.leeds; set another way for it first ('fleet node set gw2.leeds --direct')", Assert.IsType<OfficeRefused>(decision.Reply).Detail);
    }

    [Fact]
    public void Links_that_come_and_go_tell_nobody_anything_new()
    {
        var office = Nodes(3).Through(2, 1).Open(1);

        Assert.Empty(NodeWays.ToldAnew(office, office.With(new NodeLinkChanged(Leeds, Id(1), true, "linked", Noon))));
        Assert.Empty(NodeWays.ToldAnew(office, office));
    }

    [Fact]
    public void A_node_and_its_neighbours_on_the_way_are_told_what_changed_and_nobody_else()
    {
        var office = Nodes(4).Through(2, 1).Open(1).Open(3);
        IEnumerable<NodeId> ToldAfter(params IOfficeEvent[] events) => NodeWays.ToldAnew(office, events.Aggregate(office, (o, e) => o.With(e))).Select(n => n.NodeId).Order(Comparer<NodeId>.Create((a, b) => string.CompareOrdinal(a.Value, b.Value)));

        // Its hop opens another port.
        Assert.Equal([Id(2)], ToldAfter(new NodeReported(Leeds, Id(1), new NodeReport(2, [], [], "1.0", "gw", Noon, [], [], ["192.168.1.1:14001"], "directly", [], null), Noon)));
        // It goes through another: both hops carry others than before.
        Assert.Equal([Id(1), Id(2), Id(3)], ToldAfter(new NodeWaySet(Leeds, Id(2), 2, Id(3), null, "test", Noon)));
        // It is gone.
        Assert.Equal([Id(1)], ToldAfter(new NodeRemoved(Leeds, Id(2), "test", Noon)));
        // It is new.
        Assert.Equal([Id(5)], ToldAfter(new NodeEnrolled(Leeds, Id(5), new DeviceId("d-gw5"), Certificate(1), Noon)));
    }

    [Fact]
    public void Another_reason_for_the_same_outage_does_not_begin_it_anew()
    {
        var office = Nodes(1).With(new NodeLinkChanged(Leeds, Id(1), false, "no ping for 9 s", Noon)).With(new NodeLinkChanged(Leeds, Id(1), false, "connection refused", Noon.AddMinutes(1)));

        Assert.Equal((Noon, "connection refused"), (office.Nodes[Id(1)].LinkSince, office.Nodes[Id(1)].LinkReason));
    }

    private static NodeId Id(int number) => new($"gw{number}.leeds");

    private static Office Nodes(int count) => Enumerable.Range(1, count).Aggregate(Open(Leeds), (office, n) => office.With(new NodeEnrolled(Leeds, Id(n), new DeviceId($"d-gw{n}"), Certificate(1), Noon)));
}

/// <summary>Steps to the situations above.</summary>
internal static class NodeWaysSituation
{
    public static Office Through(this Office office, int node, int hop) =>
        office.With(new NodeWaySet(Leeds, new NodeId($"gw{node}.leeds"), 1, new NodeId($"gw{hop}.leeds"), null, "test", Noon));

    public static Office Open(this Office office, int node) =>
        office.With(new NodeReported(Leeds, new NodeId($"gw{node}.leeds"), new NodeReport(1, [], [], "1.0", "gw", Noon, [], [], [$"192.168.1.{node}:13001"], "directly", [], null), Noon));
}
