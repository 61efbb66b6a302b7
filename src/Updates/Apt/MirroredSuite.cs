using System.Collections.Concurrent;
using Fleet.Contracts.Storage;
using Fleet.Updates.Content;

namespace Fleet.Updates.Apt;

/// <summary>
/// One suite: its newest good releases, and the question whether its source has a newer one. A new release is shown only when it is verified and what
/// devices asked for of the last one is here, so that whoever sees it gets all of it.
/// </summary>
internal sealed class MirroredSuite
{
    private static readonly TimeSpan AskedSteps = TimeSpan.FromDays(1);

    private readonly MirroredRepository _of;
    private readonly string _root;
    private readonly string _name;
    private readonly GenerationFiles _files;
    private readonly ConcurrentDictionary<string, DateTimeOffset> _asked = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private IReadOnlyList<Generation> _generations;
    private Generation? _shown;
    private FetchedRelease? _accepted;
    private Task? _asking;
    private DateTimeOffset _askAt = DateTimeOffset.MinValue;
    private DateTimeOffset? _askedAt;
    private AptException? _problem;

    /// <param name="root">Its directory in the repository, with its slash.</param>
    /// <param name="directory">Where its releases lie on the disk.</param>
    public MirroredSuite(MirroredRepository of, string root, string directory)
    {
        (_of, _root, _name, _files) = (of, root, NameOf(root), new GenerationFiles(directory));
        _generations = Loaded();
        _shown = _generations.Count > 0 ? _generations[0] : null;
        foreach (var (path, at) in _files.LoadAsked())
            _asked[path] = at;
    }

    /// <summary>With its slash; empty: the repository's own directory.</summary>
    public string Root => _root;

    /// <summary>Good ones, the newest first.</summary>
    public IReadOnlyList<Generation> Generations
    {
        get
        {
            lock (_lock)
                return _generations;
        }
    }

    public AptSuiteState State
    {
        get
        {
            lock (_lock)
                return new AptSuiteState(_of.Name, _name, _generations.FirstOrDefault()?.Release.Date, _generations.FirstOrDefault()?.Release.ValidUntil, _askedAt, _problem?.Message);
        }
    }

    /// <summary>As it stands in sources.list.</summary>
    public static string NameOf(string root) => root switch
    {
        "" => "/",
        _ when root.StartsWith("dists/", StringComparison.Ordinal) => root["dists/".Length..].TrimEnd('/'),
        _ => root,
    };

    /// <summary>A file of the newest good release; from now on plain paths are answered from that release.</summary>
    /// <returns>Null: the release is signed in the other way.</returns>
    /// <exception cref="AptException">There is none that may be served.</exception>
    public async Task<AptRelease?> Release(string file, CancellationToken cancellation)
    {
        // The signatures belong to what was served just before.
        if (file != SignedRelease.ReleaseGpg)
            await Freshen(cancellation).ConfigureAwait(false);
        lock (_lock)
        {
            if (file != SignedRelease.ReleaseGpg)
                _shown = _generations.Count > 0 ? _generations[0] : null;
            if (_shown is null)
                throw _problem ?? new AptException(AptFault.Unavailable, SubjectOf(file), "there is no good release yet");
            _shown.CheckExpiry(_of.Now, SubjectOf(file));
            return _shown.Signed.File(file) is { } content ? new AptRelease(content, _shown.Release.Date, _problem is null ? null : $"{_problem.Message}; this is of {_shown.Release.Date:u}") : null;
        }
    }

    /// <summary>The index of that path in this suite; null: no release lists it.</summary>
    /// <param name="path">Below the suite.</param>
    public AptFile? Index(string path)
    {
        IReadOnlyList<Generation> all;
        Generation? shown;
        lock (_lock)
            (all, shown) = (_generations, _shown);
        // By hash it may be an earlier one's; under its plain name it changes with the release.
        if (shown is null || (shown.Find(path) ?? (path.Contains("by-hash/", StringComparison.Ordinal) ? all.Select(g => g.Find(path)).FirstOrDefault(f => f is not null) : null)) is not { } found)
            return null;
        // Differences between indexes are not listed in the release, and in a LAN they save nothing.
        if (AptPath.DirectoryOf(found.Path).EndsWith(".diff/", StringComparison.Ordinal))
            return null;
        NoteAsked(found.Path);
        return FileOf(shown, found.Path, found.File);
    }

    /// <summary>The lists of packages that devices asked for, or the others.</summary>
    public IEnumerable<(Generation Generation, string List)> Lists(bool asked)
    {
        var lists = _asked.Keys.Select(Generation.Unpacked).ToHashSet(StringComparer.Ordinal);
        return Generations.SelectMany(g => g.PackageLists().Where(l => lists.Contains(l) == asked).Select(l => (g, l)));
    }

    /// <summary>The table of a list of packages, read once.</summary>
    /// <exception cref="IOException">It can't be brought or read.</exception>
    public async Task<PackageTable> Table(Generation generation, string list)
    {
        var reading = generation.Tables.GetOrAdd(list, l => Task.Run(() => ReadTable(generation, l)));
        try
        {
            return await reading.ConfigureAwait(false);
        }
        catch
        {
            generation.Tables.TryRemove(new(list, reading));
            throw;
        }
    }

    /// <summary>Whether a good release, and a device that asked, need this.</summary>
    public bool Needs(BlobHash hash) => Generations.Any(g => _asked.Keys.Any(a => g.Release.Files.TryGetValue(a, out var file) && file.Hash == hash));

