using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Fleet.Contracts.Storage;

namespace Fleet.Updates.Tuf.Repository;

/// <summary>How long metadata is valid from its publication; the shorter, the sooner a frozen mirror is refused.</summary>
public sealed record Lifetimes(TimeSpan Root, TimeSpan Targets, TimeSpan Snapshot, TimeSpan Timestamp)
{
    public static Lifetimes Default { get; } = new(TimeSpan.FromDays(365), TimeSpan.FromDays(90), TimeSpan.FromDays(7), TimeSpan.FromDays(1));
}

/// <summary>Keys that are at hand whenever something is published.</summary>
public sealed record OnlineKeys(IReadOnlyList<SigningKey> Snapshot, IReadOnlyList<SigningKey> Timestamp);

/// <summary>Metadata of a targets role, signed or to be signed.</summary>
public sealed record RoleDocument(string Role, byte[] Content);

/// <summary>
/// A repository in a directory, of which <c>metadata/</c> and <c>targets/</c> are served as they are, with consistent snapshots. Drafts are unsigned
/// and may be signed elsewhere (<see cref="MetadataDocument"/>). What a client would not accept is refused before a file is written, and the timestamp
/// is written last: until then every client sees the generation before. One process writes at a time.
/// </summary>
public sealed class RepositoryWriter
{
    /// <summary>Versions of a role that stay for clients in the middle of a refresh; roots all stay.</summary>
    private const int KeptVersions = 10;

    private const string TimestampFile = "timestamp.json";

    private readonly string _metadata;
    private readonly string _targets;
    private readonly string _incoming;
    private readonly Lifetimes _lifetimes;

    public RepositoryWriter(string directory, Lifetimes? lifetimes = null)
    {
        _metadata = Directory.CreateDirectory(Path.Combine(directory, "metadata")).FullName;
        _targets = Path.Combine(directory, "targets");
        // What a crash left on its way into targets.
        _incoming = Path.Combine(directory, "incoming");
        if (Directory.Exists(_incoming))
            Directory.Delete(_incoming, recursive: true);
        _lifetimes = lifetimes ?? Lifetimes.Default;
    }

    /// <summary>The newest root; null before the first is published.</summary>
    public Root? Root => RootBytes() is { } bytes ? MetadataReader.Root(Parse(bytes).Signed) : null;

    /// <summary>Version of the newest timestamp; 0 before the first is published.</summary>
    public long TimestampVersion => CurrentTimestamp()?.Version ?? 0;

    /// <summary>When the newest timestamp expires; null before the first is published.</summary>
    public DateTimeOffset? TimestampExpires => CurrentTimestamp()?.Expires;

    /// <summary>What the role says now; null where it was never published.</summary>
    public Targets? TargetsOf(string role) => CurrentSnapshot()?.Files.GetValueOrDefault(Snapshot.FileOf(role)) is { } file
        ? MetadataReader.Targets(Parse(Read(FileOf(role, file.Version))).Signed)
        : null;

    /// <summary>Whether what the role says now is signed as the newest root demands; a root that takes keys away may no longer approve of it.</summary>
    /// <param name="role">Of those that the root itself names.</param>
    public bool IsApproved(string role) => Root is { } root && CurrentSnapshot()?.Files.GetValueOrDefault(Snapshot.FileOf(role)) is { } file
        && root.Roles[role].Approve(Parse(Read(FileOf(role, file.Version))));

    /// <summary>The next root, unsigned. It needs signatures as the present root demands, and as it itself does.</summary>
    /// <param name="changed">Signers of the roles that change; all four at first.</param>
    public byte[] DraftRoot(DateTimeOffset now, IReadOnlyDictionary<string, Signers> changed)
    {
        var present = Root;
        var roles = RoleNames.TopLevel.ToDictionary(r => r, r =>
            changed.GetValueOrDefault(r) ?? present?.Roles[r] ?? throw new ArgumentException($"the first root names who signs '{r}'", nameof(changed)));
        return MetadataDocument.Unsigned(new Root((present?.Version ?? 0) + 1, now + _lifetimes.Root, ConsistentSnapshot: true, roles));
    }

