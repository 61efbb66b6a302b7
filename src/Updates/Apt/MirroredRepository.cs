using System.Collections.Concurrent;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;

namespace Fleet.Updates.Apt;

/// <summary>One repository: its suites, and which content a path in it names.</summary>
internal sealed class MirroredRepository
{
    private const string SuitePrefix = "suite-";
    private const string Dists = "dists/";

    private readonly AptSource _source;
    private readonly string _directory;
    private readonly BlobFetcher _fetcher;
    // Each release on the disk is verified anew, which takes its time: not before somebody asks.
    private readonly Lazy<ConcurrentDictionary<string, MirroredSuite>> _loaded;
    private readonly Action<AptSuiteState> _tell;
    private readonly Func<IEnumerable<IBlobSource>> _near;

    /// <exception cref="AptException">Its keyring can't be read.</exception>
    public MirroredRepository(AptSource source, string directory, AptMirrorTools tools, Action<AptSuiteState> tell, Action<AptTraffic> passed)
    {
        (_source, _directory, _fetcher, _tell, _near) = (source, directory, tools.Fetcher, tell, tools.Near);
        (Store, Options, Clock, Stop) = (tools.Store, tools.Options, tools.Clock, tools.Stop);
        Keyring = Keyring.Read(source.Keyring, $"the keyring of APT repository {source.Name}");
        Upstream = new AptUpstream(source, tools.Http, tools.Pace, tools.Clock, bytes => passed(new AptTraffic(source.Name, new Uri(source.Url).Authority, bytes, 0, Hit: false)));
        _loaded = new(Load);
    }

    public string Name => _source.Name;

    public Keyring Keyring { get; }

    public AptUpstream Upstream { get; }

    public BlobStore Store { get; }

    public AptMirrorOptions Options { get; }

    public TimeProvider Clock { get; }

    public CancellationToken Stop { get; }

    public DateTimeOffset Now => Clock.GetUtcNow();

    public IEnumerable<AptSuiteState> States => _loaded.IsValueCreated ? Suites.Values.Select(s => s.State) : [];

    private ConcurrentDictionary<string, MirroredSuite> Suites => _loaded.Value;

    /// <summary>Whether it is the same repository with the same keys.</summary>
    public bool Is(AptSource other) => _source.Url == other.Url && _source.Keyring.Span.SequenceEqual(other.Keyring.Span) && _source.Suites.SequenceEqual(other.Suites);

    public void Tell(AptSuiteState state) => _tell(state);

    public bool Needs(BlobHash hash) => Suites.Values.Any(s => s.Needs(hash));

    /// <summary>A file of a signed release; null: the path names none that is passed on.</summary>
    /// <exception cref="AptException">There is none that may be served.</exception>
    public async Task<AptRelease?> Release(string path, CancellationToken cancellation)
    {
        var root = AptPath.DirectoryOf(path);
        if (!MayPass(root))
            return null;
        if (!Suites.TryGetValue(root, out var suite))
        {
            if (Suites.Count >= Options.SuitesKept)
                throw new AptException(AptFault.Missing, Upstream.AddressOf(path).AbsoluteUri, $"{Options.SuitesKept} suites of {Name} are passed on already; name those that are needed");
            suite = Suites.GetOrAdd(root, r => new MirroredSuite(this, r, Path.Combine(_directory, SuitePrefix + Uri.EscapeDataString(r))));
        }

        try
        {
            return await suite.Release(AptPath.FileOf(path), cancellation).ConfigureAwait(false);
        }
        finally
        {
            // Else whoever asks for suites that are nowhere fills the memory.
            if (suite.Generations.Count == 0)
                Suites.TryRemove(new(root, suite));
        }
    }

    /// <summary>An index or a package; null: no verified list names it.</summary>
    /// <exception cref="IOException">A list that might name it can't be had.</exception>
    public async Task<AptFile?> Find(string path)
    {
        var suites = Suites.Values.OrderByDescending(s => s.Root.Length).ToList();
        foreach (var suite in suites.Where(s => path.StartsWith(s.Root, StringComparison.Ordinal)))
            if (suite.Index(path[suite.Root.Length..]) is { } index)
                return index;
        return path.StartsWith(Dists, StringComparison.Ordinal) ? null : await Package(path, suites).ConfigureAwait(false);
    }

    /// <summary>Brings content here; nothing to do where it is.</summary>
    /// <returns>Whether it was here.</returns>
    /// <exception cref="AptException">The source does not have it, or sends something else.</exception>
    public async Task<bool> Bring(AptFile file, CancellationToken cancellation)
    {
        try
        {
            return await _fetcher.Fetch(file.Hash, file.Length, [.. _near(), .. file.At.Select(Upstream.SourceOf)], cancellation, Stop).ConfigureAwait(false) is "";
        }
        catch (FetchException fault)
        {
            // It may have published something new in the meantime.
            foreach (var suite in Suites.Values)
                suite.Doubt();
            throw new AptException(AptFault.Unavailable, Upstream.AddressOf(file.Path).AbsoluteUri, fault.Message, fault);
        }
    }

    private ConcurrentDictionary<string, MirroredSuite> Load()
    {
        var suites = new ConcurrentDictionary<string, MirroredSuite>(StringComparer.Ordinal);
        foreach (var suite in Directory.Exists(_directory) ? Directory.EnumerateDirectories(_directory, SuitePrefix + "*") : [])
        {
            var root = Uri.UnescapeDataString(Path.GetFileName(suite)[SuitePrefix.Length..]);
            if (MayPass(root) && new MirroredSuite(this, root, suite) is { Generations.Count: > 0 } known)
                suites[root] = known;
        }

        return suites;
    }

    // Lists that devices asked for name nearly all that they ask for next; the others are read for a device that has its lists from elsewhere.
    private async Task<AptFile?> Package(string path, List<MirroredSuite> suites)
    {
        IOException? fault = null;
        foreach (var asked in new[] { true, false })
            foreach (var suite in suites)
                foreach (var (generation, list) in suite.Lists(asked))
                    try
                    {
                        if ((asked || MayName(list, path)) && (await suite.Table(generation, list).ConfigureAwait(false)).Find(path) is { } file)
                            return new AptFile(Name, path, file.Hash, file.Length, [path]);
                    }
                    catch (IOException unreadable)
                    {
                        fault = unreadable;
                    }

        return fault is null ? null : throw fault;
    }

    // "…/binary-amd64/Packages" and "…_amd64.deb"; those for all architectures are in each.
    private static bool MayName(string list, string path)
    {
        var file = AptPath.FileOf(path);
        if (AptPath.FileOf(list) == "Sources")
            return !file.EndsWith(".deb", StringComparison.Ordinal);
        var architecture = Path.GetFileNameWithoutExtension(file)[(file.LastIndexOf('_') + 1)..];
        return file.EndsWith(".deb", StringComparison.Ordinal) && (architecture == "all" || !list.Contains("binary-", StringComparison.Ordinal) || AptPath.DirectoryOf(list).EndsWith($"binary-{architecture}/", StringComparison.Ordinal));
    }

    private bool MayPass(string root) => _source.Suites.Count == 0 || _source.Suites.Any(s => s.TrimEnd('/') == MirroredSuite.NameOf(root).TrimEnd('/'));
}
