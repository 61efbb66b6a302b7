using System.Diagnostics;
using System.Globalization;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;

namespace Fleet.Bench;

/// <summary>
/// What has to come to a place that has a package's version before, as the product does it: file by file, each delta made, judged and applied by its own code;
/// with the manifest, the list of deltas and what comes whole. Beside rsync and zsync on the same unpacked files.
/// </summary>
internal static class Deltas
{
    private const int MaxFile = 64 * 1024 * 1024;

    /// <summary>Of NuGet: what many .NET programs carry with them, a compiler, and native code for several processors.</summary>
    private static readonly IReadOnlyList<Pair> Pairs =
    [
        new("runtime", "Microsoft.NETCore.App.Runtime.linux-x64", "10.0.13", "10.0.14"),
        new("roslyn", "Microsoft.CodeAnalysis.CSharp", "5.9.0", "5.12.0"),
        new("skia", "SkiaSharp.NativeAssets.Linux", "4.154.1", "4.155.0"),
    ];

    public static Benchmark Benchmark { get; } = new("delta", "bytes between versions of three packages, beside rsync and zsync", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        DebianPackages.Require("rsync", "zsync", "tar");
        var scratch = Directory.CreateTempSubdirectory("fleet-bench-").FullName;
        try
        {
            step("fetching the packages");
            Fetch(scratch);
            var figures = new Dictionary<string, double>();
            foreach (var pair in Pairs)
            {
                stop.ThrowIfCancellationRequested();
                var (older, newer) = (Unpacked(scratch, pair, pair.Older), Unpacked(scratch, pair, pair.Newer));
                var whole = new FileInfo(Path.Combine(PackageIn(scratch, pair, pair.Newer), $"{pair.Package}.{pair.Newer}.nupkg".ToLowerInvariant())).Length;
                var made = Made(pair, older, newer);
                var rsync = DeltaPeers.Rsync(older, newer, scratch);
                var zsync = await DeltaPeers.Zsync(older, newer, scratch, stop).ConfigureAwait(false);
                step(string.Create(CultureInfo.InvariantCulture,
                    $"{pair.Name}, {pair.Package} {pair.Older} to {pair.Newer}: {whole:n0} bytes as shipped, {made.Changed:n0} unpacked in files that changed; "
                    + $"{made.Bytes:n0} with {made.Count} deltas ({(double)made.Bytes / whole:p1}), made in {made.Seconds:0.0} s, applied in {made.Applied:0.0} s; rsync {rsync:n0}, zsync {zsync:n0}"));
                figures[$"{pair.Name}_whole_bytes"] = whole;
                figures[$"{pair.Name}_changed_bytes"] = made.Changed;
                figures[$"{pair.Name}_delta_bytes"] = made.Bytes;
                figures[$"{pair.Name}_ratio"] = Math.Round((double)made.Bytes / whole, 4);
                figures[$"{pair.Name}_seconds"] = Math.Round(made.Seconds, 2);
                figures[$"{pair.Name}_apply_seconds"] = Math.Round(made.Applied, 2);
                figures[$"{pair.Name}_rsync_bytes"] = rsync;
                figures[$"{pair.Name}_zsync_bytes"] = zsync;
            }

            return figures;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static Result Made(Pair pair, string older, string newer)
    {
        var (before, manifest) = (Manifest(pair, pair.Older, older), Manifest(pair, pair.Newer, newer));
        var known = before.Files.Select(f => f.Content).ToHashSet();
        var changed = manifest.Files.Where(f => !known.Contains(f.Content)).DistinctBy(f => f.Content).ToDictionary(f => f.Content);
        var (making, applying) = (new Stopwatch(), new Stopwatch());
        var deltas = new List<FileDelta>();
        foreach (var (origin, file) in DeltaChoice.Pairs(manifest, [before], MaxFile))
        {
            var (from, to) = (File.ReadAllBytes(Path.Combine(older, origin.Path)), File.ReadAllBytes(Path.Combine(newer, file.Path)));
            making.Start();
            var delta = ZstdDelta.Make(from, to);
            making.Stop();
            if (!DeltaChoice.IsWorth(delta.Length, file.Length) || !changed.ContainsKey(file.Content))
                continue;
            applying.Start();
            var built = ZstdDelta.Apply(from, delta, to.Length);
            applying.Stop();
            if (BlobHash.Over(built) != file.Content)
                throw new LabException($"the delta to {file.Path} of {pair.Package} {pair.Newer} makes something else");
            deltas.Add(new FileDelta(origin.Content, file.Content, BlobHash.Over(delta), delta.Length));
        }

        var whole = changed.Values.Where(f => deltas.All(d => d.File != f.Content)).Sum(f => f.Length);
        var lists = manifest.ToBytes().Length + new PackageDeltas(pair.Package, pair.Newer, deltas).ToBytes().Length;
        return new Result(changed.Values.Sum(f => f.Length), lists + whole + deltas.Sum(d => d.Length), deltas.Count, making.Elapsed.TotalSeconds, applying.Elapsed.TotalSeconds);
    }

    private static PackageManifest Manifest(Pair pair, string version, string folder) => new(pair.Package, version, InstallKind.Archive,
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => new PackageFile(Path.GetRelativePath(folder, f), 0b110_100_100, new FileInfo(f).Length, BlobHash.Over(File.ReadAllBytes(f))))]);

    /// <summary>NuGet's own client fetches them, from wherever this machine has its packages.</summary>
    private static void Fetch(string scratch)
    {
        var project = Path.Combine(scratch, "fetch.proj");
        File.WriteAllText(project, $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
              <ItemGroup>{string.Concat(Pairs.Select(p => $"<PackageDownload Include=\"{p.Package}\" Version=\"[{p.Older}];[{p.Newer}]\" />"))}</ItemGroup>
            </Project>
            """);
        var (code, output, errors) = Shell.Try("dotnet", ["restore", project, "--packages", Path.Combine(scratch, "packages"), "-v", "q"], patience: TimeSpan.FromMinutes(10));
        if (code != 0)
            throw new LabException($"the packages can't be fetched: {output.Trim()} {errors.Trim()}");
    }

    private static string PackageIn(string scratch, Pair pair, string version) => Path.Combine(scratch, "packages", pair.Package.ToLowerInvariant(), version);

    /// <summary>The package's files without those that NuGet puts beside them.</summary>
    private static string Unpacked(string scratch, Pair pair, string version)
    {
        var (from, folder) = (PackageIn(scratch, pair, version), Path.Combine(scratch, pair.Name, version));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(from, file);
            if (path == ".nupkg.metadata" || path.EndsWith(".nupkg", StringComparison.Ordinal) || path.EndsWith(".nupkg.sha512", StringComparison.Ordinal))
                continue;
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
            File.Copy(file, Path.Combine(folder, path));
        }

        return folder;
    }

    private sealed record Pair(string Name, string Package, string Older, string Newer);

    /// <param name="Changed">Bytes of the files that are new or other than before.</param>
    /// <param name="Bytes">All that has to come.</param>
    private sealed record Result(long Changed, long Bytes, int Count, double Seconds, double Applied);
}
