using Fleet.Contracts;
using MessagePack;

namespace Fleet.Messages.Link;

// Network polls: what headquarters tells the office's one poller, and what that answers. A poll's life:
// RunPoll, or its time has come by the plan → PollProgress and Sightings, several times → PollEnded. None of it waits in the outbox: with the
// link gone the poll is over, and the next one sees the network as it then is.

/// <summary>
/// What the poller is to do, in its <see cref="NodeDesired"/>; only one node of an office has one. Polls begin and go on only in an epoch in which
/// a NodeDesired has said so: with the link down a poll is cancelled and none begins. So headquarters can move the role without two nodes polling.
/// </summary>
/// <param name="Schedules">One a method; a method without one is not polled, nor one that is not enabled.</param>
/// <param name="PacketsPerSecond">The most packets that all polls of the node send together; spread, not in bursts.</param>
[MessagePackObject]
public sealed record PollPlan(
    [property: Key(0)] IReadOnlyList<PollSchedule> Schedules,
    [property: Key(1)] int PacketsPerSecond);

/// <param name="QuickEvery">Between two quick polls, from begin to begin; zero: none.</param>
/// <param name="FullEvery">The same for full polls; zero: none. A full poll counts as a quick one.</param>
/// <param name="Ranges">For IP ranges: <c>192.168.1.0/24</c>, <c>192.168.1.10-192.168.1.20</c>, IPv6 likewise. Empty: the node's own subnets.</param>
/// <param name="AllowLarge">An operator allowed a range of more than <see cref="Polls.MostAddresses"/> addresses.</param>
/// <param name="Directories">For LDAP: the domain controllers to ask, in order.</param>
/// <param name="LastQuick">When the office's last quick or full poll of the method began, whichever node did it; null: none. Not a reason for a new version.</param>
/// <param name="LastFull">The same for full ones.</param>
[MessagePackObject]
public sealed record PollSchedule(
    [property: Key(0)] PollMethod Method,
    [property: Key(1)] bool Enabled,
    [property: Key(2)] TimeSpan QuickEvery,
    [property: Key(3)] TimeSpan FullEvery,
    [property: Key(4)] IReadOnlyList<string> Ranges,
    [property: Key(5)] bool AllowLarge,
    [property: Key(6)] IReadOnlyList<DirectorySource> Directories,
    [property: Key(7)] DateTimeOffset? LastQuick,
    [property: Key(8)] DateTimeOffset? LastFull);

/// <summary>A domain controller, or another LDAP server that knows machines.</summary>
/// <param name="BaseName">Distinguished name to search below; empty: the server's default naming context.</param>
/// <param name="Filter">RFC 4515; empty: computers, as Active Directory and Samba keep them.</param>
/// <param name="User">Distinguished name or user@domain; empty: anonymous.</param>
/// <param name="Password">A NodeSecret for purpose <see cref="Polls.DirectoryPassword"/>, UTF-8; empty with an anonymous bind. No log or file shows it open.</param>
/// <param name="Authority">The CA's certificate that the server's must chain to, DER; empty: the machine's own trust.</param>
[MessagePackObject]
public sealed record DirectorySource(
    [property: Key(0)] string Host,
    [property: Key(1)] int Port,
    [property: Key(2)] DirectorySecurity Security,
    [property: Key(3)] string BaseName,
    [property: Key(4)] string Filter,
    [property: Key(5)] string User,
    [property: Key(6)] ReadOnlyMemory<byte> Password,
    [property: Key(7)] ReadOnlyMemory<byte> Authority);

/// <summary>Numbers are on the wire and in the journal.</summary>
public enum DirectorySecurity
{
    /// <summary>LDAPS.</summary>
    Tls = 1,

    StartTls = 2,

    /// <summary>Nothing: a password is never sent over it.</summary>
    Plain = 3,
}

/// <summary>Numbers are on the wire and in the journal.</summary>
public enum PollMethod
{
    /// <summary>ICMP echo, the neighbour table, TCP probes, reverse DNS and NetBIOS names over address ranges.</summary>
    IpRange = 1,

    /// <summary>Multicast DNS and DNS-SD.</summary>
    MulticastDns = 2,

    /// <summary>Domain controllers by LDAP.</summary>
    Ldap = 3,
}

/// <summary>What both sides hold polls to.</summary>
public static class Polls
{
    /// <summary>A range of more addresses than a /16 has is refused unless an operator forces it.</summary>
    public const int MostAddresses = 65536;

    /// <summary>The purpose under which passwords of directories are sealed.</summary>
    public const string DirectoryPassword = "directory password";

    /// <summary>A method's name as people write it.</summary>
    public static string Name(PollMethod method) => method switch
    {
        PollMethod.IpRange => "ip-range",
        PollMethod.MulticastDns => "mdns",
        PollMethod.Ldap => "ldap",
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "no method has this number"),
    };

    public static PollMethod? Parse(string name) => Enum.GetValues<PollMethod>().Select(m => (PollMethod?)m).FirstOrDefault(m => Name(m!.Value) == name);
}

// ---- What comes down ----

/// <summary>
/// Begin this poll now, in full or quick. Answer: <see cref="PollProgress"/> at once; where it can't begin (the method is being polled, the range is
/// wrong, the node is not the poller) a <see cref="PollEnded"/> that says why.
/// </summary>
/// <param name="Ranges">Instead of the plan's, for IP ranges; empty: the plan's.</param>
/// <param name="AllowLarge">For these ranges.</param>
[MessagePackObject]
public sealed record RunPoll(
    [property: Key(0)] PollId PollId,
    [property: Key(1)] PollMethod Method,
    [property: Key(2)] bool Full,
    [property: Key(3)] IReadOnlyList<string> Ranges,
    [property: Key(4)] bool AllowLarge) : IDownItem;

