using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Api;
using Fleet.Messages.Company;
using Fleet.Messages.Transport;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Headquarters.Updates;

/// <summary>
/// Mirrors of what the vendors list, each verified by the vendor's own root, in a directory each; of their content only what is published here too. A vendor
/// that is out of reach leaves the last good one. Until disposed. Thread-safe.
/// </summary>
public sealed partial class VendorMirrors : IAsyncDisposable
{
    /// <summary>How often the list of vendors is looked at, and who is due of them.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private readonly string _directory;
    private readonly TenantRepository _repository;
    private readonly Func<Task<IReadOnlyList<Vendor>>> _vendors;
    private readonly UpdateOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly BlobFetcher _fetcher;
    private readonly DeltaBuilder _deltas;
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _oneLook = new(1, 1);
    private readonly ConcurrentDictionary<string, VendorMirror> _open = new();
    private readonly Dictionary<(string Vendor, BlobHash Manifest), Task> _brings = [];
    private volatile IReadOnlyDictionary<string, (Vendor Vendor, VendorMirror Mirror)> _named = new Dictionary<string, (Vendor, VendorMirror)>();
    private ITimer? _timer;
    private volatile Func<BlobHash, bool>? _kept;

    private VendorMirrors(string directory, TenantRepository repository, Func<Task<IReadOnlyList<Vendor>>> vendors, UpdateOptions options, TimeProvider clock, ILoggerFactory logging, IByteNetwork? network)
    {
        (_directory, _repository, _vendors, _options, _clock, _log) = (directory, repository, vendors, options, clock, logging.CreateLogger<VendorMirrors>());
        _fetcher = new BlobFetcher(repository.Content.Blobs, hash => (_kept ??= repository.Content.Kept())(hash), new Budget(clock), Pace.Default, clock);
        // What has just come is kept too.
        _fetcher.Whole += _ => _kept = null;
        _deltas = new DeltaBuilder(repository.Content.Blobs, _fetcher, options.DeltaMaxFile);
        _http = HttpBlobSource.Client(new SocketsHttpHandler
        {
            ConnectCallback = network is null ? null : async (asked, stop) => await network.Connect(HostPort.Of(asked.DnsEndPoint.Host, asked.DnsEndPoint.Port), stop),
        });
    }

    /// <summary>Serves what was mirrored before, and begins to look after the vendors.</summary>
    /// <param name="vendors">Who is to be mirrored now.</param>
    /// <param name="network">Null: the machine's own sockets.</param>
    public static async Task<VendorMirrors> Open(
        string directory, TenantRepository repository, Func<Task<IReadOnlyList<Vendor>>> vendors, UpdateOptions options, TimeProvider clock, ILoggerFactory logging, IByteNetwork? network = null)
    {
        var mirrors = new VendorMirrors(directory, repository, vendors, options, clock, logging, network);
        await mirrors.Obey();
        mirrors._timer = clock.CreateTimer(_ => _ = mirrors.Look(), null, TimeSpan.Zero, LookEvery);
        return mirrors;
    }

    /// <summary>A metadata file of a vendor as it is served; null: there is no such vendor or file.</summary>
    public byte[]? Metadata(string vendor, string name) => _named.TryGetValue(vendor, out var found) ? found.Mirror.Files.Metadata(name) : null;

    /// <summary>How a vendor's mirror stands; null: there is no such vendor.</summary>
    public VendorStanding? StandingOf(string vendor) => _named.TryGetValue(vendor, out var found) ? found.Mirror.Standing : null;

