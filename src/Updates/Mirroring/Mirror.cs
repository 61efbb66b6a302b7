using Fleet.Contracts.Storage;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Mirroring;

/// <summary>Whether content that somebody asks for can be had here.</summary>
public enum ContentAnswer
{
    /// <summary>It is here now.</summary>
    Here = 1,

    /// <summary>Nothing that is trusted names it, or no source could bring it.</summary>
    Unknown = 2,

    /// <summary>It is on its way: ask again soon.</summary>
    Later = 3,
}

/// <summary>
/// A mirror of one TUF repository, in a directory: <c>trust</c> (what its client accepted), <c>metadata</c> (what is served), and content in a store that it
/// shares. It verifies before it keeps and before it serves, brings each file once, and goes on serving the last good generation whatever its sources do.
/// Thread-safe but for <see cref="Refresh"/>, which one caller at a time may use.
/// </summary>
/// <param name="store">Holds the content, of others too.</param>
/// <param name="fetcher">Brings content into that store.</param>
/// <param name="deltas">Builds it there, of what earlier versions left.</param>
public sealed class Mirror(string directory, BlobStore store, BlobFetcher fetcher, DeltaBuilder deltas, Pace pace, TimeProvider clock)
{
    private readonly StoredFiles _older = new(store);
    private readonly MetadataDirectory _trust = new(Path.Combine(directory, "trust"));
    private readonly MirroredMetadata _metadata = new(Path.Combine(directory, "metadata"));
    private readonly Lock _lock = new();
    private byte[]? _firstRoot = ReadFirstRoot(directory);
    private volatile PackageIndex _index = PackageIndex.Empty;

    /// <summary>Version of the timestamp that is served; 0: none yet.</summary>
    public long Timestamp { get; private set; }

    /// <summary>What may be asked for here.</summary>
    public PackageIndex Index => _index;

    /// <summary>Begins to trust; a root that was trusted before stays, for only it says who comes after it.</summary>
    /// <exception cref="TufException">It is not even signed as it demands.</exception>
    public void Begin(byte[] root)
    {
        if (_firstRoot is not null)
            return;
        TufClient.Begin(_trust, root, clock.GetUtcNow());
        DurableFile.Replace(FirstRootOf(directory), root);
        _firstRoot = root;
    }

    /// <summary>A metadata file as it is served; null: there is none of that name.</summary>
    public byte[]? Metadata(string name) => _metadata.Read(name);

    /// <summary>Takes the newest generation from the first source that has one, and serves it.</summary>
    /// <param name="now">A time that the caller trusts not to lie before what it saw.</param>
    /// <param name="least">The newest timestamp version that the caller knows of: a source that shows an older one is frozen.</param>
    /// <returns>The source, and what the sources before it failed by.</returns>
    /// <exception cref="MirrorException">None has one; each is named with its reason. The last good generation stays.</exception>
    public async Task<(RepositorySource Source, IReadOnlyList<string> Failures)> Refresh(IReadOnlyList<RepositorySource> sources, DateTimeOffset now, long least, CancellationToken stop)
    {
        if (_firstRoot is null)
            throw new MirrorException(["no root is trusted yet: headquarters has not named one"]);
        var failures = new List<string>();
        foreach (var source in sources)
        {
            try
            {
                var client = new TufClient(source.Metadata, source.Metadata, _trust, clock, pace);
                await client.RefreshAsync(now, least, stop).ConfigureAwait(false);
                var trusted = client.Trusted!;
                await _metadata.Publish(trusted, _trust, _firstRoot, now, version => RootFrom(source, version, stop)).ConfigureAwait(false);
                Relist(trusted.Targets!);
                Timestamp = trusted.Timestamp!.Version;
                return (source, failures);
            }
            catch (TufException fault)
            {
                failures.Add($"{source.Name}: {fault.Message}");
            }
        }

        throw new MirrorException(failures.Count == 0 ? ["there is no source"] : failures);
    }

    /// <summary>Serves again what was served before a restart, without asking anybody.</summary>
    public void Resume()
    {
        try
        {
            if (_metadata.Read("timestamp.json") is not { } timestamp)
                return;
            // Expired or not: what devices make of it is theirs to judge.
            Timestamp = MetadataReader.Timestamp(SignedDocument.Parse(timestamp, MetadataLimits.Timestamp).Signed).Version;
            if (_trust.Read(Snapshot.FileOf(RoleNames.Targets)) is { } targets)
                Relist(MetadataReader.Targets(SignedDocument.Parse(targets, MetadataLimits.Targets).Signed));
        }
        catch (FormatException)
        {
            // Damaged: the next refresh brings it anew.
        }
    }

    /// <summary>Brings a package whole.</summary>
    /// <param name="sources">For a file, in the order in which they are tried.</param>
    /// <exception cref="MirrorException">It is not listed so, its manifest is malformed, or some file is not to be had: each is named.</exception>
    /// <exception cref="StorageException">There is no room.</exception>
    public async Task BringPackage(string name, string version, BlobHash manifest, Func<BlobHash, IReadOnlyList<IBlobSource>> sources, CancellationToken stop)
    {
        if (_index.Packages.GetValueOrDefault(manifest) is not { } listed || listed.Name != name || listed.Version != version)
            throw new MirrorException([$"the signed targets do not list {name} {version} with manifest {manifest}: it was withdrawn, or is not published yet"]);
        var files = await Files(listed, sources, stop).ConfigureAwait(false);
        var failures = new List<string>();
        foreach (var file in files.DistinctBy(f => f.Content))
        {
            try
            {
                if (!await Build(file.Content, file.Length, sources, stop).ConfigureAwait(false))
                    await fetcher.Fetch(file.Content, file.Length, sources(file.Content), stop, stop).ConfigureAwait(false);
            }
            catch (FetchException fault)
            {
                failures.Add($"{name} {version}, file {file.Path}: {fault.Message}");
            }
        }

        if (failures.Count > 0)
            throw new MirrorException(failures);
    }

