using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Api;
using Fleet.Headquarters.Identity;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Headquarters.Updates;

/// <summary>
/// Owns what the devices of this fleet may install: a TUF repository in a directory (<c>metadata</c>, the content by its hash in <c>content</c>, the roles'
/// <c>keys</c>). The signed targets themselves say which packages exist; nothing else remembers it. A yes means that the new generation is on the disk. Signs
/// metadata anew before it expires, until disposed. Thread-safe; headquarters nodes may share a directory (<c>fleet.updates.directory</c>).
/// </summary>
public sealed partial class TenantRepository : IAsyncDisposable
{
    /// <summary>No timer waits longer.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    /// <summary>How soon what another headquarters node published shows on this one.</summary>
    private static readonly TimeSpan FollowEvery = TimeSpan.FromSeconds(2);

    /// <summary>What can't be made anew.</summary>
    internal static readonly string[] Kept = ["metadata", "keys"];

    private readonly string _metadata;
    private readonly RepositoryWriter _writer;
    private readonly RoleKeys _keys;
    private readonly RootChanges _roots;
    private readonly UpdateOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly OneWriter _writers;
    private readonly CancellationTokenSource _stopping = new();
    private SigningKey _targetsKey = null!;
    private OnlineKeys _online = null!;
    private ITimer? _renewal;
    private ITimer? _following;
    private volatile IReadOnlyList<PublishedPackage> _packages = [];

    private TenantRepository(string directory, RepositoryWriter writer, OneWriter writers, RoleKeys keys, UpdateOptions options, TimeProvider clock, ILogger log)
    {
        (_metadata, _writer, _writers, _keys, _options, _clock, _log) = (Path.Combine(directory, "metadata"), writer, writers, keys, options, clock, log);
        _roots = new RootChanges(writer, keys);
        _roots.Settle();
        OpenKeys();
        Content = new PackageContent(Path.Combine(directory, "content"), options, clock, () => _packages);
        Content.Blobs.Damaged += hash => LogDamaged(hash);
    }

    public PackageContent Content { get; }

    /// <summary>The first root, as signed: what clients begin to trust with.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public byte[] FirstRoot => File.ReadAllBytes(Path.Combine(_metadata, "1.root.json"));

    /// <summary>Version of the newest timestamp.</summary>
    public ulong Timestamp { get; private set; }

    /// <summary>A new generation is on the disk.</summary>
    public event Action? Published;

    /// <summary>All packages, by name, the newest of each first.</summary>
    public IReadOnlyList<PublishedPackage> Packages => _packages;

    /// <summary>Opens the repository, or founds it at the first start. One whose root has expired opens too: it is told in the log.</summary>
    /// <exception cref="StorageException">A key is missing or damaged, or the metadata is; the message says what to do.</exception>
    /// <exception cref="IOException">The directory can't be read or written.</exception>
    public static async Task<TenantRepository> Open(string directory, UpdateOptions options, ICertificateIssuer issuer, TimeProvider clock, ILoggerFactory logging)
    {
        var keys = new RoleKeys(Path.Combine(directory, "keys"), issuer);
        var log = logging.CreateLogger<TenantRepository>();
        try
        {
            var (writer, writers) = (new RepositoryWriter(directory, options.Lifetimes), new OneWriter(Path.Combine(directory, "writing")));
            using (await writers.Enter(CancellationToken.None))
            {
                if (writer.Root is null)
                    Found(writer, keys, clock.GetUtcNow());
            }

            var repository = new TenantRepository(directory, writer, writers, keys, options, clock, log);
            repository.Relist();
            var every = TimeSpan.FromTicks(Math.Min(options.Lifetimes.Timestamp.Ticks / 8, LongestWait.Ticks));
            // Every office hears of a new timestamp: not for a restart's sake.
            if (repository.IsDue(clock.GetUtcNow(), every))
                await repository.Renew();
            repository._renewal = clock.CreateTimer(_ => _ = repository.Renew(), null, every, every);
            if (options.IsShared)
                repository._following = clock.CreateTimer(_ => repository.Follow(), null, FollowEvery, FollowEvery);
            return repository;
        }
        catch (Exception damaged) when (damaged is FormatException or TufException)
        {
            throw new StorageException($"{Path.Combine(directory, "metadata")} is damaged ({damaged.Message}); restore it from a backup");
        }
    }