    /// <summary>The packages that a vendor lists, by name and version.</summary>
    public IEnumerable<ListedPackage> ListedBy(string vendor) =>
        _named.TryGetValue(vendor, out var found) ? found.Mirror.Files.Index.Packages.Values.OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Version, StringComparer.Ordinal) : [];

    /// <summary>Whether a repository can be read and is what the root says; what was read of it stays for when the vendor is added.</summary>
    /// <returns>Why not; null: it is.</returns>
    public Task<string?> Try(Vendor vendor, CancellationToken cancellation) => Refresh(vendor, MirrorOf(vendor), cancellation);

    /// <summary>Reads the newest of a vendor now.</summary>
    /// <returns>Why not; null: it is here.</returns>
    public async Task<Refusal?> Refresh(string vendor, CancellationToken cancellation)
    {
        if (Find(vendor, out var found) is { } unknown)
            return unknown;
        return await Refresh(found.Vendor, found.Mirror, cancellation) is { } why ? new Refusal(RefusalCode.Busy, $"vendor {vendor} could not be read anew: {why}") : null;
    }

    /// <summary>The list of vendors changed.</summary>
    public async Task Obey()
    {
        var vendors = await _vendors();
        _named = vendors.ToDictionary(v => v.Name, v => (v, MirrorOf(v)));
    }

    /// <summary>Why a version of a package may not be published here: a vendor covers its name, and does not list it so; null: it may.</summary>
    /// <param name="manifest">Null: it is not known yet.</param>
    public Refusal? Problem(string name, string version, BlobHash? manifest)
    {
        foreach (var (vendor, mirror) in _named.Values.Where(v => PackagePattern.Any(v.Vendor.Packages, name)))
        {
            var listed = mirror.Listed(name, version);
            if (listed is null || (manifest is not null && listed.Manifest != manifest))
                return new Refusal(RefusalCode.NotAllowed,
                    $"'{name}' is a package of vendor {vendor.Name} ({string.Join(", ", vendor.Packages)}), which {(listed is null ? $"does not list version {version}" : $"lists version {version} with another manifest, {listed.Manifest}")}: devices would not install it. Publish what the vendor lists by 'fleet update publish {name} --version {version} --vendor {vendor.Name}', or publish under another name");
        }

        return null;
    }

    /// <summary>Brings a version of a package from its vendor, every byte verified, and publishes it here under the same manifest. What is brought goes on when the asker leaves.</summary>
    /// <param name="within">How long the asker waits; then he is told how far it is, and asks again.</param>
    public async Task<VendorPublication> Publish(string vendor, string name, string version, TimeSpan within, CancellationToken cancellation)
    {
        if (Find(vendor, out var found) is { } unknown)
            return VendorPublication.Refused(unknown);
        if (!PackagePattern.Any(found.Vendor.Packages, name))
            return VendorPublication.Refused(new Refusal(RefusalCode.NotAllowed,
                $"vendor {vendor} covers {string.Join(", ", found.Vendor.Packages)}, and '{name}' is none of these: devices would not ask the vendor for it. Add its pattern by 'fleet update vendor add {vendor}'"));
        if (PackageTarget.Problem(name, version) is { } misnamed)
            return VendorPublication.Refused(Refusal.Invalid(misnamed));
        // While its content comes, the asker asks again and again.
        if (!IsBringing(vendor) && await Refresh(vendor, cancellation) is { } unreadable)
            return VendorPublication.Refused(unreadable);
        if (found.Mirror.Listed(name, version) is not { } listed)
            return VendorPublication.Refused(new Refusal(RefusalCode.NotFound, $"vendor {vendor} does not list {PackageTarget.PathOf(name, version)}; see what it lists: fleet update vendor show {vendor}"));
        if (Problem(name, version, listed.Manifest) is { } contrary)
            return VendorPublication.Refused(contrary);
        try
        {
            await Bring(found.Vendor, found.Mirror, listed).WaitAsync(within, _clock, cancellation);
        }
        catch (TimeoutException)
        {
            return Far(found.Mirror, listed);
        }
        catch (Exception fault) when (fault is MirrorException or StorageException)
        {
            return VendorPublication.Refused(new Refusal(fault is StorageException ? RefusalCode.TooLarge : RefusalCode.Busy, $"{name} {version} could not be brought from vendor {vendor}: {fault.Message}; what came of it stays, so the same again goes on there"));
        }

        if (found.Mirror.Files.ManifestOf(listed.Manifest) is not { } manifest || (manifest.Name, manifest.Version) != (name, version) || BlobHash.Over(manifest.ToBytes()) != listed.Manifest)
            return VendorPublication.Refused(new Refusal(RefusalCode.NotAllowed, $"the manifest that vendor {vendor} signed as {name} {version} is of another package, or not written as manifests are; tell the vendor"));
        var done = await _repository.Publish(manifest, cancellation);
        return done.Refusal is { } refusal ? VendorPublication.Refused(refusal) : new VendorPublication(done, manifest.Length, manifest.Length);
    }

    public async ValueTask DisposeAsync()
    {
        if (_timer is not null)
            await _timer.DisposeAsync();
        await _stop.CancelAsync();
        foreach (var running in Running())
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Whoever reads a vendor just now has let go once his turn can be had.
        await _oneLook.WaitAsync();
        foreach (var mirror in _open.Values)
            await mirror.One.WaitAsync();
        _deltas.Dispose();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task Look()
    {
        if (!await _oneLook.WaitAsync(TimeSpan.Zero))
            return;
        try
        {
            await Obey();
            var now = _clock.GetUtcNow();
            await Task.WhenAll(_named.Values.Where(v => v.Mirror.IsDue(now, _options.VendorRefresh)).Select(v => Refresh(v.Vendor, v.Mirror, _stop.Token)));
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException or UnauthorizedAccessException or StorageException || _stop.IsCancellationRequested)
        {
            if (!_stop.IsCancellationRequested)
                LogNotLooked(fault.Message);
        }
        finally
        {
            _oneLook.Release();
        }
    }

    private async Task<string?> Refresh(Vendor vendor, VendorMirror mirror, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stop.Token);
        await mirror.One.WaitAsync(either.Token);
        try
        {
            var before = mirror.Standing;
            var after = await mirror.Refresh(vendor.Root, SourceOf(vendor), _clock.GetUtcNow(), either.Token);
            if (after.Problem.Length > 0 && after.Problem != before.Problem)
                LogProblem(vendor.Name, after.Problem);
            return after.Problem.Length > 0 ? after.Problem : null;
        }
        finally
        {
            mirror.One.Release();
        }
    }

    private Refusal? Find(string vendor, out (Vendor Vendor, VendorMirror Mirror) found) =>
        _named.TryGetValue(vendor, out found) ? null : new Refusal(RefusalCode.NotFound, $"there is no vendor '{vendor}'{NearMiss.Hint(vendor, _named.Keys)}");

    // What failed while nobody waited is told to the next who asks; the one after that tries anew.
    private Task Bring(Vendor vendor, VendorMirror mirror, ListedPackage listed)
    {
        var key = (vendor.Name, listed.Manifest);
        lock (_brings)
        {
            if (_brings.Remove(key, out var known) && (!known.IsCompleted || known.IsFaulted))
            {
                if (!known.IsCompleted)
                    _brings[key] = known;
                return known;
            }

            _kept = null;
            var content = SourceOf(vendor).Content;
            return _brings[key] = Task.Run(() => mirror.Files.BringPackage(listed.Name, listed.Version, listed.Manifest, _ => [content], _stop.Token));
        }
    }

    private bool IsBringing(string vendor)
    {
        lock (_brings)
            return _brings.Any(b => b.Key.Vendor == vendor && !b.Value.IsCompleted);
    }

    private List<Task> Running()
    {
        lock (_brings)
            return [.. _brings.Values];
    }

    private VendorPublication Far(VendorMirror mirror, ListedPackage listed)
    {
        var blobs = _repository.Content.Blobs;
        var files = mirror.Files.ManifestOf(listed.Manifest)?.Files.DistinctBy(f => f.Content).ToList() ?? [];
        return new VendorPublication(null, files.Sum(f => blobs.LengthOf(f.Content) ?? blobs.LengthOfPart(f.Content)), files.Sum(f => f.Length));
    }

    private VendorMirror MirrorOf(Vendor vendor) => _open.GetOrAdd(VendorFolder.Of(vendor.Name, vendor.Root.Span), folder =>
        new VendorMirror(new Mirror(Path.Combine(_directory, folder), _repository.Content.Blobs, _fetcher, _deltas, Pace.Default, _clock)));

    private RepositorySource SourceOf(Vendor vendor) => Path.IsPathFullyQualified(vendor.Source)
        ? RepositorySource.OfFolder(vendor.Source)
        : RepositorySource.At(vendor.Source, _http);

    [LoggerMessage(LogLevel.Warning, "Vendor {Vendor} can't be read, and what it listed last counts on: {Problem}")]
    private partial void LogProblem(string vendor, string problem);

    [LoggerMessage(LogLevel.Warning, "The vendors can't be looked after now: {Problem}")]
    private partial void LogNotLooked(string problem);
}

