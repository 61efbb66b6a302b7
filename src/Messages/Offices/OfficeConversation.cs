using Fleet.Contracts;
using Fleet.Messages.Link;
using MessagePack;

namespace Fleet.Messages.Offices;

// What headquarters' parts say to an office twin (shard region "offices"; the entity id is the office id), and what it journals.

/// <summary>Routed to the twin of the office.</summary>
public interface IForOffice
{
    OfficeId OfficeId { get; }
}

// ---- Commands: may be refused. Answered with OfficeAccepted or OfficeRefused (or the answer named) once the journal has the events. ----

public interface IOfficeCommand : IForOffice;

/// <summary>Opens the office; the company actor, which owns the list of offices, alone sends it.</summary>
[MessagePackObject]
public sealed record OpenOffice([property: Key(0)] OfficeId OfficeId, [property: Key(1)] string Title, [property: Key(2)] string By) : IOfficeCommand;

/// <summary>Closes the office; refused while nodes or devices are in it, unless forced.</summary>
[MessagePackObject]
public sealed record CloseOffice([property: Key(0)] OfficeId OfficeId, [property: Key(1)] bool Force, [property: Key(2)] string By) : IOfficeCommand;

/// <summary>Makes a join token. Answer: <see cref="TokenMade"/>.</summary>
[MessagePackObject]
public sealed record CreateToken(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] JoinKind Kind,
    [property: Key(2)] int Uses,
    [property: Key(3)] TimeSpan TimeToLive,
    [property: Key(4)] string By) : IOfficeCommand;

[MessagePackObject]
public sealed record RevokeToken([property: Key(0)] OfficeId OfficeId, [property: Key(1)] TokenId TokenId, [property: Key(2)] string By) : IOfficeCommand;

/// <summary>A serialized EnrolRequest, from whichever carrier. Answer: <see cref="EnrolmentAnswer"/>.</summary>
/// <param name="CarrierOffice">The office whose gateway carried it; null when it came straight to headquarters.</param>
[MessagePackObject]
public sealed record Enrol(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] string RequestId,
    [property: Key(2)] ReadOnlyMemory<byte> Request,
    [property: Key(3)] OfficeId? CarrierOffice) : IOfficeCommand;

/// <summary>Sets the roles of a node to exactly these.</summary>
[MessagePackObject]
public sealed record AssignRoles(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] IReadOnlyList<NodeRole> Add,
    [property: Key(3)] IReadOnlyList<NodeRole> Remove,
    [property: Key(4)] string By) : IOfficeCommand;

/// <summary>How the node and headquarters come together: null twice means that the node dials headquarters.</summary>
/// <param name="Through">The node of the same office to which it hands its link.</param>
/// <param name="DmzAddress">host:port at which headquarters dials the node.</param>
[MessagePackObject]
public sealed record SetNodeWay(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] NodeId? Through,
    [property: Key(3)] string? DmzAddress,
    [property: Key(4)] string By) : IOfficeCommand;

[MessagePackObject]
public sealed record RemoveNode([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] string By) : IOfficeCommand;

/// <summary>Sets and removes labels of a device.</summary>
[MessagePackObject]
public sealed record LabelDevice(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] IReadOnlyDictionary<string, string> Set,
    [property: Key(3)] IReadOnlyList<string> Remove,
    [property: Key(4)] string By) : IOfficeCommand;

/// <summary>Moves a device to another office: this twin journals the departure with the device's whole state, then hands it over until the other has it.</summary>
[MessagePackObject]
public sealed record MoveDevice(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] OfficeId To,
    [property: Key(3)] string By) : IOfficeCommand;

/// <summary>Old home → new home: take this device. Answer: <see cref="DeviceTakenIn"/>; a repeat is answered alike.</summary>
[MessagePackObject]
public sealed record TakeInDevice([property: Key(0)] OfficeId OfficeId, [property: Key(1)] OfficeId From, [property: Key(2)] DeviceSnapshot Device) : IOfficeCommand;

