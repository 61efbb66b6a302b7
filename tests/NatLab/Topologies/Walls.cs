using System.Net;
using Fleet.Messages.Transport;

namespace Fleet.NatLab.Topologies;

/// <summary>
/// Proves that the lab's walls stand before anything else is believed: with a port really open at each node, its own LAN reaches it, and neither
/// headquarters nor another office does, while everybody who should reach headquarters does.
/// </summary>
public static class Walls
{
    private const int Port = 13999;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>How many other offices each tries to reach: among hundreds, every pair would be tens of thousands of dials.</summary>
    private const int OthersTried = 3;

    /// <summary>Tries every wall and returns what was tried, one line each.</summary>
    /// <exception cref="LabException">A wall has a hole, or a way that must be open is not.</exception>
    public static async Task<IReadOnlyList<string>> Assert(ILab lab)
    {
        var topology = lab.Topology;
        var nodes = topology.Offices.SelectMany(o => o.Nodes.Select(n => (Office: o, Node: n, Machine: lab.MachineOf(n)))).ToList();
        var listeners = nodes.Select(n => n.Machine.Listen(new IPEndPoint(IPAddress.Any, Port))).Append(lab.Headquarters.Listen(new IPEndPoint(IPAddress.Any, Port))).ToList();
        try
        {
            var tries = new List<Task<string>>();
            void Try(IByteNetwork from, string who, IPAddress address, string whom, bool reaches) => tries.Add(Attempt(from, who, address, whom, reaches));
            foreach (var (office, node, machine) in nodes)
            {
                Try(machine, $"{node.Id}", topology.Headquarters, "headquarters", reaches: node.DialsOut);
                Try(lab.Headquarters, "headquarters", PublicAddress(office), $"{node.Id} by its public address", reaches: false);
                Try(lab.Headquarters, "headquarters", node.Address, $"{node.Id} by its {(node.Dmz ? "public" : "private")} address", reaches: node.Dmz);
                Try(lab.Headquarters, "headquarters", office.Router, $"the router of {office.Id} by its private address", reaches: false);
                foreach (var other in topology.Offices.Where(o => o.Id != office.Id).Take(OthersTried))
                    Try(machine, $"{node.Id}", PublicAddress(other), $"office {other.Id}", reaches: false);
                if (office.Devices.FirstOrDefault(d => d.Routed || !node.Dmz) is { } neighbour)
                    Try(lab.MachineOf(neighbour), neighbour.Name, node.Address, $"{node.Id} {(node.Dmz ? "in the DMZ" : "in its own LAN")}", reaches: true);
            }

            foreach (var device in topology.Devices)
                Try(lab.MachineOf(device), device.Name, topology.Headquarters, "headquarters", reaches: device.Routed);
            return await Task.WhenAll(tries).ConfigureAwait(false);
        }
        finally
        {
            foreach (var listener in listeners)
                await listener.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static IPAddress PublicAddress(TopologyOffice office) => office.Carrier ?? office.Outside;

    private static async Task<string> Attempt(IByteNetwork from, string who, IPAddress address, string whom, bool reaches)
    {
        var open = await Opens(from, new IPEndPoint(address, Port)).ConfigureAwait(false);
        return open == reaches
            ? $"{who} {(reaches ? "reaches" : "can't reach")} {whom}"
            : throw new LabException(reaches ? $"{who} does not reach {whom} ({address}), though it must" : $"a wall has a hole: {who} reaches {whom} ({address})");
    }

    private static async Task<bool> Opens(IByteNetwork from, IPEndPoint to)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await using var stream = await from.Connect(to.ToString(), patience.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception closed) when (closed is IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
