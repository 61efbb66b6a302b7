using System.Net;
using Fleet.Contracts;
using Fleet.NatLab.Nat;

namespace Fleet.NatLab.Topologies;

/// <summary>Who is where: headquarters on a public address, offices behind translators, machines in their LANs. Both engines build from it.</summary>
/// <param name="Name">The file's name without its ending.</param>
/// <param name="Headquarters">Public address of headquarters.</param>
public sealed record Topology(string Name, IPAddress Headquarters, IReadOnlyList<TopologyOffice> Offices)
{
    /// <summary>Public addresses of further headquarters nodes. The kernel lab alone has them.</summary>
    public IReadOnlyList<IPAddress> HeadquartersOthers { get; init; } = [];

    /// <summary>Where the database is that headquarters nodes share; null: headquarters is one node.</summary>
    public IPAddress? Database { get; init; }

    /// <summary>All nodes of all offices.</summary>
    public IEnumerable<TopologyNode> Nodes => Offices.SelectMany(o => o.Nodes);

    /// <summary>All devices of all offices.</summary>
    public IEnumerable<TopologyDevice> Devices => Offices.SelectMany(o => o.Devices);

    /// <summary>The files that ship with the lab.</summary>
    public static IReadOnlyList<string> Shipped =>
        [.. Directory.GetFiles(ShippedDirectory, "*.hocon").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    private static string ShippedDirectory => Path.Combine(AppContext.BaseDirectory, "Topologies");

    /// <summary>Reads a topology by its shipped name, or from a file.</summary>
    /// <exception cref="LabException">There is no such topology, or it is malformed; the message says where and what.</exception>
    public static Topology Load(string nameOrFile)
    {
        var file = File.Exists(nameOrFile) ? nameOrFile : Path.Combine(ShippedDirectory, nameOrFile + ".hocon");
        if (!File.Exists(file))
            throw new LabException($"there is no topology '{nameOrFile}'; shipped are {string.Join(", ", Shipped)}");
        try
        {
            return new TopologyReader(file).Read();
        }
        catch (Exception fault)
        {
            // Akka's HOCON parser throws plain exceptions too, and only reading happens in here.
            throw new LabException($"{file}: {fault.Message}");
        }
    }
}

/// <summary>A LAN behind a translator.</summary>
/// <param name="Outside">The translator's address in the internet, or in its carrier's network where there is one.</param>
/// <param name="Carrier">Public address of a carrier that translates a second time; null: none.</param>
/// <param name="Nat">A name of <see cref="NatBehaviour.ByName"/>.</param>
/// <param name="Router">The translator's address in the LAN; the LAN is its /24.</param>
/// <param name="Hosts">Machines without a program of Fleet's, for network polls to find. The kernel lab alone has them.</param>
public sealed record TopologyOffice(
    OfficeId Id,
    IPAddress Outside,
    IPAddress? Carrier,
    string Nat,
    IPAddress Router,
    IReadOnlyList<TopologyNode> Nodes,
    IReadOnlyList<TopologyDevice> Devices,
    IReadOnlyList<TopologyHost> Hosts);

/// <summary>A machine that runs an office node.</summary>
/// <param name="Through">The node of its office that it links through: it has no way out of its LAN itself.</param>
/// <param name="Dmz">Its address is a public one, and it can't dial out: headquarters dials it.</param>
public sealed record TopologyNode(NodeId Id, IPAddress Address, NodeId? Through = null, bool Dmz = false)
{
    /// <summary>Whether it reaches headquarters itself.</summary>
    public bool DialsOut => Through is null && !Dmz;
}

/// <summary>A machine that runs an agent.</summary>
/// <param name="Routed">False: the machine has no way out of its LAN.</param>
/// <param name="GatewayOnly">True: the agent must never dial headquarters.</param>
public sealed record TopologyDevice(string Name, OfficeId Office, IPAddress Address, bool Routed, bool GatewayOnly);

/// <summary>A machine that nothing of Fleet's runs on.</summary>
/// <param name="Address">Null: it has IPv6 alone.</param>
public sealed record TopologyHost(string Name, IPAddress? Address, HostKind Kind);

/// <summary>How a machine can be found.</summary>
public enum HostKind
{
    /// <summary>Answers ping, and has ssh open.</summary>
    Open = 1,

    /// <summary>Answers no ping, has http open.</summary>
    NoPing = 2,

    /// <summary>Drops every IP packet; it answers ARP, since it could not speak at all otherwise.</summary>
    ArpOnly = 3,

    /// <summary>Answers ping and multicast DNS.</summary>
    MulticastDns = 4,

    /// <summary>Has no IPv4 address.</summary>
    Ipv6Only = 5,
}

/// <summary>Something of the lab can't be done; the message says what and why, for a person.</summary>
public sealed class LabException(string message) : Exception(message);
