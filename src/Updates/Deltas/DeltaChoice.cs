using Fleet.Updates.Packages;

namespace Fleet.Updates.Deltas;

/// <summary>Which files are worth a delta, and over which older ones.</summary>
public static class DeltaChoice
{
    /// <summary>Below this a delta costs a question and its line in the list, and saves less.</summary>
    public const int MinLength = 1024;

    /// <summary>How many versions back a device may be and still be sent a delta.</summary>
    public const int Versions = 2;

    private const double WorthBelow = 0.6;

    /// <summary>A delta that saves little is not kept: between compressed files, or major versions, it may even be longer than the file (measured: 106 %).</summary>
    public static bool IsWorth(long delta, long whole) => delta < whole * WorthBelow;

    /// <summary>Each changed file over the one that it most likely comes from, in each of the versions before.</summary>
    /// <param name="previous">Newest first.</param>
    /// <param name="maxFile">Bytes of the longest file that takes part.</param>
    public static IReadOnlyList<DeltaPair> Pairs(PackageManifest next, IEnumerable<PackageManifest> previous, long maxFile) =>
        [.. previous.Take(Versions).SelectMany(p => Pairs(next, p, maxFile)).DistinctBy(p => (p.Base.Content, p.File.Content))];

    private static IEnumerable<DeltaPair> Pairs(PackageManifest next, PackageManifest previous, long maxFile)
    {
        var (byPath, byName) = (previous.Files.ToDictionary(f => f.Path), previous.Files.ToLookup(f => NameOf(f.Path)));
        foreach (var file in next.Files.Where(f => f.Length >= MinLength && f.Length <= maxFile))
        {
            var older = byPath.GetValueOrDefault(file.Path) ?? byName[NameOf(file.Path)]
                .OrderByDescending(f => SharedEnd(f.Path, file.Path)).ThenBy(f => Math.Abs(f.Length - file.Length)).ThenBy(f => f.Path, StringComparer.Ordinal).FirstOrDefault();
            if (older is { Length: > 0 } && older.Length <= maxFile && older.Content != file.Content)
                yield return new DeltaPair(older, file);
        }
    }

    /// <summary>A file's name without its folder: where it moves, it mostly keeps that.</summary>
    public static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    // Folders are named for versions often, and then differ in the middle.
    private static int SharedEnd(string one, string other) => one.Split('/').Reverse().Zip(other.Split('/').Reverse()).TakeWhile(s => s.First == s.Second).Count();
}

/// <summary>A file of a version, and the one of an earlier version that it comes from.</summary>
public sealed record DeltaPair(PackageFile Base, PackageFile File);