/// <summary>The mirror of one vendor.</summary>
internal sealed class VendorMirror
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(10);
    private DateTimeOffset? _triedAt;

    public VendorMirror(Mirror files)
    {
        Files = files;
        files.Resume();
        Standing = new VendorStanding(files.Timestamp, null, "");
    }

    public Mirror Files { get; }

    /// <summary>Held by who refreshes it.</summary>
    public SemaphoreSlim One { get; } = new(1, 1);

    public VendorStanding Standing { get; private set; }

    public ListedPackage? Listed(string name, string version) => Files.Index.Packages.Values.FirstOrDefault(p => p.Name == name && p.Version == version);

    public bool IsDue(DateTimeOffset now, TimeSpan every) => _triedAt is not { } tried || now - tried >= (Standing.Problem.Length > 0 && RetryAfter < every ? RetryAfter : every);

    public async Task<VendorStanding> Refresh(ReadOnlyMemory<byte> root, RepositorySource source, DateTimeOffset now, CancellationToken stop)
    {
        _triedAt = now;
        try
        {
            Files.Begin(root.ToArray());
            await Files.Refresh([source], now, least: 0, stop);
            return Standing = new VendorStanding(Files.Timestamp, now, "");
        }
        catch (Exception fault) when (fault is MirrorException or TufException or IOException or UnauthorizedAccessException)
        {
            return Standing = Standing with { Problem = fault.Message };
        }
    }
}

/// <summary>How the mirror of a vendor stands.</summary>
/// <param name="Timestamp">Version of the newest timestamp that was read and verified; 0: none yet.</param>
/// <param name="ReadAt">Null: not since headquarters started.</param>
/// <param name="Problem">Why it could not be read the last time; empty: it could.</param>
public sealed record VendorStanding(long Timestamp, DateTimeOffset? ReadAt, string Problem);

/// <summary>What became of a publication from a vendor.</summary>
/// <param name="Done">Null: its content is still on its way, or it was refused.</param>
/// <param name="Here">Bytes of its files that are here.</param>
/// <param name="Total">Of all its files; 0: not known yet.</param>
public sealed record VendorPublication(Publication? Done, long Here, long Total, Refusal? Refusal = null)
{
    public static VendorPublication Refused(Refusal refusal) => new(null, 0, 0, refusal);
}
