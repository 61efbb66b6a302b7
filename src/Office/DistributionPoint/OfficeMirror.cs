using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Gateway.Content;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.Office.Identity;
using Fleet.Office.Monitoring;
using Fleet.Updates.Apt;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Fleet.Office.DistributionPoint;

/// <param name="Network">Null: the machine's own sockets.</param>
public sealed record OfficeMirrorSetup(NodeId Node, string Directory, DistributionOptions Options, NodeCredentials Credentials, IByteNetwork? Network, TimeProvider Clock, ILoggerFactory Logging, OfficeMeter? Meter = null);

/// <summary>
/// What a distribution point has and serves: the mirror of the tenant's repository over one store of content. Serves from its disk whatever the link does.
/// Thread-safe; one run at a time. Until disposed.
/// </summary>
internal sealed partial class OfficeMirror : IAsyncDisposable
{
    private readonly OfficeMirrorSetup _setup;
    private readonly OfficeSources _sources;
    private readonly BlobStore _blobs;
    private readonly BlobFetcher _fetcher;
    private readonly DeltaBuilder _deltas;
    private readonly Mirror _mirror;
    private readonly VendorLists _vendors;
    private readonly AptMirror _apt;
    private readonly ContentCounter _counter;
    private readonly ContentAdmission _admission;
    private readonly CancellationTokenSource _stop = new();
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<BlobHash, DateTimeOffset> _told = new();
    private readonly ConcurrentDictionary<string, string> _problems = new();
    private volatile UpdatePlan? _plan;
    private volatile IReadOnlySet<BlobHash> _wanted = new HashSet<BlobHash>();
    // Whether the last run found a source with a good generation.
    private volatile bool _refreshes = true;
    private volatile IReadOnlyList<DownloadTask> _tasks = [];

    /// <exception cref="IOException">The directory can't be read or written.</exception>
    public OfficeMirror(OfficeMirrorSetup setup)
    {
        _setup = setup;
        _log = setup.Logging.CreateLogger<OfficeMirror>();
        _sources = new OfficeSources(setup.Node, () => setup.Credentials.Certificate, setup.Credentials.Trust, setup.Network ?? new TcpNetwork(), (purpose, secret) => setup.Credentials.OpenSecret(purpose, secret.Span),
            hash => new PeerQuestion(setup.Node, (ulong)Timestamp, _mirror!.Index.Find(hash)?.Package.Manifest, OnlyIfHere: false));
        _blobs = new BlobStore(Path.Combine(setup.Directory, "content"), setup.Options.Content, setup.Clock);
        Uplink = new Budget(setup.Clock);
        _fetcher = new BlobFetcher(_blobs, IsNeeded, Uplink, Pace.Default, setup.Clock);
        _deltas = new DeltaBuilder(_blobs, _fetcher, setup.Options.DeltaMaxFile);
        _mirror = new Mirror(Path.Combine(setup.Directory, "repository"), _blobs, _fetcher, _deltas, Pace.Default, setup.Clock);
        _mirror.Resume();
        _vendors = new VendorLists(Path.Combine(setup.Directory, "vendors"), directory => new Mirror(directory, _blobs, _fetcher, _deltas, Pace.Default, setup.Clock));
        _counter = new ContentCounter(Path.Combine(setup.Directory, "counts.bin"), hash => _mirror.Index.Find(hash), setup.Clock.GetUtcNow(), setup.Meter);
        _apt = new AptMirror(Path.Combine(setup.Directory, "apt"), _blobs, _fetcher, AptMirrorOptions.Default with { FreshFor = setup.Options.AptFreshFor }, Pace.Default, setup.Clock, _sources.Web(), () => _sources.Near);
        _apt.Passed += _counter.Passed;
        _apt.Changed += suite => Tell(suite.Problem is null ? "apt-good" : "apt-refused", suite.Problem is null
            ? $"APT repository {suite.Repository}, suite {suite.Suite} is good again"
            : $"APT repository {suite.Repository}{(suite.Suite.Length > 0 ? $", suite {suite.Suite}" : "")}: {suite.Problem}; the last good content is served");
        _admission = new ContentAdmission(setup.Options.MaxTransfers, setup.Options.MaxTransfersOfOne, TimeSpan.FromSeconds(2));
        _fetcher.Came += _counter.Came;
        _fetcher.Whole += _counter.Whole;
        _deltas.Built += _counter.Saved;
        _deltas.Failed += (delta, why) => LogNotBuilt(Named(delta.File), why);
        _fetcher.Lied += (source, hash) => Tell("source-lied", $"{source.Name} sent something else as {Named(hash)}; it was not kept");
        _blobs.Damaged += hash =>
        {
            _counter.Damaged(hash);
            Tell("content-damaged", $"{Named(hash)} was damaged on the disk; it is not served, and is brought anew");
        };
    }

