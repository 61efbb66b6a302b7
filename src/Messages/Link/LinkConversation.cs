using Fleet.Contracts;
using Fleet.Messages.Company;
using MessagePack;

namespace Fleet.Messages.Link;

// What an office node and headquarters say to each other over the link. Every dial goes up; every message behind Welcome carries the epoch.
// Order of a link's life: Hello → Welcome (from the link's own actor) → Announce… → frames both ways and pings, until Goodbye or the lease runs out.

/// <summary>Everything that may travel over a link.</summary>
public interface ILinkMessage;

// ---- The door ----

/// <summary>Node → door: the only message the door answers.</summary>
/// <param name="Incarnation">Random per start of the office process.</param>
[MessagePackObject]
public sealed record Hello(
    [property: Key(0)] NodeId NodeId,
    [property: Key(1)] int Protocol,
    [property: Key(2)] string Version,
    [property: Key(3)] string Incarnation,
    [property: Key(4)] DateTimeOffset At) : ILinkMessage
{
    /// <summary>The protocol this build speaks. A door speaks this one and the one before.</summary>
    public const int CurrentProtocol = 1;
}

/// <summary>OfficeLink → node: come in. The sender is the link to talk to; its name can't be guessed.</summary>
/// <param name="LeaseFor">Without a ping for this long, headquarters forgets the link; without a pong for this long, the node redials.</param>
/// <param name="ReturnWithin">If headquarters is lost, the node's first wait is anywhere up to this; set from headquarters' load, and again in each pong.</param>
[MessagePackObject]
public sealed record Welcome(
    [property: Key(0)] string Epoch,
    [property: Key(1)] DateTimeOffset HeadquartersTime,
    [property: Key(2)] TimeSpan PingEvery,
    [property: Key(3)] TimeSpan LeaseFor,
    [property: Key(4)] ulong NodeEventsStored,
    [property: Key(5)] TimeSpan ReturnWithin) : ILinkMessage;

/// <summary>Door → node: not now, or not ever; <paramref name="RetryAfter"/> says when to ask again, already spread.</summary>
[MessagePackObject]
public sealed record NotWelcome(
    [property: Key(0)] RefusalCode Code,
    [property: Key(1)] string Detail,
    [property: Key(2)] TimeSpan RetryAfter) : ILinkMessage;

// ---- The link ----

/// <summary>Everything behind Welcome.</summary>
public interface IEpochMessage : ILinkMessage
{
    string Epoch { get; }
}

[MessagePackObject]
public sealed record Ping([property: Key(0)] string Epoch, [property: Key(1)] ulong Number) : IEpochMessage;

/// <param name="ReturnWithin">As in <see cref="Welcome"/>, by the load now.</param>
[MessagePackObject]
public sealed record Pong(
    [property: Key(0)] string Epoch,
    [property: Key(1)] ulong Number,
    [property: Key(2)] DateTimeOffset HeadquartersTime,
    [property: Key(3)] TimeSpan ReturnWithin) : IEpochMessage;

/// <summary>Node → link, first thing of an epoch: what the node is and which desired documents it holds; split into parts of at most <see cref="MaxHeld"/>.</summary>
[MessagePackObject]
public sealed record Announce(
    [property: Key(0)] string Epoch,
    [property: Key(1)] NodeReport Report,
    [property: Key(2)] IReadOnlyList<HeldDesired> Held,
    [property: Key(3)] bool Last) : IEpochMessage
{
    public const int MaxHeld = 1000;
}

/// <summary>A desired document that a gateway holds for one of its devices.</summary>
[MessagePackObject]
public sealed record HeldDesired([property: Key(0)] DeviceId DeviceId, [property: Key(1)] ulong Version);

/// <summary>Node → link: a numbered batch. Kept in the outbox until <see cref="UpFrameStored"/> says that the owner journaled it.</summary>
[MessagePackObject]
public sealed record UpFrame(
    [property: Key(0)] string Epoch,
    [property: Key(1)] ulong Number,
    [property: Key(2)] IReadOnlyList<IUpItem> Items) : IEpochMessage
{
    /// <summary>The most items of one frame; headquarters ends a link that sends more.</summary>
    public const int MaxItems = 2000;

    /// <summary>The most frames without an <see cref="UpFrameStored"/> at a time; headquarters ends a link that sends more.</summary>
    public const int MaxInFlight = 32;
}