/// <summary>End this poll. Answer: <see cref="PollEnded"/>; a poll that is not known here is answered so too.</summary>
[MessagePackObject]
public sealed record CancelPoll([property: Key(0)] PollId PollId) : IDownItem;

// ---- What goes up ----

/// <summary>What a poller tells of a poll.</summary>
public interface IPollUpItem : IUpItem
{
    PollMethod Method { get; }
}

/// <summary>How far a poll is: at its begin and every second or so while it changes. Not journaled.</summary>
/// <param name="PollId">RunPoll's, or drawn by the node for a poll by the plan.</param>
/// <param name="Done">Of <paramref name="Total"/>, in what the method counts: addresses, or entries; a total of zero is not known yet.</param>
/// <param name="Found">Devices seen so far.</param>
/// <param name="Packets">Sent so far.</param>
[MessagePackObject]
public sealed record PollProgress(
    [property: Key(0)] PollId PollId,
    [property: Key(1)] PollMethod Method,
    [property: Key(2)] bool Full,
    [property: Key(3)] DateTimeOffset StartedAt,
    [property: Key(4)] int Done,
    [property: Key(5)] int Total,
    [property: Key(6)] int Found,
    [property: Key(7)] long Packets) : IPollUpItem;

/// <summary>Devices that a poll saw, as they come; at most <see cref="Most"/> an item. Headquarters merges them.</summary>
[MessagePackObject]
public sealed record Sightings(
    [property: Key(0)] PollId PollId,
    [property: Key(1)] PollMethod Method,
    [property: Key(2)] IReadOnlyList<Sighting> Seen) : IPollUpItem
{
    public const int Most = 50;
}

/// <summary>One device as one poll has seen it so far; a later one of the same poll holds what the earlier did. Texts are what strangers sent: at most <see cref="MostText"/> characters, no control characters. Headquarters drops what is over the caps.</summary>
/// <param name="Mac">Twelve lower-case hexadecimal digits in pairs, <c>52:54:00:12:34:56</c>; empty where it can't be seen (behind a router). Its vendor is looked up by headquarters.</param>
/// <param name="Identity">What names the device for good where there is no MAC, as <c>ldap:objectGUID</c>; empty: nothing does.</param>
/// <param name="Addresses">IPv4 and IPv6, without a zone.</param>
/// <param name="OperatingSystem">As the method was told it; empty: not known.</param>
[MessagePackObject]
public sealed record Sighting(
    [property: Key(0)] DateTimeOffset At,
    [property: Key(1)] string Mac,
    [property: Key(2)] string Identity,
    [property: Key(3)] IReadOnlyList<string> Addresses,
    [property: Key(4)] IReadOnlyList<SeenName> Names,
    [property: Key(5)] IReadOnlyList<SeenService> Services,
    [property: Key(6)] string OperatingSystem)
{
    public const int MostAddresses = 16;
    public const int MostNames = 8;
    public const int MostServices = 32;
    public const int MostText = 128;
}

/// <summary>A name, and who says so.</summary>
[MessagePackObject]
public sealed record SeenName([property: Key(0)] NameSource Source, [property: Key(1)] string Name);

/// <summary>Who names a device; the most trusted first. Numbers are on the wire and in the journal.</summary>
public enum NameSource
{
    /// <summary>The directory's entry of the machine.</summary>
    Directory = 1,

    /// <summary>A pointer record.</summary>
    ReverseDns = 2,

    /// <summary>The device itself, by multicast DNS.</summary>
    MulticastDns = 3,

    /// <summary>The device itself, by its NetBIOS node status.</summary>
    NetBios = 4,
}

/// <summary>A service that is open, as <c>22/tcp ssh</c> or <c>631/tcp _ipp._tcp</c>.</summary>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="Name">As multicast DNS or the port's registration names it; empty: neither does.</param>
[MessagePackObject]
public sealed record SeenService([property: Key(0)] int Port, [property: Key(1)] string Protocol, [property: Key(2)] string Name);

/// <summary>A poll is over.</summary>
/// <param name="Why">For people; empty where it went well.</param>
/// <param name="Probed">Addresses or entries that were looked at.</param>
/// <param name="CannotSee">What this node can't see and why, a sentence each: a poller without CAP_NET_RAW, a directory that is down.</param>
[MessagePackObject]
public sealed record PollEnded(
    [property: Key(0)] PollId PollId,
    [property: Key(1)] PollMethod Method,
    [property: Key(2)] bool Full,
    [property: Key(3)] DateTimeOffset StartedAt,
    [property: Key(4)] DateTimeOffset EndedAt,
    [property: Key(5)] PollOutcome Outcome,
    [property: Key(6)] string Why,
    [property: Key(7)] int Probed,
    [property: Key(8)] int Found,
    [property: Key(9)] long Packets,
    [property: Key(10)] IReadOnlyList<string> CannotSee) : IPollUpItem;

/// <summary>Numbers are on the wire and in the journal.</summary>
public enum PollOutcome
{
    Completed = 1,

    /// <summary>An operator cancelled it.</summary>
    Cancelled = 2,

    /// <summary>It could not go on: the link went, the node stopped, the role moved.</summary>
    Interrupted = 3,

    /// <summary>It could not see anything: no directory answered, no subnet is known.</summary>
    Failed = 4,

    /// <summary>It did not begin.</summary>
    Refused = 5,
}
