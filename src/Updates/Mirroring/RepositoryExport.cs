using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Mirroring;

/// <summary>
/// A copy of a repository in a folder, to be carried where no line is: <c>metadata</c>, <c>targets</c> and <c>blobs</c>, as <see cref="RepositorySource.OfFolder"/>
/// and any TUF client read it. All is verified before it is named, and the timestamp comes last. Cut short, it goes on where it ended. For one caller at a time.
/// </summary>
public sealed class RepositoryExport
{
    private const string FirstRootFile = "1.root.json";

    private static readonly BlobStoreOptions Options = new(Quota: long.MaxValue, MinFree: 0, PartsKept: TimeSpan.MaxValue);

    private readonly string _folder;
    private readonly Pace _pace;
    private readonly TimeProvider _clock;
    private readonly Func<string, long> _freeSpace;
    private readonly MetadataDirectory _trust;
    private readonly MirroredMetadata _metadata;
    private readonly BlobStore _blobs;
    private readonly BlobFetcher _fetcher;

    /// <param name="freeSpace">Bytes free on the disk of a directory; null: asks the system.</param>
    /// <exception cref="IOException">The folder can't be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be.</exception>
    public RepositoryExport(string folder, Pace pace, TimeProvider clock, Func<string, long>? freeSpace = null)
    {
        (_folder, _pace, _clock) = (Path.GetFullPath(folder), pace, clock);
        _freeSpace = freeSpace ?? (path => new DriveInfo(path).AvailableFreeSpace);
        _trust = new MetadataDirectory(Path.Combine(_folder, "trust"));
        _metadata = new MirroredMetadata(Path.Combine(_folder, "metadata"));
        _blobs = new BlobStore(_folder, Options, clock, _freeSpace);
        _fetcher = new BlobFetcher(_blobs, _ => true, new Budget(clock), pace, clock);
        _fetcher.Came += (_, _, bytes) =>
        {
            Fetched += bytes;
            Came?.Invoke(bytes);
        };
    }

    /// <summary>So many bytes came from the source, or were here already and found to be sound.</summary>
    public event Action<long>? Came;

    /// <summary>Bytes that came from the source.</summary>
    public long Fetched { get; private set; }

    /// <summary>Looks what the newest generation of a source has, and brings the lists of it.</summary>
    /// <param name="source">Its first root is trusted: who shows it was known by other means.</param>
    /// <param name="picks">The packages whose content is copied.</param>
    /// <exception cref="TufException">The source has no repository, or none that is valid.</exception>
    /// <exception cref="IOException">A list is not to be had, or the folder holds another repository.</exception>
    /// <exception cref="StorageException">There is no room.</exception>
    public async Task<ExportPlan> Plan(RepositorySource source, Func<ListedPackage, bool> picks, CancellationToken stop)
    {
        var now = _clock.GetUtcNow();
        var firstRoot = await RootFrom(source, 1, stop).ConfigureAwait(false) ?? throw new TufException(TufFault.Missing, RoleNames.Root, $"{source.Name} has no repository");
        if (_metadata.Read(FirstRootFile) is { } other && !other.AsSpan().SequenceEqual(firstRoot))
            throw new IOException($"{_folder} holds a copy of another repository: choose another folder");
        DurableFile.Replace(Path.Combine(_folder, "metadata", FirstRootFile), firstRoot);
        TufClient.Begin(_trust, firstRoot, now);
        var client = new TufClient(source.Metadata, source.Metadata, _trust, _clock, _pace);
        await client.RefreshAsync(now, stop: stop).ConfigureAwait(false);
        var index = PackageIndex.Of(client.Trusted!.Targets!);
        List<ListedPackage> packages = [.. index.Packages.Values.Where(picks).OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Version, StringComparer.Ordinal)];
        var content = new Dictionary<BlobHash, PlannedContent>();
        foreach (var package in packages)
        {
            var named = $"{package.Name} {package.Version}";
            foreach (var list in new[] { package.Manifest, package.Deltas }.OfType<BlobHash>())
                content.TryAdd(list, new PlannedContent(list, index.Find(list)!.Length, $"{named}, its list of files"));
            foreach (var file in PackageManifest.Read(await ListOf(source, package.Manifest, package.Length, stop).ConfigureAwait(false)).Files)
                content.TryAdd(file.Content, new PlannedContent(file.Content, file.Length, $"{named}, file {file.Path}"));
            if (package.Deltas is { } deltas)
                foreach (var delta in PackageDeltas.Read(await ListOf(source, deltas, index.Find(deltas)!.Length, stop).ConfigureAwait(false)).Deltas)
                    content.TryAdd(delta.Delta, new PlannedContent(delta.Delta, delta.Length, $"{named}, a delta"));
        }