/// <summary>Link → node: everything of the frame is journaled by its owner.</summary>
[MessagePackObject]
public sealed record UpFrameStored([property: Key(0)] string Epoch, [property: Key(1)] ulong Number) : IEpochMessage;

/// <summary>Link → node: things for the node and its devices. Level-triggered: a lost one is made up for by the next announce.</summary>
[MessagePackObject]
public sealed record DownFrame([property: Key(0)] string Epoch, [property: Key(1)] IReadOnlyList<IDownItem> Items) : IEpochMessage;

/// <summary>Either side: the link ends on purpose.</summary>
/// <param name="Elsewhere">From headquarters: the node is to dial another of headquarters' addresses than this one, and at once.</param>
[MessagePackObject]
public sealed record Goodbye([property: Key(0)] string Epoch, [property: Key(1)] string Reason, [property: Key(2)] bool Elsewhere = false) : IEpochMessage;

// ---- What goes up ----

[Union(0, typeof(DeviceEnvelopeUp))]
[Union(1, typeof(PresenceDigest))]
[Union(2, typeof(NodeReport))]
[Union(3, typeof(NodeEvent))]
[Union(4, typeof(EnrolmentUp))]
[Union(5, typeof(NodeRenewal))]
[Union(6, typeof(DesiredWanted))]
[Union(7, typeof(LinesDigest))]
[Union(8, typeof(DeviceWoken))]
[Union(9, typeof(WakeFailed))]
[Union(10, typeof(PollProgress))]
[Union(11, typeof(Sightings))]
[Union(12, typeof(PollEnded))]
[Union(13, typeof(InstallProgress))]
[Union(14, typeof(InstallEnded))]
[Union(15, typeof(ContentCounts))]
public interface IUpItem;

/// <summary>An item about one device, whose home may be another office than that of the node which sends it.</summary>
public interface IDeviceUpItem : IUpItem
{
    DeviceId DeviceId { get; }

    /// <summary>The office the device says it is of; routes devices whose home is elsewhere.</summary>
    OfficeId OfficeHint { get; }
}

/// <summary>A device's sealed report (SealedEnvelope), unopened.</summary>
[MessagePackObject]
public sealed record DeviceEnvelopeUp(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] ReadOnlyMemory<byte> Envelope,
    [property: Key(2)] OfficeId OfficeHint) : IDeviceUpItem;

/// <summary>Which devices synced through this node since the last digest. Not journaled.</summary>
[MessagePackObject]
public sealed record PresenceDigest([property: Key(0)] IReadOnlyList<DeviceSeen> Seen) : IUpItem;

[MessagePackObject]
public sealed record DeviceSeen([property: Key(0)] DeviceId DeviceId, [property: Key(1)] DateTimeOffset At);

/// <summary>What the node last is: reported state of the node itself.</summary>
/// <param name="AppliedVersion">Version of the <see cref="NodeDesired"/> it obeys.</param>
/// <param name="GatewayAddresses">host:port at which the office's agents reach this gateway; empty while it is none.</param>
/// <param name="PushAddresses">The same for its push server.</param>
/// <param name="LinkAddresses">The same for its link port, at which nodes of its office hand in their links; empty while it is closed.</param>
/// <param name="ContentAddresses">The same for its distribution point.</param>
/// <param name="Mirror">How its mirror stands; null while it is no distribution point.</param>
/// <param name="LinkedBy">The way that its link goes, for people: <c>directly</c>, through whom, or that headquarters dialled.</param>
[MessagePackObject]
public sealed record NodeReport(
    [property: Key(0)] ulong AppliedVersion,
    [property: Key(1)] IReadOnlyList<NodeRole> Roles,
    [property: Key(2)] IReadOnlyList<string> GatewayAddresses,
    [property: Key(3)] string Version,
    [property: Key(4)] string HostName,
    [property: Key(5)] DateTimeOffset StartedAt,
    [property: Key(6)] IReadOnlyList<string> Problems,
    [property: Key(7)] IReadOnlyList<string> PushAddresses,
    [property: Key(8)] IReadOnlyList<string> LinkAddresses,
    [property: Key(9)] string LinkedBy,
    [property: Key(10)] IReadOnlyList<string> ContentAddresses,
    [property: Key(11)] MirrorState? Mirror) : IUpItem
{
    /// <summary>The most addresses of a kind; headquarters ends a link that names more.</summary>
    public const int MaxAddresses = 32;
}

