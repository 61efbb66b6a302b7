using Fleet.Contracts.Storage;
using Fleet.Updates.Content;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;

namespace Fleet.Updates.Fetching;

/// <summary>
/// Brings blobs into a store, each once however many ask for it at a time: from the first source that has it, going on where another stopped. What a
/// source sends is counted, and believed only when the whole has the hash.
/// </summary>
/// <param name="needed">Which blobs must stay when room is needed.</param>
public sealed class BlobFetcher(BlobStore store, Func<BlobHash, bool> needed, Budget budget, Pace pace, TimeProvider clock)
{
    /// <summary>How long a source may be busy before the next one is tried: this, and what the blob takes at <see cref="BusyPace"/>. One that only pretends holds nobody for good.</summary>
    private static readonly TimeSpan BusyPatience = TimeSpan.FromMinutes(10);

    /// <summary>Bytes a second: a slow uplink.</summary>
    private const long BusyPace = 64 * 1024;

    private static readonly TimeSpan LongestBusyWait = TimeSpan.FromSeconds(30);

    private readonly Transfer _transfer = new(pace, clock);
    private readonly Lock _lock = new();
    private readonly Dictionary<BlobHash, Task<string>> _underWay = [];

    /// <summary>Bytes came from a source over a network, good or not.</summary>
    public event Action<IBlobSource, BlobHash, int>? Came;

    /// <summary>A source sent other content than the hash says, all of it its own.</summary>
    public event Action<IBlobSource, BlobHash>? Lied;

    /// <summary>A source failed, or ended too soon; not those that do not have it.</summary>
    public event Action<IBlobSource, BlobHash>? Failed;

    /// <summary>A blob is whole and verified.</summary>
    public event Action<BlobHash>? Whole;

    /// <summary>Brings a blob, or waits for whoever is bringing it.</summary>
    /// <param name="length">As its signed description says.</param>
    /// <param name="sources">In the order in which they are tried; those of the first asker count.</param>
    /// <param name="cancellation">Ends the waiting; the transfer goes on while others wait for it, and else ends with <paramref name="stop"/>.</param>
    /// <param name="stop">Ends the transfer; what came of it stays for the next.</param>
    /// <returns>The source that sent its end; empty: it was here.</returns>
    /// <exception cref="FetchException">No source could bring it; each is named with its reason.</exception>
    /// <exception cref="StorageException">There is no room for it.</exception>
    public Task<string> Fetch(BlobHash hash, long length, IReadOnlyList<IBlobSource> sources, CancellationToken cancellation, CancellationToken stop = default)
    {
        lock (_lock)
        {
            if (store.Contains(hash))
                return Task.FromResult("");
            if (!_underWay.TryGetValue(hash, out var running))
            {
                _underWay[hash] = running = Task.Run(() => Bring(hash, length, sources, stop), CancellationToken.None);
                _ = running.ContinueWith(_ => Forget(hash), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }

            return running.WaitAsync(cancellation);
        }
    }

    private void Forget(BlobHash hash)
    {
        lock (_lock)
            _underWay.Remove(hash);
    }

    private async Task<string> Bring(BlobHash hash, long length, IReadOnlyList<IBlobSource> sources, CancellationToken stop)
    {
        var failures = new List<string>();
        var passing = false;
        using var part = store.Begin(hash, length, needed);
        foreach (var source in sources)
        {
            // What is here may be another source's lie: one that ends in the wrong hash gets a second chance, with all of it its own.
            for (var attempt = 0; attempt < 2; attempt++)
            {
                var begun = part.Written;
                try
                {
                    if (await Take(source, part, stop).ConfigureAwait(false))
                    {
                        part.Commit();
                        Whole?.Invoke(hash);
                        return source.Name;
                    }

                    if (part.Written > begun)
                    {
                        passing = true;
                        Failed?.Invoke(source, hash);
                    }

                    failures.Add($"{source.Name}: {(part.Written == begun ? "does not have it" : $"ended after {part.Written} of {length} bytes")}");
                    break;
                }
                catch (InvalidDataException wrong)
                {
                    failures.Add($"{source.Name}: {wrong.Message}");
                    if (begun > 0)
                        continue;
                    Lied?.Invoke(source, hash);
                    break;
                }
                catch (TufException fault)
                {
                    passing = true;
                    Failed?.Invoke(source, hash);
                    failures.Add(fault.Message);
                    break;
                }
            }
        }

        throw new FetchException(hash, failures, passing);
    }

    // A source that is busy with this very blob will have it soon.
    private async Task<bool> Take(IBlobSource source, BlobPart part, CancellationToken stop)
    {
        var patience = BusyPatience + TimeSpan.FromSeconds(part.Length / BusyPace);
        for (var waited = TimeSpan.Zero; ;)
        {
            try
            {
                return await TakeNow(source, part, stop).ConfigureAwait(false);
            }
            catch (TufException fault) when (fault.InnerException is SourceBusyException busy && waited < patience)
            {
                var wait = busy.RetryAfter < LongestBusyWait ? busy.RetryAfter : LongestBusyWait;
                await Task.Delay(wait, clock, stop).ConfigureAwait(false);
                waited += wait;
            }
        }
    }

    /// <returns>Whether all of it is here.</returns>
    private async Task<bool> TakeNow(IBlobSource source, BlobPart part, CancellationToken stop)
    {
        if (part.Written == part.Length)
            return true;
        await _transfer.RunAsync(source.Name, token => source.Open(part.Hash, part.Written, token), long.MaxValue, async piece =>
        {
            if (!source.IsLocal)
                Came?.Invoke(source, part.Hash, piece.Length);
            await part.Write(piece, stop).ConfigureAwait(false);
            if (!source.IsLocal)
                await budget.Spend(piece.Length, stop).ConfigureAwait(false);
        }, stop).ConfigureAwait(false);
        return part.Written == part.Length;
    }
}

/// <summary>No source could bring a blob.</summary>
/// <param name="isPassing">A source was out of reach, or broke off: it may bring the blob another time. Else none has it, or none the right one.</param>
public sealed class FetchException(BlobHash hash, IReadOnlyList<string> failures, bool isPassing) : IOException(
    $"blob {hash} could not be fetched: {(failures.Count == 0 ? "there is no source" : string.Join("; ", failures))}")
{
    public bool IsPassing => isPassing;

    /// <summary>One a source and attempt: its name and its reason.</summary>
    public IReadOnlyList<string> Failures { get; } = failures;
}
