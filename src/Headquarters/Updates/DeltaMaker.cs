using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;

namespace Fleet.Headquarters.Updates;

/// <summary>
/// Makes deltas to what is published, from the versions before it: one after another, in the background. What lacks them is read from the signed targets,
/// so a restart goes on where the last one ended; a list without a delta in it says that none was worth it. Until disposed.
/// </summary>
public sealed partial class DeltaMaker : IAsyncDisposable
{
    private readonly TenantRepository _repository;
    private readonly int _maxFile;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _look = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _working;

    public DeltaMaker(TenantRepository repository, UpdateOptions options, ILoggerFactory logging)
    {
        (_repository, _maxFile, _log) = (repository, options.DeltaMaxFile, logging.CreateLogger<DeltaMaker>());
        repository.Published += Look;
        _working = Task.Run(Work);
    }

    public async ValueTask DisposeAsync()
    {
        _repository.Published -= Look;
        await _stop.CancelAsync();
        await _working;
        _stop.Dispose();
        _look.Dispose();
    }

    private void Look()
    {
        lock (_look)
            if (_look.CurrentCount == 0)
                _look.Release();
    }

    private async Task Work()
    {
        try
        {
            while (true)
            {
                await _look.WaitAsync(_stop.Token);
                foreach (var package in _repository.Packages.OrderByDescending(p => p.PublishedAt).ToList())
                    await Try(package);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    // What fails is tried again when something is published or signed anew, which happens several times a day.
    private async Task Try(PublishedPackage package)
    {
        try
        {
            if (Lacks(package) && Before(package) is { Count: > 0 } before && _repository.Content.ManifestOf(package) is { } manifest)
                await Make(manifest, before);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or StorageException or InvalidDataException)
        {
            LogFailed(package.Name, package.Version, fault.Message);
        }
    }

    private async Task Make(PackageManifest manifest, IReadOnlyList<PackageManifest> before)
    {
        var made = new List<(FileDelta Delta, long Saved)>();
        foreach (var pair in DeltaChoice.Pairs(manifest, before, _maxFile))
        {
            _stop.Token.ThrowIfCancellationRequested();
            if (await Delta(pair) is not { } delta || !DeltaChoice.IsWorth(delta.Length, pair.File.Length))
                continue;
            var hash = BlobHash.Over(delta);
            if (await _repository.Content.Take(hash, new MemoryStream(delta), 0, delta.Length, _stop.Token) is { } full)
            {
                LogFailed(manifest.Name, manifest.Version, full.Detail);
                return;
            }

            made.Add((new FileDelta(pair.Base.Content, pair.File.Content, hash, delta.Length), pair.File.Length - delta.Length));
        }

        var deltas = made.OrderByDescending(m => m.Saved).Take(PackageDeltas.MaxDeltas).Select(m => m.Delta).ToList();
        if (await _repository.ListDeltas(new PackageDeltas(manifest.Name, manifest.Version, deltas), _stop.Token) is not { } refusal)
            LogMade(manifest.Name, manifest.Version, deltas.Count, deltas.Sum(d => d.Length), made.Sum(m => m.Saved));
        else if (refusal.Code != RefusalCode.NotFound)
            LogFailed(manifest.Name, manifest.Version, refusal.Detail);
    }

    /// <returns>Null: the disk has lost a file.</returns>
    private Task<byte[]?> Delta(DeltaPair pair)
    {
        var done = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                var (older, newer) = (_repository.Content.Blobs.ReadAll(pair.Base.Content, _maxFile), _repository.Content.Blobs.ReadAll(pair.File.Content, _maxFile));
                done.SetResult(older is null || newer is null ? null : ZstdDelta.Make(older, newer));
            }
            catch (Exception fault)
            {
                done.SetException(fault);
            }
        })
        // One core at most, and where the system knows priorities of threads only what nobody else wants.
        { IsBackground = true, Priority = ThreadPriority.Lowest, Name = "deltas" };
        thread.Start();
        return done.Task;
    }

    /// <summary>What devices may have installed that are to have this version.</summary>
    private List<PackageManifest> Before(PublishedPackage package) =>
        [.. _repository.Packages.Where(p => p.Name == package.Name).SkipWhile(p => p.Version != package.Version).Skip(1).Take(DeltaChoice.Versions).Select(_repository.Content.ManifestOf).OfType<PackageManifest>()];

    private bool Lacks(PublishedPackage package) => _repository.Content.DeltasOf(package) is not { } made || made.Deltas.Any(d => !_repository.Content.Blobs.Contains(d.Delta));

    [LoggerMessage(LogLevel.Information, "Package {Name} {Version} has {Count} deltas of {Bytes} bytes, which spare {Saved}")]
    private partial void LogMade(string name, string version, int count, long bytes, long saved);

    [LoggerMessage(LogLevel.Warning, "Deltas to {Name} {Version} can't be made now: {Why}")]
    private partial void LogFailed(string name, string version, string why);
}
