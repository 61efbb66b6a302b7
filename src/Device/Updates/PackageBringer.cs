using Fleet.Contracts.Agents;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Logging;

namespace Fleet.Device.Updates;

/// <summary>Brings what a package is made of, verified from the signed targets down to the last byte; the same whoever sends it.</summary>
internal sealed partial class PackageBringer : IDisposable
{
    private readonly BlobStore _content;
    private readonly int _deltaMaxFile;
    private readonly BlobFetcher _fetcher;
    private readonly DeltaBuilder _builder;
    private readonly SourceOrder _order;
    private readonly SourceIncidents _incidents;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    // For people: what is being brought just now.
    private string _bringing = "";
    private volatile IReadOnlySet<BlobHash> _needed = new HashSet<BlobHash>();

    /// <param name="deltaMaxFile">Bytes of the longest file that is built of a delta.</param>
    public PackageBringer(BlobStore content, int deltaMaxFile, SourceOrder order, SourceIncidents incidents, TimeProvider clock, ILogger log)
    {
        (_content, _deltaMaxFile, _order, _incidents, _clock, _log) = (content, deltaMaxFile, order, incidents, clock, log);
        _fetcher = new BlobFetcher(content, hash => _needed.Contains(hash), new Budget(clock), Pace.Default, clock);
        _fetcher.Failed += (source, _) => order.Failed(source.Name);
        _fetcher.Lied += (source, hash) =>
        {
            order.Lied(source.Name);
            incidents.Lied(source.Name, $"what it sent as {_bringing} is not what was signed (blob {hash})");
        };
        _builder = new DeltaBuilder(content, _fetcher, deltaMaxFile);
        _builder.Built += (_, saved) => LogBuilt(_bringing, saved);
        _builder.Failed += (_, why) => LogNotBuilt(_bringing, why);
    }

    /// <summary>The manifest where all of its content is here; null: something has to be brought.</summary>
    /// <exception cref="NotBroughtException">It is not what headquarters said.</exception>
    public PackageManifest? Here(WantedPackage wanted) =>
        ManifestOf(wanted) is { } manifest && manifest.Files.All(f => _content.Contains(f.Content)) ? manifest : null;

    /// <summary>Content that none of the packages needs goes.</summary>
    /// <param name="open">Packages that are to be installed still.</param>
    public void Collect(IEnumerable<WantedPackage> open)
    {
        _needed = NeededBy(open);
        _content.Collect(_needed.Contains, TimeSpan.Zero);
    }

    /// <summary>Brings all that is not here of a package that the signed targets list with the very hash that headquarters named, and its vendor too.</summary>
    /// <param name="installed">The folder of the version that is there.</param>
    /// <param name="vendors">Has the last word.</param>
    /// <param name="sources">The sources, best first at the moment of the call.</param>
    /// <exception cref="NotBroughtException">Not now.</exception>
    public async Task<PackageManifest> Bring(WantedPackage wanted, string installed, Catalogue catalogue, VendorCheck vendors, Func<IReadOnlyList<UpdateSource>> sources, CancellationToken stop)
    {
        var path = PackageTarget.PathOf(wanted.Name, wanted.Version);
        var target = await catalogue.Find(path, stop).ConfigureAwait(false) ?? throw new NotBroughtException($"the repository does not list {path}{Besides(catalogue)}");
        if (!target.Hashes.Agree(ContentHashes.OfSha256(wanted.Manifest.Span)))
            throw new NotBroughtException($"the repository lists {path} with another hash than headquarters wants");
        await vendors.Confirm(wanted.Name, target, stop).ConfigureAwait(false);
        if (target.Length > PackageManifest.MaxBytes)
            throw new NotBroughtException($"{path} has {target.Length} bytes; a manifest has {PackageManifest.MaxBytes} at most");
        await Fetch(BlobHash.Of(wanted.Manifest.Span), target.Length, path, () => [.. sources().Select(s => new TargetSource(s, path))], stop).ConfigureAwait(false);
        var manifest = ManifestOf(wanted) ?? throw new NotBroughtException($"{path} is gone from the disk");
        _needed = new HashSet<BlobHash>(_needed.Concat(manifest.Files.Select(f => f.Content)));
        var here = new InstalledFiles(installed, manifest);
        var bases = new InstalledBases(installed, _deltaMaxFile);
        var deltas = Directory.Exists(installed) && Here(wanted) is null ? await DeltasTo(wanted, catalogue, sources, stop).ConfigureAwait(false) : [];
        foreach (var file in manifest.Files)
        {
            var what = $"{file.Path} of {wanted.Name} {wanted.Version}";
            _bringing = $"a delta of {what}";
            if (!await _builder.Build(file.Content, file.Length, deltas, [new StoredFiles(_content), bases.Of(file.Path)], _ => sources(), stop).ConfigureAwait(false))
                await Fetch(file.Content, file.Length, what, () => [here, .. sources()], stop).ConfigureAwait(false);
        }

        return manifest;
    }