    /// <summary>A file of the metadata as it is served; null: there is none of that name.</summary>
    public async Task<byte[]?> Metadata(string name, CancellationToken cancellation)
    {
        var path = MirroredMetadata.PathOf(_metadata, name);
        return File.Exists(path) ? await File.ReadAllBytesAsync(path, cancellation) : null;
    }

    public PublishedPackage? Find(string name, string version) => _packages.FirstOrDefault(p => p.Name == name && p.Version == version);

    /// <summary>Publishes a version of a package; publishing the same again changes nothing.</summary>
    /// <param name="manifest">Checked; with the lengths of all its files.</param>
    /// <param name="problem">Why a manifest of that hash may not be published under this name and version; null: any may.</param>
    public async Task<Publication> Publish(PackageManifest manifest, CancellationToken cancellation, Func<BlobHash, Refusal?>? problem = null)
    {
        byte[] bytes;
        try
        {
            bytes = manifest.ToBytes();
        }
        catch (FormatException large)
        {
            return Publication.Refused(RefusalCode.TooLarge, $"the manifest of {manifest.Name} {manifest.Version} is too large ({large.Message}): publish fewer files, or an archive of them");
        }

        using var writing = await _writers.Enter(cancellation);
        CatchUp();
        var target = PublishedPackage.Target(manifest, bytes, _clock.GetUtcNow());
        var hash = BlobHash.Over(bytes);
        if (problem?.Invoke(hash) is { } contrary)
            return new Publication(null, Changed: false, contrary);
        if (Find(manifest.Name, manifest.Version) is { } present && present.Manifest != hash)
            return Publication.Refused(RefusalCode.AlreadyExists, $"{manifest.Name} {manifest.Version} is published with other content, and a version never changes: publish this as another version");
        if (Content.NotHere(manifest) is { } missing)
            return new Publication(null, Changed: false, missing);
        if (await Content.Take(hash, new MemoryStream(bytes), 0, bytes.Length, cancellation) is { } refusal)
            return new Publication(null, Changed: false, refusal);
        if (Find(manifest.Name, manifest.Version) is { } same)
            return new Publication(same, Changed: false);
        if (Generation([.. Files.Append(target)]) is { } wrong)
            return new Publication(null, Changed: false, wrong);
        LogPublished(manifest.Name, manifest.Version, manifest.Files.Count, manifest.Length);
        return new Publication(Find(manifest.Name, manifest.Version), Changed: true);
    }

    /// <summary>Lists deltas to a published version, in place of those that were listed before.</summary>
    /// <param name="deltas">Their content is here.</param>
    /// <returns>Why not; null: they are listed.</returns>
    public async Task<Refusal?> ListDeltas(PackageDeltas deltas, CancellationToken cancellation)
    {
        var bytes = deltas.ToBytes();
        using var writing = await _writers.Enter(cancellation);
        CatchUp();
        if (Find(deltas.Name, deltas.Version) is null)
            return Refusal.NotFound("package", $"{deltas.Name} {deltas.Version}");
        if (await Content.Take(BlobHash.Over(bytes), new MemoryStream(bytes), 0, bytes.Length, cancellation) is { } refusal)
            return refusal;
        var target = new TargetFile(PackageTarget.DeltasOf(deltas.Name, deltas.Version), bytes.Length, ContentHashes.Of(bytes));
        return Generation([.. Files.Where(f => f.Path != target.Path), target]);
    }

