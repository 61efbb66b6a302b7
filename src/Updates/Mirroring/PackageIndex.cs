using System.Collections.Immutable;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;

namespace Fleet.Updates.Mirroring;

/// <summary>A version of a package, as the signed targets list it.</summary>
/// <param name="Length">Bytes of its manifest.</param>
public sealed record ListedPackage(string Name, string Version, BlobHash Manifest, long Length);

/// <summary>Content that a listed package has.</summary>
public sealed record ListedContent(BlobHash Hash, long Length, ListedPackage Package);

/// <summary>Which content the signed targets vouch for: manifests, and the files of those manifests that are here. Immutable.</summary>
public sealed class PackageIndex
{
    private readonly ImmutableDictionary<BlobHash, ListedContent> _content;

    private PackageIndex(ImmutableDictionary<BlobHash, ListedPackage> packages, ImmutableDictionary<BlobHash, ListedContent> content) =>
        (Packages, _content) = (packages, content);

    public static PackageIndex Empty { get; } = new(ImmutableDictionary<BlobHash, ListedPackage>.Empty, ImmutableDictionary<BlobHash, ListedContent>.Empty);

    /// <summary>By the hashes of their manifests.</summary>
    public ImmutableDictionary<BlobHash, ListedPackage> Packages { get; }

    public static PackageIndex Of(Targets targets)
    {
        var packages = targets.Files.Values.Select(Listed).OfType<ListedPackage>().DistinctBy(p => p.Manifest).ToImmutableDictionary(p => p.Manifest);
        return new PackageIndex(packages, packages.Values.ToImmutableDictionary(p => p.Manifest, p => new ListedContent(p.Manifest, p.Length, p)));
    }

    /// <summary>Null: nothing listed has it, as far as manifests are here.</summary>
    public ListedContent? Find(BlobHash hash) => _content.GetValueOrDefault(hash);

    /// <summary>Now the files of a manifest are known too.</summary>
    public PackageIndex With(ListedPackage package, PackageManifest manifest)
    {
        var content = _content.ToBuilder();
        // Content that two packages share is counted for one of them.
        foreach (var file in manifest.Files)
            content.TryAdd(file.Content, new ListedContent(file.Content, file.Length, package));
        return new PackageIndex(Packages, content.ToImmutable());
    }

    private static ListedPackage? Listed(TargetFile target) =>
        PackageTarget.Parse(target.Path) is var (name, version) && target.Hashes.Naming is { } naming && BlobHash.Parse(naming) is { } manifest
            ? new ListedPackage(name, version, manifest, target.Length)
            : null;
}
