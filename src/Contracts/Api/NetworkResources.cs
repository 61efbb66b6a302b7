namespace Fleet.Contracts.Api;

// What is on the offices' networks: polls, how they are scheduled, and the devices without an agent that they saw.

/// <summary>A network poll.</summary>
/// <param name="Node">The office's poller that does it.</param>
/// <param name="Method"><c>ip-range</c>, <c>mdns</c> or <c>ldap</c>.</param>
/// <param name="Kind"><c>full</c> or <c>quick</c>.</param>
/// <param name="Ranges">Where it was asked for other ranges than the schedule's.</param>
/// <param name="AskedBy">Absent: the schedule.</param>
/// <param name="State"><c>running</c>, <c>completed</c>, <c>cancelled</c>, <c>interrupted</c>, <c>failed</c> or <c>refused</c>.</param>
/// <param name="Why">Why it did not complete.</param>
/// <param name="Done">Addresses or entries looked at.</param>
/// <param name="Total">Of how many; absent while that is not known.</param>
/// <param name="Found">Devices seen.</param>
/// <param name="Packets">Packets sent.</param>
/// <param name="CannotSee">What the node can't see, and why.</param>
public sealed record PollResource(
    string Id,
    string Office,
    string Node,
    string Method,
    string Kind,
    string Ranges,
    string? AskedBy,
    string State,
    string Why,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    int Done,
    int? Total,
    int Found,
    long Packets,
    IReadOnlyList<string> CannotSee);

/// <summary>POST /api/v1/polls: begins a poll now.</summary>
/// <param name="Kind"><c>full</c> or <c>quick</c>; absent: full.</param>
/// <param name="Ranges">Instead of the schedule's, for <c>ip-range</c>.</param>
/// <param name="Force">Allows more addresses than a /16 has.</param>
public sealed record NewPoll(string Office, string Method, string? Kind = null, IReadOnlyList<string>? Ranges = null, bool Force = false);

/// <summary>GET /api/v1/offices/{id}/poll-schedule: who polls the office, and when.</summary>
/// <param name="Poller">The one node that polls; absent: none now.</param>
/// <param name="PacketsPerSecond">The most packets that all polls send together.</param>
public sealed record PollScheduleResource(string Office, string? Poller, int PacketsPerSecond, IReadOnlyList<PollMethodResource> Methods);

/// <summary>How one method polls.</summary>
/// <param name="QuickEvery">Absent: no quick polls.</param>
/// <param name="FullEvery">Absent: no full ones.</param>
/// <param name="Ranges">Empty: the node's own networks.</param>
/// <param name="Force">More addresses than a /16 has are allowed.</param>
public sealed record PollMethodResource(
    string Method, bool Enabled, string? QuickEvery, string? FullEvery, IReadOnlyList<string> Ranges, bool Force, IReadOnlyList<DirectoryResource> Directories);

/// <summary>A domain controller.</summary>
/// <param name="Security"><c>tls</c>, <c>starttls</c> or <c>plain</c>.</param>
/// <param name="HasPassword">The password itself is never told.</param>
/// <param name="HasAuthority">Whether the server must show a certificate of a CA given for it.</param>
public sealed record DirectoryResource(string Host, int Port, string Security, string BaseName, string Filter, string User, bool HasPassword, bool HasAuthority);

/// <summary>PUT /api/v1/offices/{id}/poll-schedule/{method}: the whole schedule of one method.</summary>
/// <param name="QuickEvery">A duration such as <c>30m</c>; absent: no quick polls.</param>
/// <param name="FullEvery">The same for full ones.</param>
/// <param name="PacketsPerSecond">Of all polls of the office; absent: as before.</param>
public sealed record PollMethodContent(
    bool Enabled = true,
    string? QuickEvery = null,
    string? FullEvery = null,
    IReadOnlyList<string>? Ranges = null,
    bool Force = false,
    IReadOnlyList<DirectoryContent>? Directories = null,
    int? PacketsPerSecond = null);