    /// <summary>Takes a version from the list: no device begins to install it any more. Its content goes when room is needed, or after a while.</summary>
    /// <returns>Why not; null: it is gone.</returns>
    public async Task<Refusal?> Withdraw(string name, string version, CancellationToken cancellation)
    {
        using var writing = await _writers.Enter(cancellation);
        CatchUp();
        if (Find(name, version) is null)
            return Refusal.NotFound("package", $"{name} {version}");
        if (Generation([.. Files.Where(f => f.Path != PackageTarget.PathOf(name, version) && f.Path != PackageTarget.DeltasOf(name, version))]) is { } wrong)
            return wrong;
        LogWithdrawn(name, version);
        return null;
    }

    /// <summary>Who signs the repository.</summary>
    public RepositoryKeys Keys => new(_writer.Root!, [.. RoleNames.TopLevel.Where(r => _keys.Find(r) is not null)], _keys.PathOf(RoleNames.Root));

    /// <summary>Gives a role a new key: the next root trusts it, and what the role signs is signed anew.</summary>
    /// <returns>Why not; null: it is done, and clients follow.</returns>
    public async Task<Refusal?> Rotate(string role, CancellationToken cancellation)
    {
        using var writing = await _writers.Enter(cancellation);
        CatchUp();
        if (_keys.Find(RoleNames.Root) is null)
            return new Refusal(RefusalCode.NotAllowed,
                $"the root's key is away, and the next root needs its signature: put {_keys.PathOf(RoleNames.Root)} back for a moment; or, where it is kept in a file of its own, 'fleet update root export --rotate {role}', sign what that wrote, and 'fleet update root import' it");
        return Take(_roots.Draft(_clock.GetUtcNow(), [role], root: null));
    }

    /// <summary>The next root, to be signed elsewhere; what of the keys is at hand has signed it already.</summary>
    /// <param name="rotate">Roles that get new keys by it.</param>
    /// <param name="root">Who alone signs roots from then on; null: who does now.</param>
    public async Task<byte[]> DraftRoot(IReadOnlyCollection<string> rotate, TufKey? root, CancellationToken cancellation)
    {
        using var writing = await _writers.Enter(cancellation);
        CatchUp();
        return _roots.Draft(_clock.GetUtcNow(), rotate, root);
    }

    /// <summary>Takes the next root that was signed elsewhere.</summary>
    /// <returns>Why not; null: it is published.</returns>
    public async Task<Refusal?> TakeRoot(byte[] document, CancellationToken cancellation)
    {
        using var writing = await _writers.Enter(cancellation);
        CatchUp();
        return Take(document);
    }

    /// <summary>Metadata and keys of one generation, for a backup: files by their path in the directory; and the content that its packages name.</summary>
    internal async Task<(IReadOnlyDictionary<string, byte[]> Files, IReadOnlyList<BlobHash> Content)> Copy(CancellationToken cancellation)
    {
        using var writing = await _writers.Enter(cancellation);
        CatchUp();
        var directory = Path.GetDirectoryName(_metadata)!;
        var files = Kept.Select(k => Path.Combine(directory, k)).Where(Directory.Exists).SelectMany(k => Directory.GetFiles(k, "*", SearchOption.AllDirectories))
            .Where(f => !f.EndsWith(DurableFile.NewSuffix, StringComparison.Ordinal)).ToDictionary(f => Path.GetRelativePath(directory, f), File.ReadAllBytes);
        return (files, [.. Content.Named() ?? Content.Blobs.List().Select(b => b.Hash)]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_renewal is not null)
            await _renewal.DisposeAsync();
        if (_following is not null)
            await _following.DisposeAsync();
        await _stopping.CancelAsync();
        // Whoever writes ends first; nobody begins after this.
        await _writers.DisposeAsync();
        _stopping.Dispose();
    }

    private IEnumerable<TargetFile> Files => _writer.TargetsOf(RoleNames.Targets)?.Files.Values ?? [];

