using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Api;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;

namespace Fleet.Headquarters.Updates;

/// <summary>
/// The content of packages, each once by its hash: taken before a package is published that names it, and kept while one does, or while it was used of late.
/// Thread-safe.
/// </summary>
/// <param name="packages">Those that are published now.</param>
public sealed class PackageContent(string directory, UpdateOptions options, TimeProvider clock, Func<IReadOnlyList<PublishedPackage>> packages)
{
    private const int Piece = 64 * 1024;

    /// <summary>Manifests and lists of deltas, and the files and deltas that they name.</summary>
    public BlobStore Blobs { get; } = new(directory, options.Content, clock);

    /// <summary>Null: the disk has lost it.</summary>
    public PackageManifest? ManifestOf(PublishedPackage package)
    {
        try
        {
            return Blobs.ReadAll(package.Manifest, PackageManifest.MaxBytes) is { } bytes ? PackageManifest.Read(bytes) : null;
        }
        catch (BlobDamagedException)
        {
            return null;
        }
    }

    /// <summary>Null: none were made, or the disk has lost the list.</summary>
    public PackageDeltas? DeltasOf(PublishedPackage package)
    {
        try
        {
            return package.Deltas is { } list && Blobs.ReadAll(list, PackageDeltas.MaxBytes) is { } bytes ? PackageDeltas.Read(bytes) : null;
        }
        catch (BlobDamagedException)
        {
            return null;
        }
    }

    /// <summary>Why a package can't be published yet: content of it is not here, or the disk has lost it. What is here counts as used, and stays.</summary>
    public Refusal? NotHere(PackageManifest manifest)
    {
        var missing = manifest.Files.Where(f => !IsHere(f.Content)).ToList();
        return missing is not [var first, ..] ? null : new Refusal(RefusalCode.NotFound,
            $"{missing.Count} of the {manifest.Files.Count} files' content is not at headquarters, among it that of '{first.Path}' ({first.Content}): upload it to /api/v1/content, then publish again");
    }

    /// <summary>Takes content for a publication to come. What came before a transfer was cut is kept, and the next goes on behind it.</summary>
    /// <param name="from">Where the body begins in the whole; what is here already is passed over.</param>
    /// <param name="length">Of the whole.</param>
    /// <returns>Why not; null: it is here.</returns>
    public async Task<Refusal?> Take(BlobHash hash, Stream body, long from, long length, CancellationToken cancellation)
    {
        if (Blobs.Contains(hash))
            return null;
        try
        {
            using var part = Begin(hash, length);
            if (part is null)
                return new Refusal(RefusalCode.Busy, $"content {hash} is being uploaded by somebody else; try again when that has ended");
            if (from > part.Written)
                return Refusal.Invalid($"of content {hash} the first {part.Written} bytes are here, and those from {from} on were sent: send it from {part.Written} on, or all of it");
            if (!await Copy(body, part, part.Written - from, cancellation))
                return Refusal.Invalid($"only {part.Written} of {length} bytes of content {hash} are here: send the rest, or all of it again");
            part.Commit();
            return null;
        }
        catch (InvalidDataException wrong)
        {
            return Refusal.Invalid($"{wrong.Message}; nothing of it was kept. Hash the file anew: it may have changed meanwhile");
        }
        catch (StorageException full)
        {
            return new Refusal(RefusalCode.TooLarge, full.Message);
        }
    }

    /// <summary>Lets go what no package names and nobody used for long.</summary>
    public void Collect() => Blobs.Collect(Kept(), options.KeepUnlisted);

    private BlobPart? Begin(BlobHash hash, long length)
    {
        // Asked only where there is no room.
        var kept = new Lazy<Func<BlobHash, bool>>(() => Kept());
        try
        {
            return Blobs.Begin(hash, length, blob => kept.Value(blob));
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private bool IsHere(BlobHash hash)
    {
        try
        {
            using var blob = Blobs.Open(hash);
            return blob is not null;
        }
        catch (BlobDamagedException)
        {
            return false;
        }
    }

    private static async Task<bool> Copy(Stream body, BlobPart part, long passOver, CancellationToken cancellation)
    {
        var buffer = new byte[Piece];
        while (await body.ReadAsync(buffer, cancellation) is > 0 and var read)
        {
            var known = (int)Math.Min(read, passOver);
            passOver -= known;
            await part.Write(buffer.AsMemory(known, read - known), cancellation);
        }

        return part.Written == part.Length;
    }

    /// <summary>Which content stays: what packages name, and what was used of late.</summary>
    public Func<BlobHash, bool> Kept()
    {
        var now = clock.GetUtcNow();
        if (Named() is not { } kept)
            return _ => true;
        kept.UnionWith(Blobs.List().Where(b => now - b.UsedAt < options.KeepUnlisted).Select(b => b.Hash));
        return kept.Contains;
    }

    /// <summary>What packages name. Null: the disk has lost a manifest, which may name anything.</summary>
    public HashSet<BlobHash>? Named()
    {
        HashSet<BlobHash> named = [];
        foreach (var package in packages())
        {
            if (ManifestOf(package) is not { } manifest)
                return null;
            named.Add(package.Manifest);
            named.UnionWith(manifest.Files.Select(f => f.Content));
            if (package.Deltas is { } list)
                named.Add(list);
            named.UnionWith(DeltasOf(package)?.Deltas.Select(d => d.Delta) ?? []);
        }

        return named;
    }
}
