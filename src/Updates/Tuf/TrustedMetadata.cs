using System.Text.Json;

namespace Fleet.Updates.Tuf;

/// <summary>
/// What a client trusts, and the only way to trust more: one method a role, in the order of the specification (5.3 to 5.6), each of which verifies
/// the bytes received and returns the next state, or throws <see cref="TufException"/>. No clock, no disk, no network.
/// </summary>
public sealed record TrustedMetadata
{
    private TrustedMetadata(Root root, DateTimeOffset start) => (Root, Start) = (root, start);

    /// <summary>The time at which the refresh began; everything is judged by this one moment.</summary>
    public DateTimeOffset Start { get; }

    public Root Root { get; private init; }

    /// <summary>The newest known; perhaps expired while only the stored one is known.</summary>
    public Timestamp? Timestamp { get; private init; }

    /// <summary>The newest known; perhaps expired or outdated while only the stored one is known.</summary>
    public Snapshot? Snapshot { get; private init; }

    public Targets? Targets { get; private init; }

    /// <summary>Whether the snapshot is the one that the timestamp names, so that no other need be fetched.</summary>
    public bool SnapshotIsCurrent => Snapshot is { } snapshot && snapshot.Version == Timestamp?.Snapshot.Version && snapshot.Expires > Start;

    /// <summary>Begins with the root that the client already trusts. It may have expired: only newer ones are asked of it.</summary>
    public static TrustedMetadata From(ReadOnlySpan<byte> root, DateTimeOffset start)
    {
        var (document, parsed) = Read(root, RoleNames.Root, MetadataLimits.Root, MetadataReader.Root);
        Approve(parsed.Roles[RoleNames.Root], document, RoleNames.Root);
        return new TrustedMetadata(parsed, start);
    }

    /// <summary>
    /// The next root: exactly one version higher, signed as the present root demands and as it itself does. It may have expired, if others follow.
    /// </summary>
    public TrustedMetadata WithRoot(ReadOnlySpan<byte> bytes)
    {
        Require(Timestamp is null, "roots come before the timestamp");
        var (document, root) = Read(bytes, RoleNames.Root, MetadataLimits.Root, MetadataReader.Root);
        Approve(Root.Roles[RoleNames.Root], document, RoleNames.Root);
        Approve(root.Roles[RoleNames.Root], document, RoleNames.Root);
        // Not Root.Version + 1, which overflows.
        if (root.Version - 1 != Root.Version)
            throw new TufException(TufFault.WrongVersion, RoleNames.Root, $"version {root.Version} after {Root.Version}");
        return this with { Root = root };
    }

    /// <summary>The timestamp of an earlier refresh: only what a newer one must not fall behind, so it may have expired.</summary>
    public TrustedMetadata WithStoredTimestamp(ReadOnlySpan<byte> bytes) => this with { Timestamp = ReadTimestamp(bytes) };

    /// <summary>The timestamp from the repository. One of the same version as the stored one is passed over, whatever it says.</summary>
    public TrustedMetadata WithTimestamp(ReadOnlySpan<byte> bytes)
    {
        Require(Snapshot is null, "the timestamp comes before the snapshot");
        Fresh(Root, RoleNames.Root);
        var received = ReadTimestamp(bytes);
        if (Timestamp is { } stored)
        {
            NotOlder(received.Version, stored.Version, RoleNames.Timestamp);
            if (received.Version == stored.Version)
                received = stored;
            NotOlder(received.Snapshot.Version, stored.Snapshot.Version, RoleNames.Snapshot);
        }

        return this with { Timestamp = Fresh(received, RoleNames.Timestamp) };
    }

    /// <summary>
    /// The snapshot of an earlier refresh: what a newer one must not fall behind, and the current one if the timestamp names its version. Its hash is
    /// not compared again: a repository that publishes other bytes under the same version is not followed.
    /// </summary>
    public TrustedMetadata WithStoredSnapshot(ReadOnlySpan<byte> bytes) => this with { Snapshot = ReadSnapshot(bytes) };

    /// <summary>The snapshot from the repository: the very one that the timestamp names, with no role missing or older than before.</summary>
    public TrustedMetadata WithSnapshot(ReadOnlySpan<byte> bytes)
    {
        Require(Targets is null, "the snapshot comes before the targets");
        var named = Fresh(Timestamp, RoleNames.Timestamp).Snapshot;
        Match(named, bytes, RoleNames.Snapshot);
        var received = ReadSnapshot(bytes);
        Same(received.Version, named.Version, RoleNames.Snapshot);
        foreach (var (file, stored) in Snapshot?.Files ?? new Dictionary<string, MetaFile>())
        {
            if (!received.Files.TryGetValue(file, out var now))
                throw new TufException(TufFault.Rollback, RoleNames.Snapshot, $"{file} vanished");
            NotOlder(now.Version, stored.Version, file);
        }

        return this with { Snapshot = Fresh(received, RoleNames.Snapshot) };
    }

