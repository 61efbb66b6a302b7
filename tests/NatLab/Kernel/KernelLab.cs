using System.Globalization;
using System.Net;
using Fleet.Contracts;
using Fleet.Messages.Transport;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Kernel;

/// <summary>
/// A topology built of the kernel's own parts: a namespace a machine, virtual cables, bridges, nftables and connection tracking. All its names begin
/// with a prefix that holds the id of this process, so that whatever is left over after a kill is found (<see cref="Leftovers"/>).
/// </summary>
public sealed class KernelLab : ILab, IDisposable
{
    private readonly string _prefix = $"{Leftovers.Prefix}{Environment.ProcessId}-";
    private readonly Dictionary<string, NetworkNamespace> _machines = [];
    private readonly Dictionary<OfficeId, KernelRouter> _routers = [];
    private readonly NetworkNamespace _internet;
    private readonly List<LanHost> _hosts = [];
    private int _cables;

    private KernelLab(Topology topology)
    {
        Topology = topology;
        try
        {
            _internet = Switch("internet", out var wire);
            Headquarters = Machine("hq");
            Plug(_internet, wire, Headquarters, "eth0");
            Headquarters.Ip("addr", "add", $"{topology.Headquarters}/32", "dev", "eth0");
            Headquarters.Ip("link", "set", "eth0", "up");
            Headquarters.Ip("route", "add", "default", "dev", "eth0");
            Headquarters.Count(topology.Headquarters);
            HeadquartersOthers = [.. topology.HeadquartersOthers.Select((address, i) => PlugIn($"hq-{i + 2}", address))];
            Database = topology.Database is { } database ? PlugIn("database", database) : null;
            foreach (var office in topology.Offices)
                Build(office, wire);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Topology Topology { get; }

    /// <summary>Headquarters' machine.</summary>
    public NetworkNamespace Headquarters { get; }

    /// <summary>The machines of the further headquarters nodes.</summary>
    public IReadOnlyList<NetworkNamespace> HeadquartersOthers { get; } = [];

    /// <summary>The machine of the database that headquarters nodes share.</summary>
    public NetworkNamespace? Database { get; }

    IByteNetwork ILab.Headquarters => Headquarters;

    /// <summary>Says why this machine can't run the kernel lab; null: it can.</summary>
    public static string? Unable()
    {
        if (!OperatingSystem.IsLinux())
            return "the kernel lab needs Linux";
        if (!Environment.IsPrivilegedProcess)
            return "the kernel lab needs root";
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        if (new[] { "ip", "nft", "conntrack", "sysctl" }.Where(c => !path.Any(d => File.Exists(Path.Combine(d, c)))).ToList() is { Count: > 0 } missing)
            return $"the kernel lab needs {string.Join(", ", missing)} (Debian and Ubuntu: apt-get install iproute2 nftables conntrack procps)";
        return Shell.Try("unshare", ["--net", "true"]).Code == 0 ? null : "the kernel lab needs network namespaces, and this container forbids them";
    }

    /// <summary>Builds it, after clearing away what a killed run left.</summary>
    /// <exception cref="LabException">This machine can't, or the topology asks for what the kernel hasn't got.</exception>
    public static KernelLab Build(Topology topology)
    {
        if (Unable() is { } why)
            throw new LabException(why);
        Leftovers.Sweep();
        return new KernelLab(topology);
    }

    public NetworkNamespace MachineOf(TopologyNode node) => _machines[node.Id.Value];

    public NetworkNamespace MachineOf(TopologyDevice device) => _machines[device.Name];

    IByteNetwork ILab.MachineOf(TopologyNode node) => MachineOf(node);

    IByteNetwork ILab.MachineOf(TopologyDevice device) => MachineOf(device);

    /// <summary>Cuts an office off from the internet, or joins it again.</summary>
    public void CutUplink(OfficeId office) => _routers[office].Cut();

    public void HealUplink(OfficeId office) => _routers[office].Heal();

    /// <summary>Makes an office's line to the internet narrow: bytes a second, inward.</summary>
    public void LimitUplink(OfficeId office, int bytesPerSecond) => _routers[office].Limit(bytesPerSecond);

    /// <summary>Bytes that TCP has brought into an office from the internet, without headers.</summary>
    public long CameInto(OfficeId office) => _routers[office].Inward();

    /// <summary>The machines of all offices that nothing of Fleet's runs on.</summary>
    public IReadOnlyList<LanHost> Hosts => _hosts;

    public void ForgetMappings(OfficeId office) => _routers[office].ForgetMappings();

    public void ChangeAddress(OfficeId office, IPAddress outside) => _routers[office].Rebind(outside);

    /// <summary>A machine more in the internet, such as a vendor's; its packets are counted.</summary>
    public NetworkNamespace PlugIn(string name, IPAddress address)
    {
        var machine = Machine(name);
        Plug(_internet, "wire", machine, "eth0");
        machine.Ip("addr", "add", $"{address}/32", "dev", "eth0");
        machine.Ip("link", "set", "eth0", "up");
        machine.Ip("route", "add", "default", "dev", "eth0");
        machine.Count(Topology.Headquarters);
        return machine;
    }

    /// <summary>Lets this machine's own browser reach headquarters: a cable from the host to it. Returns the address to use.</summary>
    public IPAddress OpenToHost()
    {
        // A third octet by chance of the process id: two labs on one machine should not collide.
        var net = 1 + (Environment.ProcessId % 250);
        var (host, inside) = (IPAddress.Parse($"10.213.{net}.1"), IPAddress.Parse($"10.213.{net}.2"));
        var cable = $"{Leftovers.HostCable}{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}";
        Shell.Run("ip", "link", "add", cable, "type", "veth", "peer", "name", "host", "netns", Headquarters.Name);
        Shell.Run("ip", "addr", "add", $"{host}/30", "dev", cable);
        Shell.Run("ip", "link", "set", cable, "up");
        Headquarters.Ip("addr", "add", $"{inside}/30", "dev", "host");
        Headquarters.Ip("link", "set", "host", "up");
        return inside;
    }

    /// <summary>Ends every process in the lab's namespaces and removes them.</summary>
    public void Dispose()
    {
        _hosts.ForEach(h => h.Dispose());
        Leftovers.Remove(_prefix);
    }

    private void Build(TopologyOffice office, string internetWire)
    {
        var (outsideSwitch, outsideWire) = (_internet, internetWire);
        if (office.Carrier is { } carrierAddress)
        {
            var carrier = Machine($"{office.Id}-carrier");
            Plug(outsideSwitch, outsideWire, carrier, "wan");
            outsideSwitch = Switch($"{office.Id}-access", out outsideWire);
            Plug(outsideSwitch, outsideWire, carrier, "lan");
            _ = new KernelRouter(carrier, carrierAddress, FirstOf(office.Outside), office.Nat);
        }

        var router = Machine($"{office.Id}-router");
        Plug(outsideSwitch, outsideWire, router, "wan");
        var lan = Switch($"{office.Id}-lan", out var lanWire);
        Plug(lan, lanWire, router, "lan");
        _routers[office.Id] = new KernelRouter(router, office.Outside, office.Router, office.Nat);
        if (office.Carrier is not null)
            // Behind a carrier the way out is its router, not the open wire.
            router.Ip("route", "replace", "default", "via", FirstOf(office.Outside).ToString(), "dev", "wan", "onlink");

        foreach (var node in office.Nodes)
            if (node.Dmz)
                AddPublicHost(node.Id.Value, internetWire, node.Address);
            else
                AddHost(node.Id.Value, lan, lanWire, node.Address, node.DialsOut ? office.Router : null);
        foreach (var device in office.Devices)
            AddHost(device.Name, lan, lanWire, device.Address, device.Routed ? office.Router : null);
        foreach (var host in office.Hosts)
        {
            var machine = Machine($"{office.Id}-{host.Name}");
            Plug(lan, lanWire, machine, "eth0");
            _hosts.Add(new LanHost(host, machine));
        }
    }

    private void AddHost(string name, NetworkNamespace lan, string wire, IPAddress address, IPAddress? router)
    {
        var machine = _machines[name] = Machine(name.Replace('.', '-'));
        Plug(lan, wire, machine, "eth0");
        // Else its IPv6 address counts only after a second in which nobody claims it, and a poll before that is refused its socket.
        machine.Set("net.ipv6.conf.eth0.dad_transmits", 0);
        machine.Ip("addr", "add", $"{address}/24", "dev", "eth0");
        machine.Ip("link", "set", "eth0", "up");
        if (router is not null)
            machine.Ip("route", "add", "default", "via", router.ToString());
        machine.Count(Topology.Headquarters);
    }

    // On the internet's wire, behind a firewall of its own that lets it answer and never dial.
    private void AddPublicHost(string name, string internetWire, IPAddress address)
    {
        var machine = _machines[name] = Machine(name.Replace('.', '-'));
        Plug(_internet, internetWire, machine, "eth0");
        machine.Ip("addr", "add", $"{address}/32", "dev", "eth0");
        machine.Ip("link", "set", "eth0", "up");
        machine.Ip("route", "add", "default", "dev", "eth0");
        machine.Rules("""
            table ip fleetlab {
              chain out { type filter hook output priority 0; oifname != "lo" ct state new drop; }
            }
            """);
        machine.Count(Topology.Headquarters);
    }

    private NetworkNamespace Machine(string name) => new(_prefix + name);

    private NetworkNamespace Switch(string name, out string wire)
    {
        var machine = Machine(name);
        wire = "wire";
        machine.Ip("link", "add", wire, "type", "bridge");
        machine.Ip("link", "set", wire, "up");
        return machine;
    }

    private void Plug(NetworkNamespace bridge, string wire, NetworkNamespace machine, string nic)
    {
        var port = $"p{++_cables}";
        bridge.Ip("link", "add", port, "type", "veth", "peer", "name", nic, "netns", machine.Name);
        bridge.Ip("link", "set", port, "master", wire, "up");
    }

    private static IPAddress FirstOf(IPAddress member)
    {
        var bytes = member.GetAddressBytes();
        bytes[3] = 1;
        return new IPAddress(bytes);
    }
}