/// <summary>What a distribution point has. Only whole changes: how far a download is, is in <see cref="ContentCounts"/>.</summary>
/// <param name="Timestamp">Version of the newest timestamp that it verified and serves.</param>
/// <param name="Whole">Manifests (SHA-256) of wanted packages of which it has every file.</param>
/// <param name="Problem">Why it lacks something that is wanted, naming source and file; empty: it does not.</param>
/// <param name="Runs">The last run of each of its tasks, once there was one; null: of an older node.</param>
[MessagePackObject]
public sealed record MirrorState(
    [property: Key(0)] ulong Timestamp,
    [property: Key(1)] IReadOnlyList<string> Whole,
    [property: Key(2)] string Problem,
    [property: Key(3)] IReadOnlyList<DownloadRun>? Runs = null)
{
    /// <summary>The most packages that are named; headquarters ends a link that names more.</summary>
    public const int MaxWhole = 500;

    /// <summary>The most runs that are named; headquarters ends a link that names more.</summary>
    public const int MaxRuns = 50;
}

/// <summary>The last run of a download task at one node.</summary>
/// <param name="RunNumber">Of the task, when the run began.</param>
/// <param name="BeganAt">Of runs that follow whatever is new and end alike one after the other, the first.</param>
/// <param name="EndedAt">Null: it is under way.</param>
/// <param name="Problem">What it lacks and why, or why it was ended; empty: nothing.</param>
[MessagePackObject]
public sealed record DownloadRun(
    [property: Key(0)] string Task,
    [property: Key(1)] ulong RunNumber,
    [property: Key(2)] DownloadOutcome Outcome,
    [property: Key(3)] DateTimeOffset BeganAt,
    [property: Key(4)] DateTimeOffset? EndedAt,
    [property: Key(5)] string Problem);

/// <summary>Numbers are on the wire and in the journal.</summary>
public enum DownloadOutcome
{
    Running = 1,

    /// <summary>All that the task is to mirror is here.</summary>
    Full = 2,

    /// <summary>Some of it is not; the rest is.</summary>
    Partial = 3,

    /// <summary>No source had the newest generation; what was here before is served.</summary>
    Failed = 4,

    /// <summary>It was stopped on its way, and goes on as soon as it may.</summary>
    Stopped = 5,

    /// <summary>An operator ended it.</summary>
    Cancelled = 6,
}

/// <summary>
/// What went through a distribution point since it began to count: totals, so that a lost one costs nothing. Not journaled; sent when it changed, at most every few seconds.
/// </summary>
/// <param name="Used">Bytes on its disk.</param>
/// <param name="Quota">The most that it may hold.</param>
/// <param name="Progress">How far it is with all that it is to mirror; null: of an older node.</param>
[MessagePackObject]
public sealed record ContentCounts(
    [property: Key(0)] DateTimeOffset Since,
    [property: Key(1)] IReadOnlyList<UpdateCount> Updates,
    [property: Key(2)] long Used,
    [property: Key(3)] long Quota,
    [property: Key(4)] MirrorProgress? Progress = null) : IUpItem
{
    /// <summary>The most versions of packages that are counted; headquarters ends a link that counts more.</summary>
    public const int MaxUpdates = 500;
}

/// <param name="Here">Bytes of what is to be mirrored that are here.</param>
/// <param name="Total">Bytes of all that is to be mirrored.</param>
/// <param name="BytesPerSecond">That come now, from sources and peers.</param>
[MessagePackObject]
public sealed record MirrorProgress([property: Key(0)] long Here, [property: Key(1)] long Total, [property: Key(2)] long BytesPerSecond);