    /// <summary>The top-level targets, stored or received: nothing is asked of the one that is not asked of the other.</summary>
    public TrustedMetadata WithTargets(ReadOnlySpan<byte> bytes) => this with { Targets = Verify(bytes, RoleNames.Targets, Root.Roles[RoleNames.Targets]) };

    /// <summary>
    /// The metadata of a delegated role, stored or received, verified against the signers that the role which delegates here and now demands. That it
    /// was accepted on another path says nothing: another delegator may trust other keys.
    /// </summary>
    public Targets Delegated(ReadOnlySpan<byte> bytes, DelegatedRole role) => Verify(bytes, role.Name, role.Signers);

    /// <summary>The file of the role that the snapshot names.</summary>
    public MetaFile FileOf(string role)
    {
        Require(SnapshotIsCurrent, "the targets come after the snapshot");
        return Snapshot!.Files.GetValueOrDefault(Tuf.Snapshot.FileOf(role))
               ?? throw new TufException(TufFault.Missing, role, "the snapshot does not list it");
    }

    private Targets Verify(ReadOnlySpan<byte> bytes, string role, Signers signers)
    {
        var named = FileOf(role);
        Match(named, bytes, role);
        var (document, targets) = Read(bytes, role, MetadataLimits.Targets, MetadataReader.Targets);
        Approve(signers, document, role);
        Same(targets.Version, named.Version, role);
        return Fresh(targets, role);
    }

    private Timestamp ReadTimestamp(ReadOnlySpan<byte> bytes)
    {
        var (document, timestamp) = Read(bytes, RoleNames.Timestamp, MetadataLimits.Timestamp, MetadataReader.Timestamp);
        Approve(Root.Roles[RoleNames.Timestamp], document, RoleNames.Timestamp);
        return timestamp;
    }

    private Snapshot ReadSnapshot(ReadOnlySpan<byte> bytes)
    {
        var (document, snapshot) = Read(bytes, RoleNames.Snapshot, MetadataLimits.Snapshot, MetadataReader.Snapshot);
        Approve(Root.Roles[RoleNames.Snapshot], document, RoleNames.Snapshot);
        return snapshot;
    }

    private static (SignedDocument Document, T Metadata) Read<T>(ReadOnlySpan<byte> bytes, string role, int limit, Func<JsonElement, T> parse)
    {
        try
        {
            var document = SignedDocument.Parse(bytes, limit);
            return (document, parse(document.Signed));
        }
        catch (FormatException fault)
        {
            throw new TufException(TufFault.Malformed, role, fault.Message, fault);
        }
    }

    private static void Approve(Signers signers, SignedDocument document, string role)
    {
        if (!signers.Approve(document))
            throw new TufException(TufFault.Unsigned, role, $"not signed by {signers.Threshold} of its {signers.Keys.Count} keys");
    }

    private static void Match(MetaFile named, ReadOnlySpan<byte> bytes, string role)
    {
        if (!named.Match(bytes))
            throw new TufException(TufFault.Mismatch, role, "not the length or the hash that was promised");
    }

    private static void Same(long received, long named, string role)
    {
        if (received != named)
            throw new TufException(TufFault.WrongVersion, role, $"version {received} where {named} was promised");
    }

    private static void NotOlder(long received, long stored, string role)
    {
        if (received < stored)
            throw new TufException(TufFault.Rollback, role, $"version {received} after {stored}");
    }

    private T Fresh<T>(T? metadata, string role) where T : Metadata
    {
        Require(metadata is not null, $"{role} is not known yet");
        return metadata!.Expires > Start ? metadata : throw new TufException(TufFault.Expired, role, $"expired at {metadata.Expires:u}");
    }

    private static void Require(bool condition, string order)
    {
        if (!condition)
            throw new InvalidOperationException(order);
    }
}

/// <summary>The most bytes that a metadata file may have; those of the reference clients.</summary>
public static class MetadataLimits
{
    public const int Root = 512_000;
    public const int Timestamp = 16_384;
    public const int Snapshot = 2_000_000;
    public const int Targets = 5_000_000;
}
