using Fleet.Contracts;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using MessagePack;

namespace Fleet.Messages.Offices;

// The snapshot of an office twin. Journaled, so extended and never edited; its parts are also the twin's state.

[MessagePackObject]
public sealed record OfficeSnapshot(
    [property: Key(0)] OfficeId OfficeId,
    [property: Key(1)] string Title,
    [property: Key(2)] bool IsOpen,
    [property: Key(3)] IReadOnlyList<TokenSnapshot> Tokens,
    [property: Key(4)] IReadOnlyList<NodeSnapshot> Nodes,
    [property: Key(5)] IReadOnlyList<DeviceSnapshot> Devices,
    [property: Key(6)] IReadOnlyList<DeviceForward> Forwards,
    [property: Key(7)] PolicyBook Book,
    [property: Key(8)] DateTimeOffset OpenedAt,
    [property: Key(9)] NetworkSnapshot? Network,
    [property: Key(10)] RuleBook? Rules,
    [property: Key(11)] IReadOnlyList<InstallSnapshot>? Installs,
    [property: Key(12)] UpdateBook? Updates,
    [property: Key(13)] ReadOnlyMemory<byte> DocumentsBasis);

/// <param name="Secret">Blank once the token is over.</param>
[MessagePackObject]
public sealed record TokenSnapshot(
    [property: Key(0)] TokenId TokenId,
    [property: Key(1)] JoinKind Kind,
    [property: Key(2)] int Uses,
    [property: Key(3)] int Used,
    [property: Key(4)] DateTimeOffset ExpiresAt,
    [property: Key(5)] ReadOnlyMemory<byte> Secret,
    [property: Key(6)] bool Revoked,
    [property: Key(7)] string By,
    [property: Key(8)] DateTimeOffset At,
    [property: Key(9)] DateTimeOffset? RevokedAt);

[MessagePackObject]
public sealed record NodeSnapshot(
    [property: Key(0)] NodeId NodeId,
    [property: Key(1)] DeviceId DeviceId,
    [property: Key(2)] IReadOnlyList<CertificateRecord> Certificates,
    [property: Key(3)] ulong DesiredVersion,
    [property: Key(4)] IReadOnlyList<NodeRole> Roles,
    [property: Key(5)] NodeReport? Report,
    [property: Key(6)] ulong EventNumber,
    [property: Key(7)] bool Linked,
    [property: Key(8)] DateTimeOffset LinkSince,
    [property: Key(9)] string LinkReason,
    [property: Key(10)] DateTimeOffset EnrolledAt,
    [property: Key(11)] DateTimeOffset ReportedAt,
    [property: Key(12)] DateTimeOffset DesiredAt,
    [property: Key(13)] NodeId? Through,
    [property: Key(14)] string? DmzAddress,
    [property: Key(15)] bool? AlwaysLinked,
    [property: Key(16)] bool Periodic,
    [property: Key(17)] TimeSpan DialInterval,
    [property: Key(18)] string? PeriodicWhy)
{
    /// <summary>Why it is periodic although it should keep its link; empty: no reason. Absent in what older versions wrote.</summary>
    [IgnoreMember]
    public string LinkWhy => PeriodicWhy ?? "";
}

/// <summary>Where a device went.</summary>
/// <param name="DesiredVersion">What it had when it left: tells a late repeat of an earlier hand-over from a true return.</param>
/// <param name="Leaving">Its state while the new home has not said that it has the device.</param>
/// <param name="At">When it went; null: an earlier version noted it.</param>
[MessagePackObject]
public sealed record DeviceForward(
    [property: Key(0)] DeviceId DeviceId,
    [property: Key(1)] OfficeId To,
    [property: Key(2)] ulong DesiredVersion,
    [property: Key(3)] DeviceSnapshot? Leaving,
    [property: Key(4)] DateTimeOffset? At = null);