/// <summary>The bytes of one version of a package; of metadata and of content that no known package names where <paramref name="Package"/> is empty.</summary>
/// <param name="Total">Bytes of all its files.</param>
/// <param name="Here">Bytes of them that are here and verified.</param>
/// <param name="FromSources">Bytes that came over the office's uplink, by source.</param>
/// <param name="FromPeers">Bytes that came from the office's other distribution points.</param>
/// <param name="ToDevices">Bytes that went to devices.</param>
/// <param name="FromCache">Of these, bytes that were here when they were asked for.</param>
/// <param name="Healed">Bytes that were brought again because the disk had lost or changed them.</param>
/// <param name="DeltaSaved">Bytes that did not have to come because a delta did.</param>
[MessagePackObject]
public sealed record UpdateCount(
    [property: Key(0)] string Package,
    [property: Key(1)] string PackageVersion,
    [property: Key(2)] long Total,
    [property: Key(3)] long Here,
    [property: Key(4)] IReadOnlyDictionary<string, long> FromSources,
    [property: Key(5)] long FromPeers,
    [property: Key(6)] long ToDevices,
    [property: Key(7)] long FromCache,
    [property: Key(8)] long Healed,
    [property: Key(9)] long DeltaSaved);

/// <summary>One entry of the node's own history, numbered without gaps, kept by the outbox until journaled.</summary>
[MessagePackObject]
public sealed record NodeEvent(
    [property: Key(0)] ulong Number,
    [property: Key(1)] DateTimeOffset At,
    [property: Key(2)] string Kind,
    [property: Key(3)] string Text) : IUpItem;

/// <summary>An enrolment carried for a newcomer: a serialized EnrolRequest. Not kept while headquarters is out of reach: the newcomer is told.</summary>
[MessagePackObject]
public sealed record EnrolmentUp([property: Key(0)] string RequestId, [property: Key(1)] ReadOnlyMemory<byte> Request) : IUpItem;

/// <summary>The node asks for its next certificate.</summary>
[MessagePackObject]
public sealed record NodeRenewal([property: Key(0)] ReadOnlyMemory<byte> CertificateRequest) : IUpItem;

/// <summary>The gateway met a device whose desired document it lacks or has too old.</summary>
[MessagePackObject]
public sealed record DesiredWanted(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] ulong HeldVersion,
    [property: Key(2)] OfficeId OfficeHint) : IDeviceUpItem;

/// <summary>Which devices keep a line open to the push server here, or no longer do. Not journaled; an epoch begins without lines, and names all that there are.</summary>
[MessagePackObject]
public sealed record LinesDigest([property: Key(0)] IReadOnlyList<DeviceLine> Lines) : IUpItem;

/// <param name="Since">When the line opened, or ended.</param>
/// <param name="End">Why it ended; <see cref="LineEnd.None"/> while it is open.</param>
/// <param name="ReturnWithin">Within which its device was asked to come back if the line breaks; zero: in its own time.</param>
[MessagePackObject]
public sealed record DeviceLine(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] LineEnd End,
    [property: Key(2)] DateTimeOffset Since,
    [property: Key(3)] OfficeId OfficeHint,
    [property: Key(4)] TimeSpan ReturnWithin);

/// <summary>Numbers are on the wire.</summary>
public enum LineEnd
{
    /// <summary>The line is open.</summary>
    None = 0,

    /// <summary>The connection is over, or did not answer the probes. Whether the device is gone, moved or may do without one is for headquarters to judge.</summary>
    Lost = 1,

    /// <summary>The agent said that it stops.</summary>
    Shutdown = 2,
}

/// <summary>A device synced and named a wake signal: the wake-up is done. Not journaled by the carrier.</summary>
/// <param name="Trace">A W3C traceparent, where the device named one.</param>
[MessagePackObject]
public sealed record DeviceWoken(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] ulong Counter,
    [property: Key(2)] OfficeId OfficeHint,
    [property: Key(3)] string? Trace = null) : IDeviceUpItem;

/// <summary>A <see cref="WakeDevice"/> could not even be tried here: headquarters escalates at once.</summary>
[MessagePackObject]
public sealed record WakeFailed(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] ulong Counter,
    [property: Key(2)] WakeChannel Channel,
    [property: Key(3)] string Why,
    [property: Key(4)] OfficeId OfficeHint) : IDeviceUpItem;

// ---- What comes down ----

[Union(0, typeof(DeviceEnvelopeDown))]
[Union(1, typeof(NodeDesired))]
[Union(2, typeof(NodeEventsStored))]
[Union(3, typeof(EnrolmentDown))]
[Union(4, typeof(NodeRenewed))]
[Union(5, typeof(DeviceState))]
[Union(6, typeof(DeviceRefusedDown))]
[Union(7, typeof(SyncWanted))]
[Union(8, typeof(WakeDevice))]
[Union(9, typeof(RunPoll))]
[Union(10, typeof(CancelPoll))]
[Union(11, typeof(InstallAgent))]
public interface IDownItem;