    // All keys are made before the first root trusts them; a crash in between leaves keys that the next start takes.
    private static void Found(RepositoryWriter writer, RoleKeys keys, DateTimeOffset now)
    {
        var made = RoleNames.TopLevel.ToDictionary(role => role, role => keys.Find(role) ?? keys.Make(role));
        var signers = made.ToDictionary(m => m.Key, m => new Signers(new Dictionary<string, TufKey> { [m.Value.Id] = m.Value.Public }, Threshold: 1));
        writer.PublishRoot(now, MetadataDocument.Sign(writer.DraftRoot(now, signers), made[RoleNames.Root]));
    }

    private void OpenKeys()
    {
        _targetsKey = _keys.Open(RoleNames.Targets);
        _online = new OnlineKeys([_keys.Open(RoleNames.Snapshot)], [_keys.Open(RoleNames.Timestamp)]);
    }

    private Refusal? Take(byte[] root)
    {
        var now = _clock.GetUtcNow();
        try
        {
            if (_roots.Problem(root) is { } wrong)
                return Refusal.Invalid(wrong);
            _roots.Publish(now, root);
        }
        catch (FormatException malformed)
        {
            return Refusal.Invalid($"this is no root of a repository: {malformed.Message}");
        }
        catch (TufException fault)
        {
            return new Refusal(RefusalCode.NotAllowed, $"devices would refuse this root: {fault.Message}");
        }

        OpenKeys();
        LogRoot(_writer.Root!.Version);
        return SignAnew(now);
    }

    // Whatever a root no longer approves of, and always the timestamp.
    private Refusal? SignAnew(DateTimeOffset now)
    {
        try
        {
            _writer.Publish(now, _online, TargetsAreDue(now) ? [Signed(now, Files)] : []);
            Relist();
            return null;
        }
        catch (TufException fault)
        {
            return new Refusal(RefusalCode.NotAllowed, $"the root is published, but devices would refuse what is signed by it ({fault.Message}); look at headquarters' log");
        }
    }

    private bool TargetsAreDue(DateTimeOffset now) =>
        _writer.TargetsOf(RoleNames.Targets) is not { } targets || IsOld(targets, _options.Lifetimes.Targets, now) || !_writer.IsApproved(RoleNames.Targets);

    /// <returns>Why clients would refuse it, and nothing was written; null: it is published.</returns>
    private Refusal? Generation(IReadOnlyList<TargetFile> files)
    {
        var now = _clock.GetUtcNow();
        try
        {
            _writer.Publish(now, _online, Signed(now, files));
            Relist();
            return null;
        }
        catch (FormatException large)
        {
            return new Refusal(RefusalCode.TooLarge, $"the list of packages would be too large ({large.Message}): withdraw some first");
        }
        catch (TufException fault)
        {
            return new Refusal(RefusalCode.NotAllowed, $"devices would refuse the repository ({fault.Message}); look at headquarters' log");
        }
    }

    private RoleDocument Signed(DateTimeOffset now, IEnumerable<TargetFile> files)
    {
        var draft = _writer.Draft(now, RoleNames.Targets, files);
        return draft with { Content = MetadataDocument.Sign(draft.Content, _targetsKey) };
    }

    private void Relist()
    {
        _packages = [.. Listed()];
        Timestamp = (ulong)_writer.TimestampVersion;
        Published?.Invoke();
    }

    private IEnumerable<PublishedPackage> Listed() => Files.Select(PublishedPackage.Of).OfType<PublishedPackage>().Select(p => p with { Deltas = DeltasOf(p) }).OrderBy(p => p.Name, StringComparer.Ordinal).ThenByDescending(p => p.PublishedAt).ThenByDescending(p => p.Version, StringComparer.Ordinal);

