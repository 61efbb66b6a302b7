using System.Security.Cryptography;
using System.Text;

namespace Fleet.Updates.Tuf.Client;

/// <summary>
/// A client of one repository: brings its metadata up to date, finds files in it, and downloads them. Whatever is refused throws
/// <see cref="TufException"/> and leaves what was trusted. For one caller at a time.
/// </summary>
public sealed class TufClient(IFileSource metadata, IFileSource targets, IMetadataStore store, TimeProvider clock, Pace? pace = null)
{
    /// <summary>New roots that one refresh follows; the number of the reference clients.</summary>
    public const int MaxRootRotations = 256;

    private const string RootFile = "root.json";
    private const string TimestampFile = "timestamp.json";
    private const string SnapshotFile = "snapshot.json";
    private const string DelegatedPrefix = "delegated-";

    /// <summary>Holds the version of a root that takes keys away, until timestamp and snapshot are forgotten because of it.</summary>
    private const string RecoveryFile = "recovery";

    private readonly Transfer _transfer = new(pace ?? Pace.Default, clock);
    private Place? _top;

    /// <summary>What the last refresh established; null before one, and after one that failed.</summary>
    public TrustedMetadata? Trusted { get; private set; }

    /// <summary>Lets a new device begin: the root that came with enrolment, unless the store has one (which may be newer).</summary>
    /// <exception cref="TufException">It is not even signed as it demands.</exception>
    public static void Begin(IMetadataStore store, byte[] root, DateTimeOffset now)
    {
        _ = TrustedMetadata.From(root, now);
        if (store.Read(RootFile) is null)
            store.Write(RootFile, root);
    }

    /// <summary>The client workflow of the specification (5.2 to 5.6), judged by one moment.</summary>
    /// <param name="now">A time that the caller trusts not to lie before what it saw.</param>
    /// <param name="leastTimestamp">The newest timestamp version that the caller knows of by another way; an older one is a frozen mirror.</param>
    public async Task RefreshAsync(DateTimeOffset now, long leastTimestamp = 0, CancellationToken stop = default)
    {
        (Trusted, _top) = (null, null);
        var root = store.Read(RootFile) ?? throw new TufException(TufFault.Missing, RoleNames.Root, "no root is trusted yet");
        var trusted = await RootsAsync(TrustedMetadata.From(root, now), stop).ConfigureAwait(false);
        trusted = await TimestampAsync(trusted, stop).ConfigureAwait(false);
        if (trusted.Timestamp!.Version < leastTimestamp)
            throw new TufException(TufFault.Stale, RoleNames.Timestamp, $"version {trusted.Timestamp.Version} where {leastTimestamp} is published");
        trusted = await SnapshotAsync(trusted, stop).ConfigureAwait(false);
        trusted = await StoredOrFetchedAsync(trusted, RoleNames.Targets, trusted.WithTargets, stop).ConfigureAwait(false);
        Forget(trusted.Snapshot!);
        (Trusted, _top) = (trusted, new Place(trusted.Targets!));
    }

    /// <summary>The file of that path, from the most trusted role that lists it; null where none does.</summary>
    public async Task<TargetFile?> FindAsync(string path, CancellationToken stop = default)
    {
        if (_top is null)
            throw new InvalidOperationException("find comes after a refresh");
        TargetPath.Check(path);
        var walk = new DelegationWalk<Place>(path);
        walk.Visit(_top, _top.Targets);
        while (walk.Next() is var (delegator, role))
        {
            var place = await DelegatedAsync(delegator, role, stop).ConfigureAwait(false);
            walk.Visit(place, place.Targets);
        }

        return walk.Found;
    }

