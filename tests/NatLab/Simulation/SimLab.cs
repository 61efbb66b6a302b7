using Fleet.Contracts;
using Fleet.Messages.Transport;
using Fleet.NatLab.Nat;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Simulation;

/// <summary>A topology in the simulated network.</summary>
public sealed class SimLab : ILab
{
    private readonly Dictionary<OfficeId, SimUplink> _uplinks = [];
    private readonly Dictionary<string, SimHost> _machines = [];

    public SimLab(Topology topology, TimeProvider clock, int seed)
    {
        Topology = topology;
        var internet = new SimNetwork(clock, seed).Internet;
        Headquarters = internet.AddHost("headquarters", topology.Headquarters.ToString());
        foreach (var office in topology.Offices)
            Build(office, internet);
    }

    public Topology Topology { get; }

    public SimHost Headquarters { get; }

    IByteNetwork ILab.Headquarters => Headquarters;

    public SimHost MachineOf(TopologyNode node) => _machines[node.Id.Value];

    public SimHost MachineOf(TopologyDevice device) => _machines[device.Name];

    IByteNetwork ILab.MachineOf(TopologyNode node) => MachineOf(node);

    IByteNetwork ILab.MachineOf(TopologyDevice device) => MachineOf(device);

    /// <summary>The office's own translator and the line behind it.</summary>
    public SimUplink UplinkOf(OfficeId office) => _uplinks[office];

    private void Build(TopologyOffice office, SimRealm internet)
    {
        var behaviour = NatBehaviour.ByName[office.Nat];
        var outside = office.Carrier is { } carrier ? internet.AddNat($"carrier of {office.Id}", carrier.ToString(), behaviour) : internet;
        var lan = outside.AddNat(office.Id.Value, office.Outside.ToString(), behaviour);
        _uplinks[office.Id] = lan.Uplink!;
        foreach (var node in office.Nodes)
            _machines[node.Id.Value] = node.Dmz
                ? internet.AddHost(node.Id.Value, node.Address.ToString(), dialsOut: false)
                : lan.AddHost(node.Id.Value, node.Address.ToString(), node.DialsOut);
        foreach (var device in office.Devices)
            _machines[device.Name] = lan.AddHost(device.Name, device.Address.ToString(), device.Routed);
    }
}