    private BlobHash? DeltasOf(PublishedPackage package) =>
        _writer.TargetsOf(RoleNames.Targets)!.Files.GetValueOrDefault(PackageTarget.DeltasOf(package.Name, package.Version))?.Hashes.Naming is { } naming ? BlobHash.Parse(naming) : null;

    // Signs what is half through its life, and always the timestamp; and lets content go that nothing names. What fails is tried again at the next turn.
    private async Task Renew()
    {
        try
        {
            using var writing = await _writers.Enter(_stopping.Token);
            CatchUp();
            var now = _clock.GetUtcNow();
            RenewRoot(now);
            _writer.Publish(now, _online, TargetsAreDue(now) ? [Signed(now, Files)] : []);
            Relist();
            Content.Collect();
        }
        catch (OperationCanceledException)
        {
            // It is being closed.
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or StorageException or TufException or FormatException)
        {
            LogNotRenewed(fault.Message);
        }
    }

    // What another headquarters node has published in a directory that they share.
    private void CatchUp()
    {
        if ((ulong)_writer.TimestampVersion == Timestamp)
            return;
        OpenKeys();
        Relist();
    }

    private void Follow()
    {
        try
        {
            CatchUp();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or StorageException or TufException or FormatException)
        {
            LogNotRenewed(fault.Message);
        }
    }

    private void RenewRoot(DateTimeOffset now)
    {
        if (OldRoot(now) is not { } root)
            return;
        if (_keys.Find(RoleNames.Root) is { } key)
            _writer.PublishRoot(now, MetadataDocument.Sign(_writer.DraftRoot(now, new Dictionary<string, Signers>()), key));
        else
            LogRootAway(root.Expires, _keys.PathOf(RoleNames.Root));
    }

    private bool IsDue(DateTimeOffset now, TimeSpan every) =>
        !(_writer.TimestampExpires - now > _options.Lifetimes.Timestamp - every) || TargetsAreDue(now) || OldRoot(now) is not null;

    private Root? OldRoot(DateTimeOffset now) => _writer.Root is { } root && IsOld(root, _options.Lifetimes.Root, now) ? root : null;

    private static bool IsOld(Metadata metadata, TimeSpan lifetime, DateTimeOffset now) => metadata.Expires - now < lifetime / 2;

    [LoggerMessage(LogLevel.Information, "Package {Name} {Version} is published: {Files} files, {Bytes} bytes")]
    private partial void LogPublished(string name, string version, int files, long bytes);

    [LoggerMessage(LogLevel.Information, "Package {Name} {Version} is withdrawn")]
    private partial void LogWithdrawn(string name, string version);

    [LoggerMessage(LogLevel.Error, "Content {Hash} is damaged on the disk and was set aside; publish the packages that have it again")]
    private partial void LogDamaged(BlobHash hash);

    [LoggerMessage(LogLevel.Error, "The update repository can't be signed anew, and devices refuse it once it has expired: {Problem}")]
    private partial void LogNotRenewed(string problem);

    [LoggerMessage(LogLevel.Information, "Root {Version} of the update repository is published")]
    private partial void LogRoot(long version);

    [LoggerMessage(LogLevel.Warning, "The root of the update repository expires at {Expires:u} and its key is away: put {Path} back until it is signed anew, or 'fleet update root export', sign and 'import' the next")]
    private partial void LogRootAway(DateTimeOffset expires, string path);
}

/// <summary>Who signs the repository.</summary>
/// <param name="AtHand">The roles whose keys headquarters has.</param>
/// <param name="RootPath">Where it looks for the root's.</param>
public sealed record RepositoryKeys(Root Root, IReadOnlyList<string> AtHand, string RootPath);

/// <summary>What became of a publication.</summary>
/// <param name="Changed">False: it was there already.</param>
public sealed record Publication(PublishedPackage? Package, bool Changed, Refusal? Refusal = null)
{
    public static Publication Refused(RefusalCode code, string detail) => new(null, Changed: false, new Refusal(code, detail));
}
