using Fleet.Messages.Transport;
using Fleet.NatLab.Simulation;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Tests.Topologies;

public sealed class WallsTests
{
    [Theory]
    [InlineData("overlapping-subnets")]
    [InlineData("gateway-only")]
    public async Task The_walls_of_a_simulated_topology_stand(string name)
    {
        var tried = await Walls.Assert(new SimLab(Topology.Load(name), TimeProvider.System, seed: 1));

        Assert.Contains("headquarters can't reach gw1.leeds by its private address", tried);
    }

    [Fact]
    public async Task A_hole_in_a_wall_is_named()
    {
        var fault = await Assert.ThrowsAsync<LabException>(() => Walls.Assert(new OpenLab(Topology.Load("one-office"))));

        Assert.Contains("a wall has a hole: headquarters reaches gw1.leeds by its private address", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_way_that_is_closed_and_must_be_open_is_named()
    {
        var lab = new SimLab(Topology.Load("one-office"), TimeProvider.System, seed: 1);
        lab.UplinkOf(lab.Topology.Offices[0].Id).Cut = true;

        var fault = await Assert.ThrowsAsync<LabException>(() => Walls.Assert(lab));

        Assert.Contains("does not reach headquarters", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Everybody is in one network.</summary>
    private sealed class OpenLab : ILab
    {
        private readonly Dictionary<string, SimHost> _machines;

        public OpenLab(Topology topology)
        {
            Topology = topology;
            var internet = new SimNetwork(TimeProvider.System, seed: 1).Internet;
            Headquarters = internet.AddHost("headquarters", topology.Headquarters.ToString());
            _machines = topology.Nodes.Select(n => (Name: n.Id.Value, n.Address))
                .Concat(topology.Devices.Select(d => (d.Name, d.Address)))
                .ToDictionary(m => m.Name, m => internet.AddHost(m.Name, m.Address.ToString()));
        }

        public Topology Topology { get; }

        public IByteNetwork Headquarters { get; }

        public IByteNetwork MachineOf(TopologyNode node) => _machines[node.Id.Value];

        public IByteNetwork MachineOf(TopologyDevice device) => _machines[device.Name];
    }
}
