using System.Net;
using Akka.Configuration;
using Akka.Configuration.Hocon;
using Fleet.Contracts;
using Fleet.NatLab.Nat;

namespace Fleet.NatLab.Topologies;

/// <summary>Reads one topology file; every key is known or refused.</summary>
internal sealed class TopologyReader(string file)
{
    private static readonly IPAddress DefaultRouter = IPAddress.Parse("192.168.1.1");

    private static readonly Dictionary<string, HostKind> Kinds = new()
    {
        ["open"] = HostKind.Open, ["no-ping"] = HostKind.NoPing, ["arp-only"] = HostKind.ArpOnly, ["mdns"] = HostKind.MulticastDns, ["ipv6-only"] = HostKind.Ipv6Only,
    };

    public Topology Read()
    {
        var root = ConfigurationFactory.ParseString(File.ReadAllText(file));
        var topology = Fields(root.Root, "the file", "headquarters", "headquarters-others", "database", "offices");
        return new Topology(
            Path.GetFileNameWithoutExtension(file),
            Address(topology, "headquarters"),
            [.. topology["offices"].GetArray().Select(Office)])
        {
            HeadquartersOthers = [.. List(topology, "headquarters-others").Select(a => IPAddress.Parse(a.GetString()))],
            Database = topology.ContainsKey("database") ? Address(topology, "database") : null,
        };
    }

    private static TopologyOffice Office(HoconValue value)
    {
        var office = Fields(value, "an office", "name", "outside", "carrier", "nat", "router", "nodes", "devices", "hosts");
        var id = new OfficeId(Text(office, "name"));
        var nat = Text(office, "nat");
        if (!NatBehaviour.ByName.ContainsKey(nat))
            throw new FormatException($"office {id}: nat is one of {string.Join(", ", NatBehaviour.ByName.Keys)}, not '{nat}'");
        return new TopologyOffice(
            id,
            Address(office, "outside"),
            office.ContainsKey("carrier") ? Address(office, "carrier") : null,
            nat,
            office.ContainsKey("router") ? Address(office, "router") : DefaultRouter,
            [.. List(office, "nodes").Select(n => Node(id, n))],
            [.. List(office, "devices").Select(d => Device(id, d))],
            [.. List(office, "hosts").SelectMany(h => Hosts(id, h))]);
    }

    private static TopologyNode Node(OfficeId office, HoconValue value)
    {
        var node = Fields(value, $"a node of {office}", "name", "address", "through", "dmz");
        NodeId? through = node.ContainsKey("through") ? NodeId.Of(Text(node, "through"), office) : null;
        return new TopologyNode(NodeId.Of(Text(node, "name"), office), Address(node, "address"), through, Switch(node, "dmz", false));
    }

    private static TopologyDevice Device(OfficeId office, HoconValue value)
    {
        var device = Fields(value, $"a device of {office}", "name", "address", "routed", "gateway-only");
        return new TopologyDevice(IdText.Checked(Text(device, "name")), office, Address(device, "address"), Switch(device, "routed", true), Switch(device, "gateway-only", false));
    }

    /// <summary>Several of a kind at addresses in a row.</summary>
    private static IEnumerable<TopologyHost> Hosts(OfficeId office, HoconValue value)
    {
        var hosts = Fields(value, $"hosts of {office}", "kind", "first", "count");
        var (name, count) = (Text(hosts, "kind"), hosts.TryGetValue("count", out var number) ? number.GetInt() : 1);
        if (!Kinds.TryGetValue(name, out var kind))
            throw new FormatException($"hosts of {office}: kind is one of {string.Join(", ", Kinds.Keys)}, not '{name}'");
        var first = kind == HostKind.Ipv6Only ? null : Address(hosts, "first").GetAddressBytes();
        return Enumerable.Range(0, count).Select(i =>
            new TopologyHost($"{name}-{i + 1}", first is null ? null : new IPAddress([first[0], first[1], first[2], (byte)(first[3] + i)]), kind));
    }

    private static Dictionary<string, HoconValue> Fields(HoconValue value, string what, params string[] known)
    {
        var fields = value.GetObject().Items;
        return fields.Keys.FirstOrDefault(k => !known.Contains(k)) is { } unknown
            ? throw new FormatException($"{what} has an unknown key '{unknown}'; known are {string.Join(", ", known)}")
            : fields;
    }

    private static IEnumerable<HoconValue> List(Dictionary<string, HoconValue> fields, string key) => fields.TryGetValue(key, out var list) ? list.GetArray() : [];

    private static string Text(Dictionary<string, HoconValue> fields, string key) =>
        fields.TryGetValue(key, out var value) ? value.GetString() : throw new FormatException($"'{key}' is missing");

    private static bool Switch(Dictionary<string, HoconValue> fields, string key, bool otherwise) => fields.TryGetValue(key, out var value) ? value.GetBoolean() : otherwise;

    private static IPAddress Address(Dictionary<string, HoconValue> fields, string key) => IPAddress.Parse(Text(fields, key));
}
