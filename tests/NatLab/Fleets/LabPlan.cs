using System.Globalization;
using System.Net;
using Fleet.Messages.Transport;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.NatLab.Fleets;

/// <summary>Which program runs where, and at which addresses they find one another.</summary>
internal sealed class LabPlan
{
    private readonly Dictionary<string, LabMachine> _machines;
    private readonly Dictionary<string, string> _gateways;

    private LabPlan(LabMachine headquarters, int agents, int link, int console, Dictionary<string, LabMachine> machines, Dictionary<string, string> gateways)
    {
        (HeadquartersNodes, _machines, _gateways) = ([headquarters], machines, gateways);
        (Agents, Link, Console) = ($"{headquarters.Address}:{agents}", $"{headquarters.Address}:{link}", $"{headquarters.Address}:{console}");
    }

    /// <summary>The machines of headquarters' nodes; only in the kernel lab more than one.</summary>
    public IReadOnlyList<LabMachine> HeadquartersNodes { get; private init; }

    public LabMachine Headquarters => HeadquartersNodes[0];

    /// <summary>host:port of the console of each headquarters node.</summary>
    public IReadOnlyList<string> Consoles => [Console, .. HeadquartersNodes.Skip(1).Select(n => $"{n.Address}:8443")];

    /// <summary>host:port of headquarters' agent service.</summary>
    public string Agents { get; }

    public string Link { get; }

    public string Console { get; }

    public IReadOnlyList<string> HeadquartersSettings { get; private init; } = [];

    private Func<string, IReadOnlyList<string>> NodeSettings { get; init; } = _ => [];

    /// <summary>Every machine has the default ports for itself.</summary>
    public static LabPlan ForKernel(KernelLab lab)
    {
        var topology = lab.Topology;
        var machines = topology.Nodes.ToDictionary(n => n.Id.Value, n => new LabMachine(n.Id.Value.Replace('.', '-'), lab.MachineOf(n), n.Address));
        foreach (var device in topology.Devices)
            machines[device.Name] = new LabMachine(device.Name, lab.MachineOf(device), device.Address);
        var headquarters = new LabMachine("headquarters", lab.Headquarters, topology.Headquarters);
        LabMachine[] nodes = [headquarters, .. topology.HeadquartersOthers.Select((address, i) => new LabMachine(string.Create(CultureInfo.InvariantCulture, $"headquarters-{i + 2}"), lab.HeadquartersOthers[i], address))];
        return new LabPlan(headquarters, 13000, 13001, 8443, machines, topology.Nodes.ToDictionary(n => n.Id.Value, n => $"{n.Address}:13000"))
        {
            HeadquartersNodes = nodes,
            HeadquartersSettings =
            [
                $"offices.headquarters-addresses={All(13000)}", $"offices.headquarters-push-addresses={All(13295)}", $"offices.headquarters-update-addresses={All(13443)}",
                .. nodes.Length == 1 ? [] : (string[])[$"offices.headquarters-link-addresses={All(LinkHocon.EdgePort)}"],
            ],
        };

        string All(int port) => $"[{string.Join(", ", nodes.Select(n => $"\"{n.Address}:{port}\""))}]";
    }

    /// <summary>All on 127.0.0.1, on ports that are free now.</summary>
    public static LabPlan ForLoopback(Topology topology)
    {
        var here = IPAddress.Loopback;
        var nodes = topology.Nodes.ToList();
        var ports = FreePorts.Take(6 + (4 * nodes.Count));
        var own = nodes.Select((n, i) => (n.Id.Value, Ports: ports[(6 + (4 * i))..(10 + (4 * i))])).ToDictionary(n => n.Value, n => n.Ports);
        var gateways = own.ToDictionary(n => n.Key, n => $"{here}:{n.Value[0]}");
        var machines = nodes.Select(n => n.Id.Value).Concat(topology.Devices.Select(d => d.Name)).ToDictionary(n => n, n => new LabMachine(n, null, here));
        return new LabPlan(new LabMachine("headquarters", null, here), ports[0], ports[1], ports[2], machines, gateways)
        {
            HeadquartersSettings =
            [
                $"offices.headquarters-addresses=[\"{here}:{ports[0]}\"]",
                $"offices.headquarters-push-addresses=[\"{here}:{ports[4]}\"]",
                $"offices.headquarters-update-addresses=[\"{here}:{ports[5]}\"]",
                $"gateway.port={ports[0]}", $"links.port={ports[1]}", $"web.port={ports[2]}", $"cluster.port={ports[3]}", $"push.port={ports[4]}", $"updates.port={ports[5]}", "metrics.port=0",
            ],
            NodeSettings = node => [$"gateway.port={own[node][0]}", $"push.port={own[node][1]}", $"distribution.port={own[node][2]}", $"distribution.plain-port={own[node][3]}"],
        };
    }

    public LabMachine MachineOf(TopologyNode node) => _machines[node.Id.Value];

    public LabMachine MachineOf(TopologyDevice device) => _machines[device.Name];

    public string GatewayOf(TopologyNode node) => _gateways[node.Id.Value];

    public IReadOnlyList<string> SettingsOf(TopologyNode node) => NodeSettings(node.Id.Value);
}