    public void Dispose() => _builder.Dispose();

    /// <summary>What the signed targets list beside the package; without it all comes whole.</summary>
    private async Task<IReadOnlyList<FileDelta>> DeltasTo(WantedPackage wanted, Catalogue catalogue, Func<IReadOnlyList<UpdateSource>> sources, CancellationToken stop)
    {
        var path = PackageTarget.DeltasOf(wanted.Name, wanted.Version);
        try
        {
            if (await catalogue.Find(path, stop).ConfigureAwait(false) is not { Length: <= PackageDeltas.MaxBytes } target || target.Hashes.Naming is not { } name || BlobHash.Parse(name) is not { } hash)
                return [];
            await Fetch(hash, target.Length, path, () => [.. sources().Select(s => new TargetSource(s, path))], stop).ConfigureAwait(false);
            return _content.ReadAll(hash, PackageDeltas.MaxBytes) is { } bytes ? PackageDeltas.Read(bytes).Deltas : [];
        }
        catch (Exception fault) when (fault is NotBroughtException or BlobDamagedException or FormatException)
        {
            LogNotBuilt(path, fault.Message);
            return [];
        }
    }

    private static string Besides(Catalogue catalogue) => catalogue.Problems.Length == 0 ? "" : $" ({catalogue.Problems})";

    private async Task Fetch(BlobHash hash, long length, string what, Func<IReadOnlyList<IBlobSource>> sources, CancellationToken stop)
    {
        if (_content.Contains(hash))
            return;
        _bringing = what;
        var began = _clock.GetTimestamp();
        try
        {
            var source = await _fetcher.Fetch(hash, length, sources(), stop, stop).ConfigureAwait(false);
            _order.Measure(source, length, _clock.GetElapsedTime(began));
        }
        catch (FetchException fault)
        {
            _order.BroughtNothing();
            throw new NotBroughtException($"{what}: {(fault.Failures.Count == 0 ? "headquarters named no source of updates" : string.Join("; ", fault.Failures))}");
        }
    }

    private PackageManifest? ManifestOf(WantedPackage wanted)
    {
        if (_content.ReadAll(BlobHash.Of(wanted.Manifest.Span), PackageManifest.MaxBytes) is not { } bytes)
            return null;
        try
        {
            var manifest = PackageManifest.Read(bytes);
            return (manifest.Name, manifest.Version, manifest.Kind.Name()) == (wanted.Name, wanted.Version, wanted.Kind)
                ? manifest
                : throw new NotBroughtException($"the manifest is of {manifest.Name} {manifest.Version}, kind {manifest.Kind.Name()}, where headquarters wants kind {wanted.Kind}");
        }
        catch (Exception fault) when (fault is FormatException or TufException)
        {
            throw new NotBroughtException($"the manifest can't be read: {fault.Message}");
        }
    }

    private HashSet<BlobHash> NeededBy(IEnumerable<WantedPackage> open)
    {
        var needed = new HashSet<BlobHash>();
        foreach (var wanted in open)
        {
            needed.Add(BlobHash.Of(wanted.Manifest.Span));
            try
            {
                needed.UnionWith(ManifestOf(wanted)?.Files.Select(f => f.Content) ?? []);
            }
            catch (Exception fault) when (fault is NotBroughtException or BlobDamagedException)
            {
                // It names nothing then.
            }
        }

        return needed;
    }

    [LoggerMessage(LogLevel.Information, "{What} did its work: {Saved} bytes less had to come")]
    private partial void LogBuilt(string what, long saved);

    [LoggerMessage(LogLevel.Warning, "{What} is of no use, the whole is brought: {Why}")]
    private partial void LogNotBuilt(string what, string why);

    /// <summary>A target: like all content by its hash, and else where any repository has it, among its targets.</summary>
    private sealed class TargetSource(UpdateSource source, string path) : IBlobSource
    {
        public string Name => source.Name;

        public async Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation)
        {
            if (await source.Open(hash, from, cancellation).ConfigureAwait(false) is { } blob)
                return blob;
            var slash = path.LastIndexOf('/') + 1;
            var found = await source.Targets.OpenAsync($"{path[..slash]}{Uri.EscapeDataString($"{hash}.{path[slash..]}")}", cancellation).ConfigureAwait(false);
            // Such targets are small: what came of one before is not worth a range.
            if (found is not null && from > 0)
                await found.ReadExactlyAsync(new byte[from], cancellation).ConfigureAwait(false);
            return found;
        }
    }
}
