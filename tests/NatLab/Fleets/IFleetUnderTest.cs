using System.Net;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Messages.Transport;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Fleets;

/// <summary>A whole fleet in a topology, whichever engine carries it. Journeys are written against this alone.</summary>
public interface IFleetUnderTest : IAsyncDisposable
{
    Topology Topology { get; }

    /// <summary>What an operator may do.</summary>
    IOperator Operator { get; }

    /// <summary>What headquarters shows.</summary>
    FleetReader Shown { get; }

    /// <summary>host:port of headquarters' agent service.</summary>
    string Agents { get; }

    /// <summary>host:port of headquarters' link.</summary>
    string Link { get; }

    /// <summary>The network as a device's machine sees it, for those who speak without a program of the fleet.</summary>
    IByteNetwork NetworkOf(TopologyDevice device);

    /// <summary>How long a cut of an uplink lasts here.</summary>
    TimeSpan CutLasts { get; }

    /// <summary>How many devices are many here.</summary>
    int Crowd { get; }

    /// <summary>host:port of a node's gateway.</summary>
    string GatewayOf(TopologyNode node);

    /// <summary>Lets time pass while the fleet goes on: really, or by moving its clock on.</summary>
    Task Pass(TimeSpan time);

    Task StartHeadquarters();

    /// <summary>kill -9.</summary>
    Task KillHeadquarters();

    Task EnrolNode(TopologyNode node, string token);

    Task StartNode(TopologyNode node);

    /// <summary>kill -9.</summary>
    Task KillNode(TopologyNode node);

    /// <summary>Joins a device at the gateways of its office, and at headquarters where it may go there; returns why not, or null.</summary>
    Task<string?> EnrolDevice(TopologyDevice device, string token);

    Task StartDevice(TopologyDevice device);

    /// <summary>kill -9.</summary>
    Task KillDevice(TopologyDevice device);

    /// <summary>What the device itself knows; null before it is enrolled.</summary>
    Task<DeviceSelf?> SelfOf(TopologyDevice device);

    /// <summary>Changes the machine, so that its next report differs.</summary>
    void ChangeStateOf(TopologyDevice device);

    /// <summary>How many packets the device has sent to headquarters' address itself.</summary>
    long PacketsToHeadquarters(TopologyDevice device);

    /// <summary>Drops everything between an office and the internet without a word, or no longer.</summary>
    void CutUplink(OfficeId office);

    void HealUplink(OfficeId office);

    /// <summary>The office's translator forgets its mappings without a word.</summary>
    void ForgetMappings(OfficeId office);

    void ChangeAddress(OfficeId office, IPAddress outside);

    /// <summary>What headquarters and the nodes have logged that holds this text.</summary>
    IReadOnlyList<string> Logged(string text);

    /// <summary>The last lines that were logged, for a person who looks for the reason of a failure.</summary>
    string Tails();
}

/// <summary>The operator's commands that journeys need. A refusal throws <see cref="LabException"/> with its reason.</summary>
public interface IOperator
{
    Task AddOffice(OfficeId office);

    Task<CreatedToken> CreateToken(OfficeId office, string kind, string timeToLive = "1h", int uses = 1);

    Task RevokeToken(string id);

    Task Assign(NodeId node, string role);

    Task Unassign(NodeId node, string role);

    /// <summary>How a node and headquarters come together; neither: the node dials.</summary>
    Task SetWay(NodeId node, NodeId? through, string? dmzAddress);

    /// <summary>Headquarters dials a machine that waits to be enrolled.</summary>
    Task Dial(string address);

    Task RemoveNode(NodeId node);

    /// <returns>The policy's version.</returns>
    Task<ulong> ApplyPolicy(PolicyContent policy);

    Task RequestSync(string device);

    /// <summary>Polls an office's network and waits for the end.</summary>
    /// <param name="method"><c>ip-range</c>, <c>mdns</c> or <c>ldap</c>.</param>
    /// <param name="ranges">None: the schedule's.</param>
    Task<PollResource> Poll(OfficeId office, string method, params string[] ranges);

    /// <summary>Sets up the agent on a discovered device over SSH, and waits for the end, which must be good.</summary>
    /// <param name="keyFile">Holds the private key with which <paramref name="user"/> logs in.</param>
    Task<InstallResource> InstallAgent(string discovered, string user, string keyFile);

    /// <summary>Lets distribution points pass on a signed APT repository.</summary>
    /// <param name="keyringFile">Holds the public keys that sign it.</param>
    Task AddAptRepository(string name, string from, string keyringFile, string suite);

    /// <summary>Wakes a device and waits for the outcome, whatever it is.</summary>
    Task<WakeResource> Wake(string device);
}

/// <summary>What a device says of itself.</summary>
/// <param name="ReachedThrough">Node id of the gateway it last synced through, or <c>headquarters</c>.</param>
public sealed record DeviceSelf(string Id, ulong DesiredVersion, ulong ReportedVersion, ulong AcknowledgedVersion, string ReachedThrough);