/// <summary>A domain controller as an operator names it.</summary>
/// <param name="Port">Absent: 636 with <c>tls</c>, else 389.</param>
/// <param name="Security"><c>tls</c>, <c>starttls</c> or <c>plain</c>; absent: tls.</param>
/// <param name="BaseName">Absent: the server's default naming context.</param>
/// <param name="Filter">Absent: computers.</param>
/// <param name="User">Absent: anonymous.</param>
/// <param name="Password">Absent: the one that is kept for this user there.</param>
/// <param name="Authority">The CA's certificate that the server's must chain to, as PEM; absent: the node's own trust.</param>
public sealed record DirectoryContent(
    string Host,
    int? Port = null,
    string? Security = null,
    string? BaseName = null,
    string? Filter = null,
    string? User = null,
    string? Password = null,
    string? Authority = null)
{
    public override string ToString() => nameof(DirectoryContent);
}

/// <summary>A device without an agent that polls saw.</summary>
/// <param name="Name">The most trusted of its names, else its address or MAC.</param>
/// <param name="Mac">Empty: not seen.</param>
/// <param name="Vendor">Who made its network card; empty: not known.</param>
/// <param name="Addresses">The newest first; one that no poll confirmed for a day is gone.</param>
/// <param name="SeenBy">The node that saw it last.</param>
/// <param name="SeenWith">The method that saw it last.</param>
/// <param name="Methods">All methods that ever saw it.</param>
/// <param name="Ignored">An operator set it aside.</param>
/// <param name="HostKey">The SSH host key that it showed first; absent: none yet.</param>
public sealed record DiscoveredResource(
    string Id,
    string Name,
    string Office,
    string Mac,
    string Vendor,
    string Identity,
    IReadOnlyList<AddressResource> Addresses,
    IReadOnlyList<NameResource> Names,
    IReadOnlyList<ServiceResource> Services,
    string Os,
    DateTimeOffset FirstSeen,
    DateTimeOffset LastSeen,
    string SeenBy,
    string SeenWith,
    IReadOnlyList<string> Methods,
    bool Ignored,
    string? HostKey);

/// <param name="LastSeen">When the device was last seen there, as far as it is journaled.</param>
public sealed record AddressResource(string Address, DateTimeOffset LastSeen);

/// <param name="Source"><c>directory</c>, <c>reverse-dns</c>, <c>multicast-dns</c> or <c>net-bios</c>.</param>
public sealed record NameResource(string Source, string Name);

/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
public sealed record ServiceResource(int Port, string Protocol, string Name);

/// <summary>POST /api/v1/discovered/{id}/ignore.</summary>
/// <param name="Ignored">False: take it in again.</param>
public sealed record IgnoreChange(bool Ignored = true);

/// <summary>That a poll met a managed device: its machine answers; whether its agent works is another matter.</summary>
public sealed record SeenOnNetworkResource(DateTimeOffset At, string By, string With);

/// <summary>POST /api/v1/discovered/{id}/install: sets up the agent there over SSH, through a node of the office.</summary>
/// <param name="User">Who logs in; root, or one who may use sudo.</param>
/// <param name="Password">For the log-in and for sudo.</param>
/// <param name="PrivateKey">OpenSSH or PEM.</param>
/// <param name="Address">Absent: the device's newest.</param>
/// <param name="AcceptHostKey">Take whatever host key the device shows, also where another one is known.</param>
public sealed record NewInstall(
    string User, string? Password = null, string? PrivateKey = null, string? Passphrase = null, int Port = 22, string? Address = null, bool AcceptHostKey = false)
{
    public override string ToString() => nameof(NewInstall);
}

/// <summary>An agent that is or was set up on a discovered device.</summary>
/// <param name="Node">Through which node.</param>
/// <param name="State"><c>running</c>, <c>installed</c>, or why not: <c>unreachable</c>, <c>host-key-changed</c>, <c>authentication-refused</c>, <c>no-sudo</c>, <c>wrong-architecture</c>, <c>disk-full</c>, <c>enrolment-failed</c>, <c>interrupted</c> or <c>failed</c>.</param>
/// <param name="Step">Where it is, or ended: <c>connecting</c>, <c>looking-around</c>, <c>copying</c>, <c>enrolling</c> or <c>starting</c>.</param>
/// <param name="Detail">What went wrong and what to do.</param>
/// <param name="HostKey">The host key that the device showed.</param>
/// <param name="Device">As which device the agent joined; absent: it has not.</param>
public sealed record InstallResource(
    string Id, string Office, string Discovered, string Name, string Node, string Address, int Port, string State, string? Step, string Detail, string HostKey, string? Device,
    DateTimeOffset StartedAt, DateTimeOffset? EndedAt);