[MessagePackObject]
public sealed record DeviceTakenIn([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId);

[MessagePackObject]
public sealed record RemoveDevice([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId, [property: Key(2)] string By) : IOfficeCommand;

/// <summary>An operator asks the device to sync.</summary>
[MessagePackObject]
public sealed record RequestSync([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId, [property: Key(2)] string By) : IOfficeCommand;

/// <summary>
/// An operator wants the device to sync now: headquarters climbs down the wake-up ladder until it has. Journaled, so that no restart forgets it.
/// Answer: <see cref="WakeAccepted"/>; while a wake-up is under way, the same one again.
/// </summary>
/// <param name="Trace">A W3C traceparent, where this is traced.</param>
[MessagePackObject]
public sealed record RequestWake([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId, [property: Key(2)] string By, [property: Key(3)] string? Trace = null) : IOfficeCommand;

/// <summary>The same for all devices of the office: journaled by one write, sent down together. Answer: <see cref="OfficeWakeAccepted"/>.</summary>
[MessagePackObject]
public sealed record WakeOffice([property: Key(0)] OfficeId OfficeId, [property: Key(1)] string By) : IOfficeCommand;

/// <summary>Whether the device keeps a line open, over what policies say.</summary>
/// <param name="Always">Null: policies decide.</param>
[MessagePackObject]
public sealed record SetConnection(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] bool? Always,
    [property: Key(3)] string By) : IOfficeCommand;

/// <summary>Whether the node keeps its link, over what policies say.</summary>
/// <param name="Always">Null: policies decide; where none does it keeps it.</param>
[MessagePackObject]
public sealed record SetNodeLink(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] bool? Always,
    [property: Key(3)] string By) : IOfficeCommand;

/// <summary>The company's policy book as it is now; sent at each change and at the twin's asking. Answer: <see cref="PolicyBookAdopted"/>.</summary>
[MessagePackObject]
public sealed record AdoptPolicyBook([property: Key(0)] OfficeId OfficeId, [property: Key(1)] Company.PolicyBook Book) : IOfficeCommand;

[MessagePackObject]
public sealed record PolicyBookAdopted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] ulong Version);

// ---- Replies ----

public interface IOfficeReply;

[MessagePackObject]
public sealed record OfficeAccepted([property: Key(0)] OfficeId OfficeId) : IOfficeReply;

[MessagePackObject]
public sealed record OfficeRefused([property: Key(0)] OfficeId OfficeId, [property: Key(1)] RefusalCode Code, [property: Key(2)] string Detail) : IOfficeReply;

/// <param name="Counter">Names the wake-up.</param>
[MessagePackObject]
public sealed record WakeAccepted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId, [property: Key(2)] ulong Counter) : IOfficeReply;

/// <param name="Wakes">One a device, new or already under way.</param>
[MessagePackObject]
public sealed record OfficeWakeAccepted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<DeviceWakeBegun> Wakes) : IOfficeReply;

/// <param name="Counter">Names the wake-up.</param>
[MessagePackObject]
public sealed record DeviceWakeBegun([property: Key(0)] DeviceId DeviceId, [property: Key(1)] ulong Counter);

/// <summary>The token's whole text; told once, kept nowhere.</summary>
[MessagePackObject]
public sealed record TokenMade(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] TokenId TokenId,
    [property: Key(2)] string Text,
    [property: Key(3)] DateTimeOffset ExpiresAt) : IOfficeReply;

/// <summary>A serialized EnrolReply.</summary>
[MessagePackObject]
public sealed record EnrolmentAnswer([property: Key(0)] string RequestId, [property: Key(1)] ReadOnlyMemory<byte> Reply) : IOfficeReply;

// ---- Links: between a LinkSession (cluster side of one office link) and the twin ----