    /// <summary>Writes the next root. Roles whose keys it takes away are published anew after it.</summary>
    /// <exception cref="TufException">Clients would refuse it.</exception>
    public void PublishRoot(DateTimeOffset now, ReadOnlySpan<byte> document)
    {
        var trusted = RootBytes() is { } present ? TrustedMetadata.From(present, now).WithRoot(document) : TrustedMetadata.From(document, now);
        if (trusted.Root.Expires <= now)
            throw new TufException(TufFault.Expired, RoleNames.Root, $"expired at {trusted.Root.Expires:u}");
        Write(FileOf(RoleNames.Root, trusted.Root.Version), document.ToArray());
    }

    /// <summary>Puts a file where clients will look for it. Nobody learns of it before a role that lists it is published.</summary>
    public async Task<TargetFile> AddTargetAsync(string path, Stream content, JsonElement? custom = null, CancellationToken stop = default)
    {
        TargetPath.Check(path);
        Directory.CreateDirectory(_incoming);
        var part = Path.Combine(_incoming, $"{Guid.NewGuid():n}");
        try
        {
            var (length, hashes) = await StoreAsync(content, part, stop).ConfigureAwait(false);
            var target = new TargetFile(path, length, hashes, custom);
            var place = Path.Combine(_targets, TargetPath.NameOf(target, consistentSnapshot: true));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Move(part, place, overwrite: true);
            return target;
        }
        finally
        {
            File.Delete(part);
        }
    }

    /// <summary>The next version of a targets role, unsigned.</summary>
    public RoleDocument Draft(DateTimeOffset now, string role, IEnumerable<TargetFile> files, Delegations? delegations = null)
    {
        var version = (TargetsOf(role)?.Version ?? 0) + 1;
        return new(role, MetadataDocument.Unsigned(new Targets(version, now + _lifetimes.Targets, files.ToDictionary(f => f.Path), delegations)));
    }

    /// <summary>
    /// Publishes targets roles, then a snapshot if there is anything new to say or the present one is half through its life, and always a timestamp.
    /// Without documents this is the renewal that keeps the repository fresh.
    /// </summary>
    /// <param name="documents">Signed as their delegators demand.</param>
    /// <exception cref="TufException">Clients would refuse the result; nothing was written.</exception>
    public void Publish(DateTimeOffset now, OnlineKeys keys, params IReadOnlyList<RoleDocument> documents)
    {
        var root = RootBytes() ?? throw new InvalidOperationException("the root is published first");
        var present = CurrentSnapshot();
        var files = new Dictionary<string, MetaFile>(present?.Files ?? new Dictionary<string, MetaFile>(), StringComparer.Ordinal);
        foreach (var document in documents)
            files[Snapshot.FileOf(document.Role)] = Promise(NextVersion(document, files), document.Content);

        var snapshot = present is null || documents.Count > 0 || !IsGood(present, now)
            ? new Snapshot((present?.Version ?? 0) + 1, now + _lifetimes.Snapshot, files)
            : present;
        var snapshotBytes = ReferenceEquals(snapshot, present) ? Read(FileOf(RoleNames.Snapshot, snapshot.Version)) : Signed(snapshot, keys.Snapshot);
        var timestampVersion = (CurrentTimestamp()?.Version ?? 0) + 1;
        var timestamp = Signed(new Timestamp(timestampVersion, now + _lifetimes.Timestamp, Promise(snapshot.Version, snapshotBytes)), keys.Timestamp);
        CheckAsClient(TrustedMetadata.From(root, now).WithTimestamp(timestamp).WithSnapshot(snapshotBytes), documents);

        foreach (var document in documents.OrderBy(d => d.Role == RoleNames.Targets))
            WriteVersion(document.Role, files[Snapshot.FileOf(document.Role)].Version, document.Content);
        if (!ReferenceEquals(snapshot, present))
            WriteVersion(RoleNames.Snapshot, snapshot.Version, snapshotBytes);
        Write(TimestampFile, timestamp);
    }

    private static async Task<(long Length, ContentHashes Hashes)> StoreAsync(Stream content, string path, CancellationToken stop)
    {
        var file = new FileStream(path, FileMode.CreateNew);
        await using var _ = file.ConfigureAwait(false);
        await content.CopyToAsync(file, stop).ConfigureAwait(false);
        file.Flush(flushToDisk: true);
        file.Position = 0;
        return (file.Length, ContentHashes.OfSha256(await SHA256.HashDataAsync(file, stop).ConfigureAwait(false)));
    }