    /// <summary>
    /// Brings a file to <paramref name="path"/>, unless it is there already, and returns it opened: read from this handle, for the name may since
    /// mean another file. Nothing stands at the path before its hash is right; what was there goes only then.
    /// </summary>
    /// <param name="path">In a private directory; <c>path</c> with <c>.part</c> is used on the way.</param>
    public async Task<FileStream> DownloadAsync(TargetFile target, string path, CancellationToken stop = default)
    {
        if (Trusted is null)
            throw new InvalidOperationException("download comes after a refresh");
        TargetPath.Check(target.Path);
        if (await TargetContent.OpenAsync(target, path, stop).ConfigureAwait(false) is { } present)
            return present;
        var part = path + ".part";
        // Made anew, so that a link that somebody left there is not followed.
        File.Delete(part);
        var file = new FileStream(part, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        try
        {
            await DownloadAsync(target, file, stop).ConfigureAwait(false);
            file.Flush(flushToDisk: true);
            File.Move(part, path, overwrite: true);
            file.Position = 0;
            return file;
        }
        catch
        {
            await file.DisposeAsync().ConfigureAwait(false);
            File.Delete(part);
            throw;
        }
    }

    private async Task DownloadAsync(TargetFile target, FileStream file, CancellationToken stop)
    {
        using var hashes = target.Hashes.Start();
        var url = TargetPath.UrlOf(target, Trusted!.Root.ConsistentSnapshot);
        var found = await _transfer.RunAsync(url, token => targets.OpenAsync(url, token), target.Length, piece =>
        {
            hashes.Append(piece.Span);
            return file.WriteAsync(piece, stop);
        }, stop).ConfigureAwait(false);
        if (!found)
            throw new TufException(TufFault.Missing, target.Path, "the source does not have it");
        if (file.Length != target.Length || !hashes.Match())
            throw new TufException(TufFault.Mismatch, target.Path, "not the length or the hash that was promised");
    }

    private async Task<TrustedMetadata> RootsAsync(TrustedMetadata trusted, CancellationToken stop)
    {
        Recover(trusted.Root);
        for (var rotations = 0; rotations < MaxRootRotations; rotations++)
        {
            if (trusted.Root.Version == long.MaxValue
                || await FetchAsync(RoleNames.Root, trusted.Root.Version + 1, MetadataLimits.Root, stop).ConfigureAwait(false) is not { } received)
                return trusted;
            var next = trusted.WithRoot(received);
            // The note first: a crash between these writes must not leave a root without the recovery that it asks for.
            if (trusted.Root.LosesKeyIn(next.Root, RoleNames.Timestamp) || trusted.Root.LosesKeyIn(next.Root, RoleNames.Snapshot))
                store.Write(RecoveryFile, Encoding.ASCII.GetBytes($"{next.Root.Version}"));
            store.Write(RootFile, received);
            Recover(next.Root);
            trusted = next;
        }

        throw new TufException(TufFault.TooMany, RoleNames.Root,
            $"{MaxRootRotations} new versions and no end; the next refresh goes on from {trusted.Root.Version}");
    }

    // Specification 5.3.11: whoever had the keys may have published versions that no honest one will ever reach.
    private void Recover(Root root)
    {
        if (store.Read(RecoveryFile) is not { } note || !long.TryParse(Encoding.ASCII.GetString(note), out var version) || version > root.Version)
            return;
        store.Delete(TimestampFile);
        store.Delete(SnapshotFile);
        store.Delete(RecoveryFile);
    }

    private async Task<TrustedMetadata> TimestampAsync(TrustedMetadata trusted, CancellationToken stop)
    {
        var known = Stored(TimestampFile, bytes => trusted.WithStoredTimestamp(bytes)) ?? trusted;
        var received = await FetchAsync(RoleNames.Timestamp, version: null, MetadataLimits.Timestamp, stop).ConfigureAwait(false)
                       ?? throw new TufException(TufFault.Missing, RoleNames.Timestamp, "the source does not have it");
        var next = known.WithTimestamp(received);
        if (next.Timestamp!.Version != known.Timestamp?.Version)
            store.Write(TimestampFile, received);
        return next;
    }

    private async Task<TrustedMetadata> SnapshotAsync(TrustedMetadata trusted, CancellationToken stop)
    {
        var known = Stored(SnapshotFile, bytes => trusted.WithStoredSnapshot(bytes)) ?? trusted;
        if (known.SnapshotIsCurrent)
            return known;
        var received = await FetchAsync(RoleNames.Snapshot, trusted.Timestamp!.Snapshot, MetadataLimits.Snapshot, trusted, stop).ConfigureAwait(false);
        var next = known.WithSnapshot(received);
        store.Write(SnapshotFile, received);
        return next;
    }

    private async Task<Place> DelegatedAsync(Place delegator, DelegatedRole role, CancellationToken stop)
    {
        if (!delegator.Delegated.TryGetValue(role.Name, out var place))
        {
            var verified = await StoredOrFetchedAsync(Trusted!, role.Name, bytes => Trusted!.Delegated(bytes, role), stop).ConfigureAwait(false);
            delegator.Delegated[role.Name] = place = new Place(verified);
        }

        return place;
    }

    private async Task<T> StoredOrFetchedAsync<T>(TrustedMetadata trusted, string role, Verify<T> verify, CancellationToken stop) where T : class
    {
        var named = trusted.FileOf(role);
        if (Stored(StoreNameOf(role), verify) is { } stored)
            return stored;
        var received = await FetchAsync(role, named, MetadataLimits.Targets, trusted, stop).ConfigureAwait(false);
        var verified = verify(received);
        store.Write(StoreNameOf(role), received);
        return verified;
    }

    private T? Stored<T>(string name, Verify<T> verify) where T : class
    {
        try
        {
            return store.Read(name) is { } bytes ? verify(bytes) : null;
        }
        catch (TufException)
        {
            // Outdated, of a former key, or damaged: the source has to bring it.
            return null;
        }
    }

    private async Task<byte[]> FetchAsync(string role, MetaFile named, int limit, TrustedMetadata trusted, CancellationToken stop)
    {
        var version = trusted.Root.ConsistentSnapshot ? named.Version : (long?)null;
        var cap = (int)Math.Min(named.Length ?? limit, limit);
        return await FetchAsync(role, version, cap, stop).ConfigureAwait(false)
               ?? throw new TufException(TufFault.Missing, role, $"the source does not have version {named.Version}");
    }

    private Task<byte[]?> FetchAsync(string role, long? version, int cap, CancellationToken stop) =>
        _transfer.ReadAsync(metadata, (version is null ? "" : $"{version}.") + Uri.EscapeDataString(role) + ".json", cap, stop);

    // Roles that no snapshot lists any more are never read again; without this they would stay for ever.
    private void Forget(Snapshot snapshot)
    {
        var needed = snapshot.Files.Keys.Select(f => StoreNameOf(Snapshot.RoleOf(f))).ToHashSet(StringComparer.Ordinal);
        foreach (var name in store.Names.Where(n => n.StartsWith(DelegatedPrefix, StringComparison.Ordinal) && !needed.Contains(n)))
            store.Delete(name);
    }

    // By hash: a role may be named like a device, like another but for its case, or longer than a file name can be.
    private static string StoreNameOf(string role) => role == RoleNames.Targets
        ? Snapshot.FileOf(role)
        : $"{DelegatedPrefix}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(role)))}.json";

    private delegate T Verify<out T>(ReadOnlySpan<byte> bytes);

    /// <summary>A role as reached by one path of delegations; those that it delegates to were verified against it.</summary>
    private sealed record Place(Targets Targets)
    {
        public Dictionary<string, Place> Delegated { get; } = new(StringComparer.Ordinal);
    }
}