/// <summary>A node's link is up under this epoch; the sender is the session to talk to. Answer: <see cref="NodeWelcomed"/> or <see cref="OfficeRefused"/>.</summary>
/// <param name="Incarnation">The node's process (<see cref="Link.Hello"/>); null: headquarters' node is of an older version and does not say.</param>
[MessagePackObject]
public sealed record LinkNode(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] string Epoch,
    [property: Key(3)] string CertificateSerial,
    [property: Key(4)] DateTimeOffset At,
    [property: Key(5)] string? Incarnation = null) : IForOffice;

[MessagePackObject]
public sealed record NodeWelcomed([property: Key(0)] NodeId NodeId, [property: Key(1)] string Epoch, [property: Key(2)] ulong NodeEventsStored);

/// <summary>The link is gone.</summary>
[MessagePackObject]
public sealed record UnlinkNode([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] string Epoch, [property: Key(3)] string Reason) : IForOffice;

/// <summary>Headquarters dials the node, and it does not come to a link; shown until it does.</summary>
[MessagePackObject]
public sealed record NodeNotDialled([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] string Problem) : IForOffice;

/// <summary>What the node announced; the twin answers with <see cref="SendDown"/>: the node's desired state, device states, and documents the node lacks.</summary>
[MessagePackObject]
public sealed record TakeAnnounce([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] Announce Announce) : IForOffice;

/// <summary>A frame of a node. The twin journals what must be journaled, then answers <see cref="FrameTaken"/>.</summary>
[MessagePackObject]
public sealed record TakeFrame([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] UpFrame Frame) : IForOffice;

[MessagePackObject]
public sealed record FrameTaken([property: Key(0)] string Epoch, [property: Key(1)] ulong Number);

/// <summary>Twin → session: pass these on to the node.</summary>
[MessagePackObject]
public sealed record SendDown([property: Key(0)] string Epoch, [property: Key(1)] IReadOnlyList<IDownItem> Items);