        return new ExportPlan(source, client.Trusted!, firstRoot, [.. index.Packages.Values.Select(p => p.Name).Distinct().Order(StringComparer.Ordinal)], packages, [.. content.Values]);
    }

    /// <summary>Brings what is missing, then names the generation. What is here is hashed first: a disk may have changed it.</summary>
    /// <exception cref="MirrorException">Some content is not to be had, each is named; what was complete before stays as it was.</exception>
    /// <exception cref="StorageException">There is no room.</exception>
    /// <exception cref="IOException">The folder can't be written.</exception>
    public async Task Bring(ExportPlan plan, CancellationToken stop)
    {
        var missing = new List<PlannedContent>();
        foreach (var content in plan.Content)
            if (await _blobs.IsSound(content.Hash, long.MaxValue, stop).ConfigureAwait(false))
                Came?.Invoke(content.Length);
            else
                missing.Add(content);
        CheckRoom(missing.Sum(c => c.Length - _blobs.LengthOfPart(c.Hash)));
        var failures = new List<string>();
        foreach (var content in missing)
        {
            try
            {
                Came?.Invoke(_blobs.LengthOfPart(content.Hash));
                await _fetcher.Fetch(content.Hash, content.Length, [plan.Source.Content], stop, stop).ConfigureAwait(false);
            }
            catch (FetchException fault)
            {
                failures.Add($"{content.What}: {fault.Message}");
            }
        }

        if (failures.Count > 0)
            throw new MirrorException(failures);
        foreach (var package in plan.Packages)
            WriteTargets(plan.Trusted, package);
        await _metadata.Publish(plan.Trusted, _trust, plan.FirstRoot, _clock.GetUtcNow(), version => RootFrom(plan.Source, version, stop)).ConfigureAwait(false);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_folder, "metadata")))
            LetRead(file);
    }

    private async Task<byte[]> ListOf(RepositorySource source, BlobHash list, long length, CancellationToken stop)
    {
        if (Sound(list) is { } known)
            return known;
        await _fetcher.Fetch(list, length, [source.Content], stop, stop).ConfigureAwait(false);
        return Sound(list) ?? throw new IOException($"{_folder} changes what is written to it: take another disk");
    }

    private byte[]? Sound(BlobHash list)
    {
        try
        {
            return _blobs.ReadAll(list, Math.Max(PackageManifest.MaxBytes, PackageDeltas.MaxBytes));
        }
        catch (BlobDamagedException)
        {
            return null;
        }
    }

    private void CheckRoom(long needed)
    {
        if (needed - _freeSpace(_folder) is > 0 and var lacking)
            throw new StorageException($"the disk of {_folder} has no room: {SizeText.Of(needed)} are still to come, and {SizeText.Of(lacking)} of them do not fit. Free some, take a larger disk, or export fewer packages");
    }

    // Fleet itself reads blobs alone; other clients of the repository look for targets.
    private void WriteTargets(TrustedMetadata trusted, ListedPackage package)
    {
        foreach (var path in new[] { PackageTarget.PathOf(package.Name, package.Version), PackageTarget.DeltasOf(package.Name, package.Version) })
            if (trusted.Targets!.Files.TryGetValue(path, out var target) && BlobHash.Parse(target.Hashes.Naming!) is { } hash && Sound(hash) is { } content)
            {
                var file = Path.Combine([_folder, "targets", .. TargetPath.NameOf(target, trusted.Root.ConsistentSnapshot).Split('/')]);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                DurableFile.Replace(file, content);
                LetRead(file);
            }
    }

    // Where it is carried to another user reads it.
    private static void LetRead(string file)
    {
        if (OperatingSystem.IsWindows())
            return;
        try
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // A disk without permissions, such as FAT: there everybody may.
        }
    }

    private Task<byte[]?> RootFrom(RepositorySource source, long version, CancellationToken stop) =>
        new Transfer(_pace, _clock).ReadAsync(source.Metadata, $"{version}.root.json", MetadataLimits.Root, stop);
}

/// <summary>What an export copies.</summary>
/// <param name="Names">Of all packages that the source has.</param>
/// <param name="Packages">Those that are copied, each version.</param>
/// <param name="Content">All of it, each content once.</param>
public sealed record ExportPlan(
    RepositorySource Source, TrustedMetadata Trusted, byte[] FirstRoot, IReadOnlyList<string> Names, IReadOnlyList<ListedPackage> Packages, IReadOnlyList<PlannedContent> Content)
{
    public long Length => Content.Sum(c => c.Length);
}

/// <param name="What">For people: the package, and the file that it is.</param>
public sealed record PlannedContent(BlobHash Hash, long Length, string What);
