using System.Collections.Immutable;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;

namespace Fleet.Updates.Mirroring;

/// <summary>A version of a package, as the signed targets list it.</summary>
/// <param name="Length">Bytes of its manifest.</param>
/// <param name="Deltas">The list of deltas to it; null: there is none.</param>
public sealed record ListedPackage(string Name, string Version, BlobHash Manifest, long Length, BlobHash? Deltas = null);

/// <summary>Content that listed packages have.</summary>
/// <param name="Packages">All of them, as far as their manifests are here.</param>
public sealed record ListedContent(BlobHash Hash, long Length, ImmutableArray<ListedPackage> Packages)
{
    /// <summary>The one that it is counted for.</summary>
    public ListedPackage Package => Packages[0];
}

/// <summary>Which content the signed targets vouch for: manifests and lists of deltas, and what those of them name that are here. Immutable.</summary>
public sealed class PackageIndex
{
    private readonly ImmutableDictionary<BlobHash, ListedContent> _content;
    private readonly ImmutableDictionary<BlobHash, ImmutableArray<FileDelta>> _deltasTo;
    private readonly ImmutableDictionary<BlobHash, ImmutableArray<FileDelta>> _deltasFrom;

    private PackageIndex(
        ImmutableDictionary<BlobHash, ListedPackage> packages, ImmutableDictionary<BlobHash, ListedContent> content,
        ImmutableDictionary<BlobHash, ImmutableArray<FileDelta>> deltasTo, ImmutableDictionary<BlobHash, ImmutableArray<FileDelta>> deltasFrom) =>
        (Packages, _content, _deltasTo, _deltasFrom) = (packages, content, deltasTo, deltasFrom);

    public static PackageIndex Empty { get; } = new(
        ImmutableDictionary<BlobHash, ListedPackage>.Empty, ImmutableDictionary<BlobHash, ListedContent>.Empty,
        ImmutableDictionary<BlobHash, ImmutableArray<FileDelta>>.Empty, ImmutableDictionary<BlobHash, ImmutableArray<FileDelta>>.Empty);

    /// <summary>By the hashes of their manifests.</summary>
    public ImmutableDictionary<BlobHash, ListedPackage> Packages { get; }

    public static PackageIndex Of(Targets targets)
    {
        var lists = targets.Files.Values.Select(t => (Of: PackageTarget.ParseDeltas(t.Path), t.Length, Hash: HashOf(t))).Where(d => d is { Of: not null, Hash: not null, Length: <= PackageDeltas.MaxBytes })
            .ToDictionary(d => d.Of!.Value, d => (Hash: d.Hash!.Value, d.Length));
        var packages = targets.Files.Values.Select(Listed).OfType<ListedPackage>().DistinctBy(p => p.Manifest)
            .Select(p => lists.TryGetValue((p.Name, p.Version), out var list) ? p with { Deltas = list.Hash } : p).ToImmutableDictionary(p => p.Manifest);
        var content = packages.Values.ToDictionary(p => p.Manifest, p => new ListedContent(p.Manifest, p.Length, [p]));
        foreach (var package in packages.Values.Where(p => p.Deltas is not null))
            content.TryAdd(package.Deltas!.Value, new ListedContent(package.Deltas.Value, lists[(package.Name, package.Version)].Length, [package]));
        return new PackageIndex(packages, content.ToImmutableDictionary(), Empty._deltasTo, Empty._deltasFrom);
    }

    /// <summary>Null: nothing listed has it, as far as manifests are here.</summary>
    public ListedContent? Find(BlobHash hash) => _content.GetValueOrDefault(hash);

    /// <summary>Deltas that make this content, as far as lists of them are here.</summary>
    public IReadOnlyList<FileDelta> DeltasTo(BlobHash file) => _deltasTo.GetValueOrDefault(file, []);

    /// <summary>Deltas that build on this content.</summary>
    public IReadOnlyList<FileDelta> DeltasFrom(BlobHash older) => _deltasFrom.GetValueOrDefault(older, []);

    /// <summary>Now the files of a manifest are known too.</summary>
    public PackageIndex With(ListedPackage package, PackageManifest manifest) =>
        new(Packages, Joined(package, manifest.Files.Select(f => (f.Content, f.Length))), _deltasTo, _deltasFrom);

    /// <summary>Now its deltas are known too.</summary>
    public PackageIndex With(ListedPackage package, PackageDeltas deltas) => new(
        Packages, Joined(package, deltas.Deltas.Select(d => (d.Delta, d.Length))), Joined(_deltasTo, deltas.Deltas, d => d.File), Joined(_deltasFrom, deltas.Deltas, d => d.Base));

    private ImmutableDictionary<BlobHash, ListedContent> Joined(ListedPackage package, IEnumerable<(BlobHash Hash, long Length)> more)
    {
        var content = _content.ToBuilder();
        foreach (var (hash, length) in more)
            if (!content.TryGetValue(hash, out var known))
                content[hash] = new ListedContent(hash, length, [package]);
            else if (known.Packages.All(p => p.Manifest != package.Manifest))
                content[hash] = known with { Packages = known.Packages.Add(package) };
        return content.ToImmutable();
    }

    private static ImmutableDictionary<BlobHash, ImmutableArray<FileDelta>> Joined(
        ImmutableDictionary<BlobHash, ImmutableArray<FileDelta>> known, IEnumerable<FileDelta> more, Func<FileDelta, BlobHash> key) =>
        known.SetItems(more.GroupBy(key).Select(g => KeyValuePair.Create(g.Key, known.GetValueOrDefault(g.Key, []).Union(g).ToImmutableArray())));

    private static ListedPackage? Listed(TargetFile target) =>
        PackageTarget.Parse(target.Path) is var (name, version) && HashOf(target) is { } manifest
            ? new ListedPackage(name, version, manifest, target.Length)
            : null;

    private static BlobHash? HashOf(TargetFile target) => target.Hashes.Naming is { } naming ? BlobHash.Parse(naming) : null;
}