/// <summary>Items of a device whose home is another office, passed on by the twin that got them. Answers go straight to <see cref="NodeId"/>'s session as <see cref="SendDown"/>.</summary>
[MessagePackObject]
public sealed record TakeForwarded([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<IUpItem> Items, [property: Key(2)] string Epoch) : IForOffice;

/// <summary>A device speaks to headquarters directly. Answer: <see cref="DirectAnswer"/>.</summary>
[MessagePackObject]
public sealed record TakeDirect([property: Key(0)] OfficeId OfficeId, [property: Key(1)] IReadOnlyList<IUpItem> Items) : IForOffice;

[MessagePackObject]
public sealed record DirectAnswer([property: Key(0)] IReadOnlyList<IDownItem> Items);

// ---- Events: journaled, so extended and never edited ----

public interface IOfficeEvent : IForOffice
{
    DateTimeOffset At { get; }
}

[MessagePackObject]
public sealed record OfficeOpened([property: Key(0)] OfficeId OfficeId, [property: Key(1)] string Title, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record OfficeClosed([property: Key(0)] OfficeId OfficeId, [property: Key(1)] string By, [property: Key(2)] DateTimeOffset At) : IOfficeEvent;

/// <param name="Secret">What checks proofs; as secret as the token. Blanked from snapshots once the token is over.</param>
[MessagePackObject]
public sealed record TokenCreated(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] TokenId TokenId,
    [property: Key(2)] JoinKind Kind,
    [property: Key(3)] int Uses,
    [property: Key(4)] DateTimeOffset ExpiresAt,
    [property: Key(5)] ReadOnlyMemory<byte> Secret,
    [property: Key(6)] string By,
    [property: Key(7)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record TokenUsed(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] TokenId TokenId,
    [property: Key(2)] string Subject,
    [property: Key(3)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record TokenWasRevoked([property: Key(0)] OfficeId OfficeId, [property: Key(1)] TokenId TokenId, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record EnrolmentRefused(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] string Name,
    [property: Key(2)] RefusalCode Code,
    [property: Key(3)] string Detail,
    [property: Key(4)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record NodeEnrolled(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] DeviceId DeviceId,
    [property: Key(3)] CertificateRecord Certificate,
    [property: Key(4)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record NodeCertified([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] CertificateRecord Certificate, [property: Key(3)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record NodeRolesAssigned(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] ulong Version,
    [property: Key(3)] IReadOnlyList<NodeRole> Roles,
    [property: Key(4)] string By,
    [property: Key(5)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record NodeWaySet(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] ulong Version,
    [property: Key(3)] NodeId? Through,
    [property: Key(4)] string? DmzAddress,
    [property: Key(5)] string By,
    [property: Key(6)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record NodeReported([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] NodeReport Report, [property: Key(3)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record NodeEventRecorded([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] NodeEvent Event, [property: Key(3)] DateTimeOffset At) : IOfficeEvent;

/// <summary>The node's link came up or went down.</summary>
[MessagePackObject]
public sealed record NodeLinkChanged(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] bool Up,
    [property: Key(3)] string Reason,
    [property: Key(4)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record NodeLinkSet(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] bool? Always,
    [property: Key(3)] string By,
    [property: Key(4)] DateTimeOffset At) : IOfficeEvent;

/// <summary>Whether the node keeps its link or dials periodically.</summary>
/// <param name="Version">Of its desired document.</param>
/// <param name="Interval">How often it dials where it is periodic.</param>
/// <param name="Why">Why it is refused a place in the company's budget; empty: it is not.</param>
[MessagePackObject]
public sealed record NodeLinkDecided(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] NodeId NodeId,
    [property: Key(2)] ulong Version,
    [property: Key(3)] bool Periodic,
    [property: Key(4)] TimeSpan Interval,
    [property: Key(5)] string Why,
    [property: Key(6)] DateTimeOffset At) : IOfficeEvent;

[MessagePackObject]
public sealed record NodeRemoved([property: Key(0)] OfficeId OfficeId, [property: Key(1)] NodeId NodeId, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : IOfficeEvent;

/// <summary>Every event about one device.</summary>
public interface IDeviceEvent : IOfficeEvent
{
    DeviceId DeviceId { get; }
}

[MessagePackObject]
public sealed record DeviceEnrolled(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] string Name,
    [property: Key(3)] ReadOnlyMemory<byte> Machine,
    [property: Key(4)] CertificateRecord Certificate,
    [property: Key(5)] TokenId TokenId,
    [property: Key(6)] DateTimeOffset At) : IDeviceEvent;

/// <summary>The device's next certificate was issued; the generation before stays valid until a report arrives under the new one.</summary>
[MessagePackObject]
public sealed record DeviceCertified([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId, [property: Key(2)] CertificateRecord Certificate, [property: Key(3)] DateTimeOffset At) : IDeviceEvent;

/// <param name="Report">A serialized DeviceReport without its events and renewal request.</param>
[MessagePackObject]
public sealed record DeviceReported(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] ulong Version,
    [property: Key(3)] ulong Counter,
    [property: Key(4)] uint KeyGeneration,
    [property: Key(5)] ReadOnlyMemory<byte> ContentHash,
    [property: Key(6)] ReadOnlyMemory<byte> Report,
    [property: Key(7)] DateTimeOffset At) : IDeviceEvent;

[MessagePackObject]
public sealed record DeviceEventRecorded(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] ulong Number,
    [property: Key(3)] string Kind,
    [property: Key(4)] string Text,
    [property: Key(5)] DateTimeOffset DeviceTime,
    [property: Key(6)] DateTimeOffset At) : IDeviceEvent;

[MessagePackObject]
public sealed record DeviceLabelled(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] IReadOnlyDictionary<string, string> Labels,
    [property: Key(3)] string By,
    [property: Key(4)] DateTimeOffset At) : IDeviceEvent;

/// <summary>The device's effective desired document changed.</summary>
/// <param name="ContentHash">SHA-256 over the document's settings, policies, labels and gateways; the document itself is made anew from the office's state.</param>
[MessagePackObject]
public sealed record DeviceDesiredChanged(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] ulong Version,
    [property: Key(3)] ReadOnlyMemory<byte> ContentHash,
    [property: Key(4)] DateTimeOffset At) : IDeviceEvent;

/// <summary>Every device's effective desired document was compared with what it should be.</summary>
/// <param name="Basis">What documents were made from besides the office's own state, as a hash: headquarters' settings and its program.</param>
[MessagePackObject]
public sealed record OfficeDocumentsChecked(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] ReadOnlyMemory<byte> Basis,
    [property: Key(2)] DateTimeOffset At) : IOfficeEvent;

/// <param name="Counter">In the wake signals; rises.</param>
[MessagePackObject]
public sealed record DeviceWakeRequested(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] ulong Counter,
    [property: Key(3)] string By,
    [property: Key(4)] DateTimeOffset At) : IDeviceEvent;

/// <summary>The outcome of a wake-up.</summary>
/// <param name="Channel">The last one tried when the device synced; null: it did not.</param>
/// <param name="Took">From the request accepted to the sync.</param>
/// <param name="Detail">What failed on the way, one a line.</param>
[MessagePackObject]
public sealed record DeviceWakeEnded(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] ulong Counter,
    [property: Key(3)] Link.WakeChannel? Channel,
    [property: Key(4)] TimeSpan Took,
    [property: Key(5)] string Detail,
    [property: Key(6)] DateTimeOffset At) : IDeviceEvent;

[MessagePackObject]
public sealed record DeviceConnectionSet(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] bool? Always,
    [property: Key(3)] string By,
    [property: Key(4)] DateTimeOffset At) : IDeviceEvent;

/// <summary>Whether a device that should keep a line has a place for it in the company's budget.</summary>
/// <param name="Why">Why it has none; empty: it has, or needs none.</param>
[MessagePackObject]
public sealed record DeviceConnectionDecided(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] bool HasPlace,
    [property: Key(3)] string Why,
    [property: Key(4)] DateTimeOffset At) : IDeviceEvent;

/// <summary>A second machine with the same identity was seen and refused. Repeats within the hour collapse.</summary>
[MessagePackObject]
public sealed record DeviceCloneSeen(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] ReadOnlyMemory<byte> Machine,
    [property: Key(3)] string Evidence,
    [property: Key(4)] DateTimeOffset At) : IDeviceEvent;

[MessagePackObject]
public sealed record DeviceMovedOut(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] OfficeId To,
    [property: Key(3)] DeviceSnapshot Device,
    [property: Key(4)] string By,
    [property: Key(5)] DateTimeOffset At) : IDeviceEvent;

/// <summary>The new home has the device; the old one keeps only where it went.</summary>
[MessagePackObject]
public sealed record DeviceMoveDone([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId, [property: Key(2)] DateTimeOffset At) : IDeviceEvent;

[MessagePackObject]
public sealed record DeviceMovedIn(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] OfficeId From,
    [property: Key(3)] DeviceSnapshot Device,
    [property: Key(4)] DateTimeOffset At) : IDeviceEvent;

[MessagePackObject]
public sealed record DeviceRemoved([property: Key(0)] OfficeId OfficeId, [property: Key(1)] DeviceId DeviceId, [property: Key(2)] string By, [property: Key(3)] DateTimeOffset At) : IDeviceEvent;

[MessagePackObject]
public sealed record OfficePoliciesAdopted([property: Key(0)] OfficeId OfficeId, [property: Key(1)] Company.PolicyBook Book, [property: Key(2)] DateTimeOffset At) : IOfficeEvent;

// ---- Parts of events and snapshots ----

public enum JoinKind
{
    Node = 1,
    Agent = 2,
}

/// <summary>One issued certificate, and the key in it.</summary>
/// <param name="Serial">Hexadecimal.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo, DER.</param>
/// <param name="Generation">1 at enrolment, one more at each renewal.</param>
[MessagePackObject]
public sealed record CertificateRecord(
    [property: Key(0)] string Serial,
    [property: Key(1)] ReadOnlyMemory<byte> PublicKey,
    [property: Key(2)] uint Generation,
    [property: Key(3)] DateTimeOffset NotAfter);

/// <summary>All that is known of one device, in snapshots and moves.</summary>
[MessagePackObject]
public sealed record DeviceSnapshot(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] string Name,
    [property: Key(2)] IReadOnlyDictionary<string, string> Labels,
    [property: Key(3)] ReadOnlyMemory<byte> Machine,
    [property: Key(4)] IReadOnlyList<CertificateRecord> Certificates,
    [property: Key(5)] ulong DesiredVersion,
    [property: Key(6)] ReadOnlyMemory<byte> DesiredHash,
    [property: Key(7)] DateTimeOffset DesiredAt,
    [property: Key(8)] ulong ReportedVersion,
    [property: Key(9)] ReadOnlyMemory<byte> ReportedHash,
    [property: Key(10)] ulong Counter,
    [property: Key(11)] ReadOnlyMemory<byte> Report,
    [property: Key(12)] DateTimeOffset ReportedAt,
    [property: Key(13)] ulong EventNumber,
    [property: Key(14)] DateTimeOffset EnrolledAt,
    [property: Key(15)] DateTimeOffset? CloneSeenAt,
    [property: Key(16)] string CloneEvidence,
    [property: Key(17)] WakeSnapshot? Wake,
    [property: Key(18)] bool? AlwaysConnected,
    [property: Key(19)] PlacementSnapshot? Placement,
    [property: Key(20)] bool HasPlace,
    [property: Key(21)] string? PlaceWhy)
{
    /// <summary>Why it keeps no line although it should; empty: no reason. Absent in what older versions wrote.</summary>
    [IgnoreMember]
    public string ConnectionWhy => PlaceWhy ?? "";
}

/// <summary>A wake-up: the newest of its device.</summary>
/// <param name="EndedAt">The device has synced, or the wait for it is over; null: neither.</param>
[MessagePackObject]
public sealed record WakeSnapshot(
    [property: Key(0)] ulong Counter,
    [property: Key(1)] string By,
    [property: Key(2)] DateTimeOffset At,
    [property: Key(3)] DateTimeOffset? EndedAt = null,
    [property: Key(4)] WakeChannel? Channel = null,
    [property: Key(5)] TimeSpan Took = default,
    [property: Key(6)] string Detail = "")
{
    [IgnoreMember]
    public bool IsOver => EndedAt is not null;
}

// ---- Queries and answers ----

/// <summary>Answer: <see cref="DevicePresence"/> list. Presence is the twin's own, never journaled.</summary>
[MessagePackObject]
public sealed record GetPresence([property: Key(0)] OfficeId OfficeId) : IForOffice;

[MessagePackObject]
public sealed record OfficePresence(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] IReadOnlyList<NodePresence> Nodes,
    [property: Key(2)] IReadOnlyList<DevicePresence> Devices);

