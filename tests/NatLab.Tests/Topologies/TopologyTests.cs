using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Tests.Topologies;

public sealed class TopologyTests
{
    [Fact]
    public void Every_shipped_topology_can_be_read()
    {
        Assert.NotEmpty(Topology.Shipped);
        Assert.All(Topology.Shipped, name => Assert.NotEmpty(Topology.Load(name).Offices));
    }

    [Theory]
    [InlineData("headquarters = 203.0.113.10, offices = [{ name = leeds, outside = 198.51.100.1, nat = cone }]", "nat is one of")]
    [InlineData("headquarters = 203.0.113.10, offices = [{ name = leeds, outside = 198.51.100.1, nat = symmetric, lan = 1 }]", "unknown key 'lan'")]
    [InlineData("headquarters = 203.0.113.10, offices = [{ name = leeds, nat = symmetric }]", "'outside' is missing")]
    [InlineData("headquarters = everywhere, offices = []", "invalid IP address")]
    public void A_mistake_in_a_topology_is_named(string text, string named)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, text);

        var fault = Assert.Throws<LabException>(() => Topology.Load(file));

        File.Delete(file);
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
        Assert.Contains(file, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_topology_is_answered_with_the_names_of_the_known()
    {
        Assert.Contains("overlapping-subnets", Assert.Throws<LabException>(() => Topology.Load("nowhere")).Message, StringComparison.Ordinal);
    }
}