    // Every role that is new, and every role whose delegator is: as each of those that delegate to it demands.
    private void CheckAsClient(TrustedMetadata trusted, IReadOnlyList<RoleDocument> documents)
    {
        var changed = documents.ToDictionary(d => d.Role, d => d.Content, StringComparer.Ordinal);
        trusted = trusted.WithTargets(BytesOf(RoleNames.Targets));
        var reached = new HashSet<string>(StringComparer.Ordinal) { RoleNames.Targets };
        var ahead = new Queue<Targets>([trusted.Targets!]);
        while (ahead.TryDequeue(out var delegator))
        {
            // A role that was never published is no fault: clients find nothing there. Bins of succinct roles are looked up by what is listed.
            foreach (var role in RolesOf(delegator).Where(r => trusted.Snapshot!.Files.ContainsKey(Snapshot.FileOf(r.Name))))
            {
                var targets = trusted.Delegated(BytesOf(role.Name), role);
                if (reached.Add(role.Name))
                    ahead.Enqueue(targets);
            }
        }

        if (documents.FirstOrDefault(d => !reached.Contains(d.Role)) is { } orphan)
            throw new TufException(TufFault.Unsigned, orphan.Role, "nobody delegates to it");

        byte[] BytesOf(string role) => changed.GetValueOrDefault(role) ?? Read(FileOf(role, trusted.FileOf(role).Version));

        IEnumerable<DelegatedRole> RolesOf(Targets delegator) => delegator.Delegations switch
        {
            null => [],
            { Succinct: { } bins } => trusted.Snapshot!.Files.Keys.Select(Snapshot.RoleOf).Select(bins.BinNamed).OfType<DelegatedRole>(),
            var delegations => delegations.Roles,
        };
    }

    private static long NextVersion(RoleDocument document, Dictionary<string, MetaFile> files)
    {
        var version = MetadataReader.Targets(Parse(document.Content).Signed).Version;
        var next = (files.GetValueOrDefault(Snapshot.FileOf(document.Role))?.Version ?? 0) + 1;
        return version == next ? version : throw new TufException(TufFault.WrongVersion, document.Role, $"version {version} where {next} is due");
    }

    private bool IsGood(Snapshot present, DateTimeOffset now) => present.Expires - now > _lifetimes.Snapshot / 2
        && Root!.Roles[RoleNames.Snapshot].Approve(Parse(Read(FileOf(RoleNames.Snapshot, present.Version))));

    private static byte[] Signed(Metadata metadata, IReadOnlyList<SigningKey> keys) => MetadataDocument.Sign(MetadataDocument.Unsigned(metadata), keys);

    private static MetaFile Promise(long version, byte[] content) => new(version, content.Length, ContentHashes.Of(content));

    private Timestamp? CurrentTimestamp() =>
        File.Exists(Path.Combine(_metadata, TimestampFile)) ? MetadataReader.Timestamp(Parse(Read(TimestampFile)).Signed) : null;

    private Snapshot? CurrentSnapshot() => CurrentTimestamp() is { } timestamp
        ? MetadataReader.Snapshot(Parse(Read(FileOf(RoleNames.Snapshot, timestamp.Snapshot.Version))).Signed)
        : null;

    // Roots are numbered without a gap from 1, and never deleted: a device that was off for years needs them all.
    private byte[]? RootBytes()
    {
        var newest = 0L;
        while (File.Exists(Path.Combine(_metadata, FileOf(RoleNames.Root, newest + 1))))
            newest++;
        return newest == 0 ? null : Read(FileOf(RoleNames.Root, newest));
    }

    // Files in a directory of this name are served under it, so it has to be the same in a URL.
    private static string FileOf(string role, long version) => Uri.EscapeDataString(role) != role
        ? throw new ArgumentException($"'{role}': roles here are named with letters, digits and - . _ ~ only", nameof(role))
        : string.Create(CultureInfo.InvariantCulture, $"{version}.{role}.json");

    private static SignedDocument Parse(byte[] bytes) => SignedDocument.Parse(bytes, MetadataLimits.Targets);

    private byte[] Read(string file) => File.ReadAllBytes(Path.Combine(_metadata, file));

    private void WriteVersion(string role, long version, byte[] content)
    {
        Write(FileOf(role, version), content);
        File.Delete(Path.Combine(_metadata, FileOf(role, version - KeptVersions)));
    }

    private void Write(string file, byte[] content) => DurableFile.Replace(Path.Combine(_metadata, file), content);
}