/// <summary>A sealed envelope for a device: the kind and version are in its clear header.</summary>
[MessagePackObject]
public sealed record DeviceEnvelopeDown([property: Key(0)] DeviceId DeviceId, [property: Key(1)] ReadOnlyMemory<byte> Envelope) : IDownItem;

/// <summary>What headquarters wants of the node. A field may change without the version, which counts what an administrator wanted of this node alone.</summary>
/// <param name="Polls">What to poll; null: the node is not the office's poller.</param>
/// <param name="Through">The office nodes to which it hands its link, since it can't reach headquarters; tried in order, before its own ways.</param>
/// <param name="Carries">The nodes whose links it passes on; while there are any, its link port is open.</param>
/// <param name="Updates">What it is to know of updates; null: it is no distribution point.</param>
/// <param name="Periodic">It dials about every <paramref name="SyncInterval"/>, brings all up to date and hangs up, rather than keep its link.</param>
/// <param name="Headquarters">host:port of headquarters' link ports, most preferred first; each node has an order of its own. Empty, or absent (an older headquarters): those that it enrolled with.</param>
[MessagePackObject]
public sealed record NodeDesired(
    [property: Key(0)] ulong Version,
    [property: Key(1)] IReadOnlyList<NodeRole> Roles,
    [property: Key(2)] TimeSpan SyncInterval,
    [property: Key(3)] PollPlan? Polls,
    [property: Key(4)] IReadOnlyList<NodeHop> Through,
    [property: Key(5)] IReadOnlyList<NodeId> Carries,
    [property: Key(6)] bool Periodic,
    [property: Key(7)] UpdatePlan? Updates,
    IReadOnlyList<string>? Headquarters = null) : IDownItem
{
    [Key(8)]
    public IReadOnlyList<string> Headquarters { get; init; } = Headquarters ?? [];
}

/// <summary>What a distribution point is to mirror, and from where.</summary>
/// <param name="Root">The first root of the tenant's repository: what it begins to trust with.</param>
/// <param name="Timestamp">Version of the newest timestamp: a source that shows an older one is frozen.</param>
/// <param name="Headquarters">host:port of the tenant's repository at headquarters.</param>
/// <param name="Peers">The office's other distribution points: between them, each file crosses the uplink once.</param>
/// <param name="Wanted">The packages that some device of the office should have: they are mirrored ahead and stay.</param>
/// <param name="Apt">The APT repositories that it passes on.</param>
/// <param name="Tasks">The download tasks that are for it.</param>
/// <param name="Vendors">The vendors whose metadata it mirrors too; absent: an older headquarters knows none.</param>
[MessagePackObject]
public sealed record UpdatePlan(
    [property: Key(0)] ReadOnlyMemory<byte> Root,
    [property: Key(1)] ulong Timestamp,
    [property: Key(2)] IReadOnlyList<string> Headquarters,
    [property: Key(3)] IReadOnlyList<NodeHop> Peers,
    [property: Key(4)] IReadOnlyList<WantedUpdate> Wanted,
    [property: Key(5)] IReadOnlyList<AptRepository> Apt,
    [property: Key(6)] IReadOnlyList<DownloadTask> Tasks,
    IReadOnlyList<VendorRoot>? Vendors = null)
{
    [Key(7)]
    public IReadOnlyList<VendorRoot> Vendors { get; init; } = Vendors ?? [];
}

/// <param name="Root">The first root of the vendor's repository, as signed.</param>
[MessagePackObject]
public sealed record VendorRoot([property: Key(0)] string Name, [property: Key(1)] ReadOnlyMemory<byte> Root);

/// <param name="Manifest">SHA-256 of its manifest, in lower-case hexadecimal.</param>
/// <param name="Length">Bytes of all its files.</param>
[MessagePackObject]
public sealed record WantedUpdate([property: Key(0)] string Package, [property: Key(1)] string PackageVersion, [property: Key(2)] string Manifest, [property: Key(3)] long Length);

/// <summary>An office node whose link port others dial.</summary>
/// <param name="Addresses">host:port, most preferred first.</param>
[MessagePackObject]
public sealed record NodeHop([property: Key(0)] NodeId NodeId, [property: Key(1)] IReadOnlyList<string> Addresses);

