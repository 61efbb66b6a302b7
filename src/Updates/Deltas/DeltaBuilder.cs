using Fleet.Contracts.Storage;
using Fleet.Updates.Content;
using Fleet.Updates.Fetching;

namespace Fleet.Updates.Deltas;

/// <summary>
/// Builds files of older ones that are here and deltas that it fetches: each once however many ask for it at a time, and one after another, for both files
/// lie in memory. The hash of what comes out decides; whatever fails, the whole can be had still. Thread-safe.
/// </summary>
/// <param name="maxFile">Bytes of the longest file that takes part.</param>
public sealed class DeltaBuilder(BlobStore store, BlobFetcher fetcher, int maxFile) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Lock _lock = new();
    private readonly Dictionary<BlobHash, Task<bool>> _underWay = [];
    // Asked again, they would only cost the same work again.
    private readonly HashSet<FileDelta> _useless = [];

    /// <summary>A file was built, and this many bytes did not have to come.</summary>
    public event Action<BlobHash, long>? Built;

    /// <summary>A delta was of no use; why.</summary>
    public event Action<FileDelta, string>? Failed;

    /// <param name="length">Of the file, as its signed manifest says: that much memory is taken for it, whatever the delta claims.</param>
    /// <param name="deltas">As the signed targets list them; those of other files are passed over.</param>
    /// <param name="older">Asked in this order.</param>
    /// <param name="sources">For a delta, in the order in which they are tried.</param>
    /// <returns>Whether the file is in the store; false: it has to come whole.</returns>
    public Task<bool> Build(
        BlobHash file, long length, IEnumerable<FileDelta> deltas, IReadOnlyList<IOlderFiles> older, Func<BlobHash, IReadOnlyList<IBlobSource>> sources, CancellationToken stop)
    {
        if (store.Contains(file))
            return Task.FromResult(true);
        if (length > maxFile)
            return Task.FromResult(false);
        lock (_lock)
        {
            var possible = deltas.Where(d => d.File == file && d.Length < length && !_useless.Contains(d)).ToList();
            if (possible.Count == 0)
                return Task.FromResult(false);
            if (!_underWay.TryGetValue(file, out var running))
            {
                _underWay[file] = running = Task.Run(() => BuildOne(length, possible, older, sources, stop), CancellationToken.None);
                _ = running.ContinueWith(_ => Forget(file), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }

            return running;
        }
    }

    public void Dispose() => _one.Dispose();

    private void Forget(BlobHash file)
    {
        lock (_lock)
            _underWay.Remove(file);
    }

    private async Task<bool> BuildOne(long length, List<FileDelta> deltas, IReadOnlyList<IOlderFiles> older, Func<BlobHash, IReadOnlyList<IBlobSource>> sources, CancellationToken stop)
    {
        foreach (var delta in deltas)
        {
            try
            {
                if (older.FirstOrDefault(o => o.Has(delta.Base)) is not { } origin)
                    continue;
                await fetcher.Fetch(delta.Delta, delta.Length, sources(delta.Delta), stop, stop).ConfigureAwait(false);
                if (await Keep(delta, (int)length, origin, stop).ConfigureAwait(false) == BuiltFile.Origin)
                    Built?.Invoke(delta.File, length - delta.Length);
                return true;
            }
            catch (Exception fault) when (fault is IOException or InvalidDataException or StorageException or UnauthorizedAccessException)
            {
                if (fault is InvalidDataException)
                    lock (_lock)
                        _useless.Add(delta);
                Failed?.Invoke(delta, fault.Message);
            }
        }

        return false;
    }

    /// <returns>Where the file came from: somebody else may have brought it meanwhile.</returns>
    private async Task<string> Keep(FileDelta delta, int length, IOlderFiles origin, CancellationToken stop)
    {
        await _one.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return await fetcher.Fetch(delta.File, length, [new BuiltFile(Make(delta, length, origin))], stop, stop).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    private byte[] Make(FileDelta delta, int length, IOlderFiles origin)
    {
        var older = origin.Read(delta.Base, maxFile) ?? throw new IOException($"{delta.Base} is gone, or has more than {maxFile} bytes");
        if (BlobHash.Over(older) is var found && found != delta.Base)
            throw new InvalidDataException($"what was {delta.Base} is {found} now");
        var patch = store.ReadAll(delta.Delta, (int)delta.Length) ?? throw new IOException("the delta is gone");
        var newer = ZstdDelta.Apply(older, patch, length);
        return BlobHash.Over(newer) is var made && made == delta.File ? newer : throw new InvalidDataException($"it makes {made}");
    }

    private sealed class BuiltFile(byte[] content) : IBlobSource
    {
        public const string Origin = "a delta";

        public string Name => Origin;

        public bool IsLocal => true;

        public Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation) =>
            Task.FromResult<Stream?>(new MemoryStream(content, (int)from, content.Length - (int)from, writable: false));
    }
}