    /// <summary>What all downloads of this node together may take of the uplink.</summary>
    public Budget Uplink { get; }

    /// <summary>For the node's history: kind and text.</summary>
    public event Action<string, string>? Happened;

    /// <summary>Another distribution point serves a newer generation.</summary>
    public event Action? Behind;

    /// <summary>Version of the timestamp that is served.</summary>
    public long Timestamp => _mirror.Timestamp;

    /// <summary>Obeys from now on.</summary>
    /// <param name="tasks">The plan's, or what stands for them where it has none.</param>
    /// <exception cref="TufException">The root is not even signed as it demands.</exception>
    public void Obey(UpdatePlan plan, IReadOnlyList<DownloadTask> tasks)
    {
        _sources.Obey(plan, tasks.SelectMany(t => t.Sources));
        (_plan, _tasks, _wanted) = (plan, tasks, Of(plan.Wanted).Select(w => w.Manifest).ToHashSet());
        foreach (var gone in _problems.Keys.Except(tasks.Select(t => t.Name)))
            _problems.TryRemove(gone, out _);
        _apt.Obey([.. plan.Apt.Select(a => new AptSource(a.Name, a.Url, a.Keyring, a.Suites))]);
        _vendors.Obey(plan.Vendors);
        _mirror.Begin(plan.Root.ToArray());
    }

    /// <summary>Opens the port for devices, and the plain one.</summary>
    /// <exception cref="IOException">One is in use or may not be used; the message names the setting.</exception>
    public async Task<ContentPorts> Listen()
    {
        var (options, credentials) = (_setup.Options, _setup.Credentials);
        var tls = new ContentTls(new ShownCertificate(() => credentials.Certificate, credentials.Trust.Authority), credentials.Trust, RequireClientCertificate: true);
        var secure = await ContentListener.Start(Listener(options.Port, "fleet.distribution", tls));
        try
        {
            return new ContentPorts(secure, await ContentListener.Start(Listener(options.PlainPort, "fleet.distribution.plain", tls: null)), options);
        }
        catch
        {
            await secure.DisposeAsync();
            throw;
        }
    }

    /// <summary>One run of a task: takes the newest generation, and brings everything that is wanted; one package that can't be had does not keep back the others.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled; what came of a file stays for the next run.</exception>
    public async Task<DownloadResult> Run(DownloadTask task, CancellationToken cancellation)
    {
        if (_plan is not { } plan)
            return new DownloadResult(DownloadOutcome.Failed, "headquarters has not said yet what is to be mirrored");
        // Before the tenant's: what that lists of a vendor's, the vendor listed before. One that can't be read keeps nothing else back.
        var (all, unread) = await _vendors.Refresh(_sources.VendorsAt, _setup.Clock.GetUtcNow(), cancellation);
        var problems = unread.ToList();
        var outcome = all ? DownloadOutcome.Full : DownloadOutcome.Partial;
        try
        {
            var (_, failures) = await _mirror.Refresh(_sources.Repositories(task.Sources), _setup.Clock.GetUtcNow(), (long)plan.Timestamp, cancellation);
            // Those before the source that had it: an operator must see that they fail.
            problems.AddRange(failures);
            _refreshes = true;
        }
        catch (MirrorException fault)
        {
            _refreshes = false;
            outcome = DownloadOutcome.Failed;
            problems.AddRange(fault.Failures);
        }

        foreach (var (name, version, manifest) in Wanted(plan, task.Patterns))
        {
            try
            {
                await _mirror.BringPackage(name, version, manifest, hash => _sources.For(hash, task.Sources, askedByPeer: false), cancellation);
            }
            catch (Exception fault) when (fault is MirrorException or StorageException)
            {
                outcome = outcome == DownloadOutcome.Failed ? outcome : DownloadOutcome.Partial;
                problems.AddRange(fault is MirrorException missing ? missing.Failures : [$"{name} {version}: {fault.Message}"]);
            }
        }

        _blobs.Collect(hash => IsNeeded(hash) || IsBase(hash), _setup.Options.KeepUnused);
        return new DownloadResult(outcome, Short(string.Join("; ", problems)));
    }