/// <summary>The node's events up to this number are journaled; the outbox may forget them.</summary>
[MessagePackObject]
public sealed record NodeEventsStored([property: Key(0)] ulong Number) : IDownItem;

/// <summary>The answer to <see cref="EnrolmentUp"/>: a serialized EnrolReply.</summary>
[MessagePackObject]
public sealed record EnrolmentDown([property: Key(0)] string RequestId, [property: Key(1)] ReadOnlyMemory<byte> Reply) : IDownItem;

/// <summary>The node's next certificate, DER, leaf first.</summary>
[MessagePackObject]
public sealed record NodeRenewed([property: Key(0)] IReadOnlyList<ReadOnlyMemory<byte>> CertificateChain) : IDownItem;

/// <summary>What headquarters has of a device, for the gateway's "nothing new": sent for every device of the office at an announce and at each change.</summary>
[MessagePackObject]
public sealed record DeviceState(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] ulong DesiredVersion,
    [property: Key(2)] ulong ReportedVersion,
    [property: Key(3)] TimeSpan SyncInterval) : IDownItem;

/// <summary>The device is refused here from now on (removed, moved, clone).</summary>
[MessagePackObject]
public sealed record DeviceRefusedDown(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] RefusalCode Code,
    [property: Key(2)] string Detail) : IDownItem;

/// <summary>An operator asked the device to sync: the gateway names a short interval at the device's next sync and wakes it where it can.</summary>
[MessagePackObject]
public sealed record SyncWanted([property: Key(0)] DeviceId DeviceId) : IDownItem;

/// <summary>Hand this wake signal to the device, over a channel of the node's.</summary>
/// <param name="Signal">A WakeSignal, which only the device can judge.</param>
/// <param name="Addresses">IP addresses of the device, for datagrams; for <see cref="WakeChannel.WakeOnLan"/> its MAC addresses.</param>
/// <param name="Trace">A W3C traceparent, where the wake-up is traced.</param>
[MessagePackObject]
public sealed record WakeDevice(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] ReadOnlyMemory<byte> Signal,
    [property: Key(2)] WakeChannel Channel,
    [property: Key(3)] IReadOnlyList<string> Addresses,
    [property: Key(4)] OfficeId OfficeId,
    [property: Key(5)] string? Trace = null) : IDownItem;

/// <summary>The ways to wake a device, best first: headquarters climbs down until the device has synced. Numbers are on the wire and in the journal.</summary>
public enum WakeChannel
{
    /// <summary>The line that the device keeps open to a push server of its office.</summary>
    OfficePush = 1,

    /// <summary>The line that the device keeps open to headquarters.</summary>
    HeadquartersPush = 2,

    /// <summary>A datagram from headquarters, where its network is reachable from there.</summary>
    HeadquartersDatagram = 3,

    /// <summary>A datagram from an office node on the device's LAN.</summary>
    OfficeDatagram = 4,

    /// <summary>A magic packet from an office node on the device's LAN, for a device that is off: it syncs when it has started.</summary>
    WakeOnLan = 5,

    /// <summary>No channel worked, and the device came by itself.</summary>
    PeriodicSync = 6,
}

/// <summary>The roles a node may hold. Numbers are on the wire.</summary>
public enum NodeRole
{
    /// <summary>Mirrors updates and serves them on the LAN.</summary>
    DistributionPoint = 1,

    /// <summary>Accepts agents of the office and relays their synchronization.</summary>
    Gateway = 2,

    /// <summary>Keeps a connection open to each agent that asks for it.</summary>
    PushServer = 3,

    /// <summary>Discovers what is on the office's network.</summary>
    Poller = 4,
}

/// <summary>The names of roles as people write them: <c>distribution-point</c>, <c>gateway</c>, <c>push-server</c>, <c>poller</c>.</summary>
public static class NodeRoles
{
    public static string Name(NodeRole role) => role switch
    {
        NodeRole.DistributionPoint => "distribution-point",
        NodeRole.Gateway => "gateway",
        NodeRole.PushServer => "push-server",
        NodeRole.Poller => "poller",
        // Of a newer headquarters.
        _ => ((int)role).ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    public static NodeRole? Parse(string name) => Enum.GetValues<NodeRole>().Select(r => (NodeRole?)r).FirstOrDefault(r => Name(r!.Value) == name);
}