    /// <summary>The source is to be asked again at the next occasion: it seems to have moved on.</summary>
    public void Doubt()
    {
        lock (_lock)
            _askAt = DateTimeOffset.MinValue;
    }

    private async Task Freshen(CancellationToken cancellation)
    {
        Task asking;
        bool hasGood;
        lock (_lock)
        {
            if (_asking is null && _of.Now < _askAt)
                return;
            asking = _asking ??= Task.Run(Ask, CancellationToken.None);
            hasGood = _generations.Count > 0;
        }

        try
        {
            await asking.WaitAsync(hasGood ? _of.Options.Patience : Timeout.InfiniteTimeSpan, _of.Clock, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // What is here is served meanwhile.
        }
    }

    private async Task Ask()
    {
        AptException? problem = null;
        try
        {
            Generation? newest;
            lock (_lock)
                newest = _generations.Count > 0 ? _generations[0] : null;
            if (await _of.Upstream.Release(_root, _accepted, _of.Stop).ConfigureAwait(false) is { } came)
                await Accept(came, newest).ConfigureAwait(false);
            else
                newest?.CheckExpiry(_of.Now, SubjectOf(SignedRelease.InRelease));
        }
        catch (AptException refused)
        {
            problem = refused;
        }
        catch (Exception fault) when (fault is IOException or StorageException or UnauthorizedAccessException)
        {
            problem = new AptException(AptFault.Unavailable, SubjectOf(SignedRelease.InRelease), fault.Message, fault);
        }
        catch (OperationCanceledException)
        {
            problem = new AptException(AptFault.Unavailable, SubjectOf(SignedRelease.InRelease), "the distribution point is stopping");
        }
        finally
        {
            lock (_lock)
                _asking = null;
        }

        bool isNews;
        lock (_lock)
        {
            isNews = _problem?.Message != problem?.Message;
            (_problem, _askedAt) = (problem, _of.Now);
            _askAt = _of.Now + (problem is null ? _of.Options.FreshFor : _of.Options.RetryAfter);
        }

        if (isNews)
            _of.Tell(State);
    }

    private async Task Accept(FetchedRelease came, Generation? newest)
    {
        var subject = SubjectOf(came.Signed.Signature is null ? SignedRelease.InRelease : SignedRelease.Release);
        var next = Generation.Read(came.Signed, _of.Keyring, _of.Now, subject);
        next.MayFollow(newest, _name, _of.Now, subject);
        foreach (var (path, at) in _asked)
            if (_of.Now - at > _of.Options.AskedKept)
                _asked.TryRemove(path, out _);
            else if (next.Release.Files.TryGetValue(path, out var file))
                await _of.Bring(FileOf(next, path, file), _of.Stop).ConfigureAwait(false);
        if (newest is null || !newest.Signed.Same(came.Signed))
        {
            _files.Save(came.Signed, next.Release.Date);
            _files.Prune(_of.Options.GenerationsKept);
            lock (_lock)
                _generations = [next, .. _generations.Where(g => g.Release.Date < next.Release.Date).Take(_of.Options.GenerationsKept - 1)];
            _files.SaveAsked(_asked);
        }

        _accepted = came;
    }

    // Verified anew: the disk is not trusted, and the keyring may be another one.
    private List<Generation> Loaded()
    {
        var good = new List<Generation>();
        foreach (var signed in _files.Load())
            try
            {
                good.Add(Generation.Read(signed, _of.Keyring, _of.Now, SubjectOf(signed.Signature is null ? SignedRelease.InRelease : SignedRelease.Release)));
            }
            catch (AptException refused)
            {
                _problem ??= refused;
            }

        return good;
    }

    private async Task<PackageTable> ReadTable(Generation generation, string list)
    {
        var packings = generation.PackingsOf(list).ToList();
        if (packings.Count == 0)
            throw new AptException(AptFault.Malformed, SubjectOf(list), "the release lists it in no packing that can be read");
        // What a device brought is here already.
        var path = packings.FirstOrDefault(p => _of.Store.Contains(generation.Release.Files[p].Hash)) ?? packings[0];
        var file = FileOf(generation, path, generation.Release.Files[path]);
        for (var attempt = 0; ; attempt++)
        {
            await _of.Bring(file, _of.Stop).ConfigureAwait(false);
            try
            {
                await using var content = IndexContent.Open(_of.Store, file);
                return PackageTable.Read(content, SubjectOf(path));
            }
            catch (BlobDamagedException) when (attempt == 0)
            {
                // Set aside; brought anew.
            }
            catch (Exception fault) when (IndexContent.IsMispacked(fault))
            {
                throw new AptException(AptFault.Malformed, SubjectOf(path), $"it can't be unpacked: {fault.Message}", fault);
            }
        }
    }

    private AptFile FileOf(Generation generation, string path, ListedFile file)
    {
        var byHash = $"{_root}{AptPath.DirectoryOf(path)}by-hash/SHA256/{file.Hash}";
        return new AptFile(_of.Name, _root + path, file.Hash, file.Length, generation.Release.ByHash ? [byHash, _root + path] : [_root + path]);
    }

    private void NoteAsked(string path)
    {
        var now = _of.Now;
        if (_asked.TryGetValue(path, out var before) && now - before < AskedSteps)
            return;
        _asked[path] = now;
        lock (_files)
            _files.SaveAsked(_asked);
    }

    private string SubjectOf(string file) => _of.Upstream.AddressOf(_root + file).AbsoluteUri;
}