    /// <summary>How it stands, with what the last run of each task lacked and what is wrong with APT repositories now.</summary>
    public MirrorState State() => new(
        (ulong)_mirror.Timestamp,
        [.. _wanted.Where(IsWhole).Select(m => m.Value).Order(StringComparer.Ordinal).Take(MirrorState.MaxWhole)],
        Short(string.Join("; ", [.. _problems.Values.Distinct(), .. _apt.States.Where(s => s.Problem is not null).Select(s => $"APT repository {s.Repository}: {s.Problem}")])));

    /// <summary>What a task's last run lacked, or why it can't even be begun.</summary>
    /// <param name="problem">Empty: nothing.</param>
    public void Lacks(string task, string problem)
    {
        if (problem.Length > 0)
            _problems[task] = Short(problem);
        else
            _problems.TryRemove(task, out _);
    }

    /// <summary>The counts are told again, changed or not.</summary>
    public void CountAnew() => _counter.Again();

    /// <summary>The counts, if they changed since they were last taken.</summary>
    public ContentCounts? TakeCounts() => _counter.TakeChanged(_blobs, package => _mirror.Index.Packages.Values.FirstOrDefault(p => p.Name == package.Name && p.Version == package.Version) is { } listed ? Have(listed.Manifest) : (0, 0), Have, _setup.Clock.GetUtcNow());