[MessagePackObject]
public sealed record NodePresence(
    [property: Key(0)] NodeId NodeId,
    [property: Key(1)] bool Linked,
    [property: Key(2)] DateTimeOffset Since,
    [property: Key(3)] string Reason);

/// <param name="LastSync">Null: never since presence is kept.</param>
/// <param name="Through">The node it last synced through, or null when directly.</param>
/// <param name="Since">Since when it is in this state.</param>
/// <param name="Why">In words, for people.</param>
[MessagePackObject]
public sealed record DevicePresence(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] DateTimeOffset? LastSync,
    [property: Key(2)] NodeId? Through,
    [property: Key(3)] PresenceState State,
    [property: Key(4)] DateTimeOffset Since,
    [property: Key(5)] string Why);

public enum PresenceState
{
    /// <summary>Nobody can know now: its way to headquarters is down, or it fell silent a moment ago, or it was never seen.</summary>
    Unknown = 1,

    Online = 2,

    Offline = 3,
}

/// <summary>Twin → event stream of its node: presence that changed since the last one, for the read model. Not journaled.</summary>
[MessagePackObject]
public sealed record PresenceChanged(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] IReadOnlyList<NodePresence> Nodes,
    [property: Key(2)] IReadOnlyList<DevicePresence> Devices);
