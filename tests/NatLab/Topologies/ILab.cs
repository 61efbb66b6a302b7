using Fleet.Messages.Transport;

namespace Fleet.NatLab.Topologies;

/// <summary>A topology that was built, by whichever engine: its machines as the programs on them see the network.</summary>
public interface ILab
{
    Topology Topology { get; }

    /// <summary>Headquarters' machine.</summary>
    IByteNetwork Headquarters { get; }

    IByteNetwork MachineOf(TopologyNode node);

    IByteNetwork MachineOf(TopologyDevice device);
}