    /// <summary>Hashes every file on the disk once.</summary>
    /// <returns>Whether some was damaged.</returns>
    public async Task<bool> Scrub(CancellationToken cancellation) => (await _blobs.Scrub(_setup.Options.ScrubRate, cancellation)).Damaged > 0;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _apt.Dispose();
        _deltas.Dispose();
        _sources.Dispose();
        _stop.Dispose();
    }

    private ContentListenerSetup Listener(int port, string block, ContentTls? tls) => new(
        new System.Net.IPEndPoint(_setup.Options.Bind, port), "the distribution point", block, tls, Map, _setup.Logging, _setup.Network);

    private void Map(WebApplication host)
    {
        new MetadataEndpoint((name, _) => Task.FromResult(_mirror.Metadata(name)), _vendors.Metadata, new ContentEndpoint(_blobs, Asked, _admission, _counter.Served)).Map(host);
        new AptEndpoint(_apt, _blobs, _admission).Map(host);
    }

    // For what somebody asks for: those of all tasks that go on, in their order.
    private IReadOnlyList<UpdateSource> Sources => [.. _tasks.Where(t => !t.Paused).SelectMany(t => t.Sources).Distinct()];

    private async Task<ContentAnswer> Asked(BlobHash hash, HttpContext asked)
    {
        var peer = PeerQuestion.Of(asked.Request);
        if (peer is { OnlyIfHere: true })
            return ContentAnswer.Unknown;
        try
        {
            if (peer is not null && _mirror.Index.Find(hash) is null)
            {
                // The asker heard of a new generation first.
                if (peer.Timestamp > (ulong)_mirror.Timestamp)
                {
                    Behind?.Invoke();
                    return _refreshes ? ContentAnswer.Later : ContentAnswer.Unknown;
                }

                if (peer.Manifest is { } manifest && await Bring(manifest) is not ContentAnswer.Here and var answer)
                    return answer;
            }

            return await Bring(hash);
        }
        catch (Exception fault) when (fault is FetchException or StorageException)
        {
            TellOnce(hash, fault.Message);
            // Whoever asks should wait rather than take a copy of his own over the same line, which is cut for us too.
            return fault is FetchException { IsPassing: true } ? ContentAnswer.Later : ContentAnswer.Unknown;
        }

        Task<ContentAnswer> Bring(BlobHash content) =>
            _mirror.Bring(content, h => _sources.For(h, Sources, peer is not null), _setup.Options.AnswerWithin, asked.RequestAborted, _stop.Token);
    }

    private static IEnumerable<(string Name, string Version, BlobHash Manifest)> Of(IEnumerable<WantedUpdate> wanted) =>
        wanted.Select(w => (w.Package, w.PackageVersion, BlobHash.Parse(w.Manifest))).Where(w => w.Item3 is not null).Select(w => (w.Package, w.PackageVersion, w.Item3!.Value));

    private IEnumerable<(string Name, string Version, BlobHash Manifest)> Wanted(UpdatePlan plan, IReadOnlyList<string> patterns) =>
        Of(plan.Wanted).Concat(_mirror.Index.Packages.Values.Where(p => patterns.Any(t => Matches(p.Name, t))).Select(p => (p.Name, p.Version, p.Manifest))).DistinctBy(w => w.Item3);

    private static bool Matches(string name, string pattern) => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    // Of all that is to be mirrored. Before a manifest is here, headquarters' word for the length of its package counts.
    private (long Here, long Total) Have()
    {
        var (here, total) = (0L, 0L);
        foreach (var (_, _, manifest) in _plan is { } plan ? Wanted(plan, [.. _tasks.SelectMany(t => t.Patterns)]) : [])
        {
            var (some, all) = Have(manifest);
            here += some;
            total += all > 0 ? all : _plan?.Wanted.FirstOrDefault(w => w.Manifest == manifest.Value)?.Length ?? 0;
        }

        return (here, total);
    }

    private (long Here, long Total) Have(BlobHash manifest)
    {
        var files = _mirror.ManifestOf(manifest)?.Files.DistinctBy(f => f.Content).ToList() ?? [];
        return (files.Sum(f => _blobs.LengthOf(f.Content) ?? _blobs.LengthOfPart(f.Content)), files.Sum(f => f.Length));
    }

    private bool IsWhole(BlobHash manifest) => _mirror.ManifestOf(manifest) is { } known && known.Files.All(f => _blobs.Contains(f.Content));

    // Asked only where there is no room, and when what is unused goes.
    private bool IsNeeded(BlobHash hash) => _apt.Needs(hash) || IsWanted(hash);

    // Where room is short it goes all the same: better the next version whole than none.
    private bool IsBase(BlobHash hash) => _mirror.Index.DeltasFrom(hash).Any(d => !_blobs.Contains(d.File) && IsWanted(d.File));

    // A file that several versions have is wanted if one of them is.
    private bool IsWanted(BlobHash hash) => _wanted.Contains(hash)
        || _mirror.Index.Find(hash)?.Packages.Any(p => _wanted.Contains(p.Manifest) || _tasks.Any(t => t.Patterns.Any(pattern => Matches(p.Name, pattern)))) == true;

    private string Named(BlobHash hash) => _mirror.Index.Find(hash) is { } listed ? $"content {hash} of {listed.Package.Name} {listed.Package.Version}" : $"content {hash}";

    private void Tell(string kind, string text)
    {
        LogHappened(text);
        Happened?.Invoke(kind, Short(text));
    }

    // A thousand devices that ask for the same are one entry.
    private void TellOnce(BlobHash hash, string text)
    {
        var now = _setup.Clock.GetUtcNow();
        if (_told.TryGetValue(hash, out var at) && now - at < _setup.Options.RefreshEvery)
            return;
        if (_told.Count > 1000)
            _told.Clear();
        _told[hash] = now;
        Tell("content-missing", $"{Named(hash)}: {text}");
    }

    private static string Short(string text) => text.Length <= 900 ? text : text[..900] + "…";

    [LoggerMessage(LogLevel.Warning, "A delta to {What} is of no use, the whole is brought: {Why}")]
    private partial void LogNotBuilt(string what, string why);

    [LoggerMessage(LogLevel.Warning, "{Text}")]
    private partial void LogHappened(string text);
}

/// <summary>The open ports of a distribution point.</summary>
internal sealed class ContentPorts(ContentListener secure, ContentListener plain, DistributionOptions options) : IAsyncDisposable
{
    /// <summary>Where devices are sent.</summary>
    public System.Net.IPEndPoint At => (options.PlainContent ? plain : secure).Local;

    public async ValueTask DisposeAsync()
    {
        await secure.DisposeAsync();
        await plain.DisposeAsync();
    }
}
