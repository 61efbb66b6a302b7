using System.Net;
using System.Security.Cryptography;
using System.Text;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Apt;

/// <summary>
/// Passes on signed APT repositories, verified: a pull-through cache that serves nothing which no verified list names. Releases lie in its directory,
/// all else in the store of blobs. Thread-safe.
/// </summary>
public sealed class AptMirror : IDisposable
{
    private readonly string _directory;
    private readonly AptMirrorTools _tools;
    private readonly CancellationTokenSource _stop = new();
    private volatile IReadOnlyDictionary<string, MirroredRepository> _repositories = new Dictionary<string, MirroredRepository>();
    private volatile IReadOnlyList<AptSuiteState> _unreadable = [];

    /// <param name="directory">Its own.</param>
    /// <param name="handler">Where proxy, TLS pins or credentials are set, and no redirect followed; null: nothing of these.</param>
    /// <param name="near">Asked before a repository's source whether they have a file.</param>
    public AptMirror(string directory, BlobStore store, BlobFetcher fetcher, AptMirrorOptions options, Pace pace, TimeProvider clock, HttpMessageHandler? handler = null, Func<IEnumerable<IBlobSource>>? near = null)
    {
        _directory = Path.GetFullPath(directory);
        handler ??= new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None };
        // How long an answer may take is judged by the bytes that come.
        var http = new HttpClient(new SameHostRedirects(handler)) { Timeout = Timeout.InfiniteTimeSpan };
        _tools = new AptMirrorTools(store, fetcher, options, pace, clock, http, near ?? (() => []), _stop.Token);
        fetcher.Came += CountCame;
    }

    /// <summary>A suite's source is refused for a new reason, or good again.</summary>
    public event Action<AptSuiteState>? Changed;

    /// <summary>Bytes passed.</summary>
    public event Action<AptTraffic>? Passed;

    /// <summary>How each suite stands that devices asked for since the start; a repository whose keyring can't be read has one line, with no suite.</summary>
    public IReadOnlyList<AptSuiteState> States => [.. _repositories.Values.SelectMany(r => r.States), .. _unreadable];

    /// <summary>Passes on these repositories from now on, and no others.</summary>
    public void Obey(IReadOnlyList<AptSource> sources)
    {
        var (before, after, unreadable) = (_repositories, new Dictionary<string, MirroredRepository>(StringComparer.Ordinal), new List<AptSuiteState>());
        foreach (var source in sources)
            try
            {
                after[source.Name] = before.TryGetValue(source.Name, out var known) && known.Is(source)
                    ? known
                    : new MirroredRepository(source, Path.Combine(_directory, FolderOf(source)), _tools, s => Changed?.Invoke(s), t => Passed?.Invoke(t));
            }
            catch (AptException refused)
            {
                unreadable.Add(new AptSuiteState(source.Name, "", null, null, null, refused.Message));
            }

        (_repositories, _unreadable) = (after, unreadable);
        Forget([.. sources.Select(FolderOf)]);
        foreach (var problem in unreadable)
            Changed?.Invoke(problem);
    }

    /// <summary>A file of a signed release; null: it is passed on by no repository.</summary>
    /// <param name="path">In the repository, as <see cref="AptPath.Checked"/> has it.</param>
    /// <exception cref="AptException">There is none that may be served.</exception>
    public Task<AptRelease?> Release(string repository, string path, CancellationToken cancellation) =>
        _repositories.TryGetValue(repository, out var found) ? found.Release(path, cancellation) : Task.FromResult<AptRelease?>(null);

    /// <summary>An index or a package; null: no verified list names it.</summary>
    /// <exception cref="IOException">A list that might name it can't be had.</exception>
    public Task<AptFile?> Find(string repository, string path) => _repositories.TryGetValue(repository, out var found) ? found.Find(path) : Task.FromResult<AptFile?>(null);

    /// <summary>Brings content here; nothing to do where it is.</summary>
    /// <returns>Whether it was here.</returns>
    /// <exception cref="IOException">The source does not have it, sends something else, or there is no room.</exception>
    public Task<bool> Bring(AptFile file, CancellationToken cancellation) =>
        _repositories.TryGetValue(file.Repository, out var found) ? found.Bring(file, cancellation) : throw new AptException(AptFault.Missing, file.Path, $"{file.Repository} is not passed on");

    /// <summary>Bytes went to a device.</summary>
    /// <param name="hit">Whether they were here before.</param>
    public void CountServed(string repository, long bytes, bool hit)
    {
        if (_repositories.TryGetValue(repository, out var found))
            Passed?.Invoke(new AptTraffic(repository, found.Upstream.Host, 0, bytes, hit));
    }

    /// <summary>Whether a blob is an index that devices use: packages may go to make room, as they can be had again one by one.</summary>
    public bool Needs(BlobHash hash) => _repositories.Values.Any(r => r.Needs(hash));

    public void Dispose()
    {
        _tools.Fetcher.Came -= CountCame;
        _stop.Cancel();
        _stop.Dispose();
        _tools.Http.Dispose();
    }

    private void CountCame(IBlobSource source, BlobHash hash, int bytes)
    {
        if (source is AptBlobSource apt)
            Passed?.Invoke(new AptTraffic(apt.Repository, apt.Host, bytes, 0, Hit: false));
    }

    // A repository at another address is another one: its dates say nothing about the former's.
    private static string FolderOf(AptSource source) => $"{source.Name}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source.Url)))[..16]}";

    private void Forget(HashSet<string> kept)
    {
        foreach (var folder in Directory.Exists(_directory) ? Directory.GetDirectories(_directory) : [])
            if (!kept.Contains(Path.GetFileName(folder)))
                Directory.Delete(folder, recursive: true);
    }
}

/// <summary>What all repositories share.</summary>
internal sealed record AptMirrorTools(BlobStore Store, BlobFetcher Fetcher, AptMirrorOptions Options, Pace Pace, TimeProvider Clock, HttpClient Http, Func<IEnumerable<IBlobSource>> Near, CancellationToken Stop);