    /// <summary>Brings content that is listed, for whoever asks.</summary>
    /// <param name="within">How long the asker may wait; the transfer goes on all the same.</param>
    public async Task<ContentAnswer> Bring(BlobHash hash, Func<BlobHash, IReadOnlyList<IBlobSource>> sources, TimeSpan within, CancellationToken cancellation, CancellationToken stop)
    {
        if (_index.Find(hash) is not { } listed)
            return ContentAnswer.Unknown;
        using var late = new CancellationTokenSource(within, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            if (!await Build(hash, listed.Length, sources, stop).WaitAsync(either.Token).ConfigureAwait(false))
                await fetcher.Fetch(hash, listed.Length, sources(hash), either.Token, stop).ConfigureAwait(false);
            if (listed.Package.Manifest == hash)
                ReadManifest(listed.Package);
            else if (listed.Package.Deltas == hash)
                ReadDeltas(listed.Package);
            return ContentAnswer.Here;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            return ContentAnswer.Later;
        }
    }

    /// <summary>The manifest, if it is here and sound.</summary>
    public PackageManifest? ManifestOf(BlobHash manifest)
    {
        try
        {
            return store.ReadAll(manifest, PackageManifest.MaxBytes) is { } bytes ? PackageManifest.Read(bytes) : null;
        }
        catch (Exception bad) when (bad is BlobDamagedException or FormatException)
        {
            return null;
        }
    }

    /// <summary>All content of a package, as far as its manifest is here.</summary>
    public IEnumerable<BlobHash> ContentOf(BlobHash manifest) => (ManifestOf(manifest)?.Files.Select(f => f.Content) ?? []).Prepend(manifest);

    private static string FirstRootOf(string directory) => Path.Combine(directory, "first-root.json");

    private static byte[]? ReadFirstRoot(string directory) => File.Exists(FirstRootOf(directory)) ? File.ReadAllBytes(FirstRootOf(directory)) : null;

    private async Task<IReadOnlyList<PackageFile>> Files(ListedPackage listed, Func<BlobHash, IReadOnlyList<IBlobSource>> sources, CancellationToken stop)
    {
        try
        {
            await fetcher.Fetch(listed.Manifest, listed.Length, sources(listed.Manifest), stop, stop).ConfigureAwait(false);
        }
        catch (FetchException fault)
        {
            throw new MirrorException([$"{listed.Name} {listed.Version}, its manifest: {fault.Message}"]);
        }

        await FetchDeltas(listed, sources, stop).ConfigureAwait(false);
        return ReadManifest(listed)?.Files ?? throw new MirrorException([$"{listed.Name} {listed.Version}: its manifest is malformed"]);
    }

    // Without them all of it comes whole.
    private async Task FetchDeltas(ListedPackage listed, Func<BlobHash, IReadOnlyList<IBlobSource>> sources, CancellationToken stop)
    {
        if (listed.Deltas is not { } list || _index.Find(list) is not { } found)
            return;
        try
        {
            await fetcher.Fetch(list, found.Length, sources(list), stop, stop).ConfigureAwait(false);
            ReadDeltas(listed);
        }
        catch (Exception fault) when (fault is FetchException or StorageException)
        {
            // The files' own fetches tell what is wrong with the sources, or with the disk.
        }
    }

    private Task<bool> Build(BlobHash file, long length, Func<BlobHash, IReadOnlyList<IBlobSource>> sources, CancellationToken stop) =>
        deltas.Build(file, length, _index.DeltasTo(file), [_older], sources, stop);

    private void ReadDeltas(ListedPackage package)
    {
        if (DeltasOf(package) is not { } found)
            return;
        lock (_lock)
            if (_index.Packages.ContainsKey(package.Manifest))
                _index = _index.With(package, found);
    }

    private PackageDeltas? DeltasOf(ListedPackage package)
    {
        try
        {
            return package.Deltas is { } list && store.ReadAll(list, PackageDeltas.MaxBytes) is { } bytes ? PackageDeltas.Read(bytes) : null;
        }
        catch (Exception bad) when (bad is BlobDamagedException or FormatException)
        {
            return null;
        }
    }

    private PackageManifest? ReadManifest(ListedPackage package)
    {
        if (ManifestOf(package.Manifest) is not { } manifest)
            return null;
        lock (_lock)
            if (_index.Packages.ContainsKey(package.Manifest))
                _index = _index.With(package, manifest);
        return manifest;
    }

    private void Relist(Targets targets)
    {
        var index = PackageIndex.Of(targets);
        foreach (var package in index.Packages.Values)
            if (store.Contains(package.Manifest) && ManifestOf(package.Manifest) is { } manifest)
                index = index.With(package, manifest);
        foreach (var package in index.Packages.Values)
            if (DeltasOf(package) is { } found)
                index = index.With(package, found);
        lock (_lock)
            _index = index;
    }

    private async Task<byte[]?> RootFrom(RepositorySource source, long version, CancellationToken stop) =>
        await new Transfer(pace, clock).ReadAsync(source.Metadata, $"{version}.root.json", MetadataLimits.Root, stop).ConfigureAwait(false);
}

/// <summary>A mirror lacks something that is wanted.</summary>
/// <param name="failures">Each names the source, or the file, and the reason.</param>
public sealed class MirrorException(IReadOnlyList<string> failures) : IOException(string.Join("; ", failures))
{
    public IReadOnlyList<string> Failures { get; } = failures;
}
