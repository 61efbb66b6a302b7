namespace Fleet.Headquarters.Updates;

/// <summary>
/// Lets one write at a time in a directory: of this process, and of all headquarters nodes where they share it. The turn of a process that is gone ends with it,
/// since the system holds the lock for it (on a network folder the folder's server does).
/// </summary>
internal sealed class OneWriter(string lockFile) : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _here = new(1, 1);

    /// <summary>Waits for its turn; disposing the answer ends it.</summary>
    public async Task<IDisposable> Enter(CancellationToken cancellation)
    {
        await _here.WaitAsync(cancellation);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(lockFile)!);
            while (true)
            {
                try
                {
                    return new Turn(this, new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
                }
                catch (IOException) when (File.Exists(lockFile))
                {
                    // Another node writes.
                    await Task.Delay(Retry, cancellation);
                }
            }
        }
        catch
        {
            _here.Release();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _here.WaitAsync();
        _here.Dispose();
    }

    private sealed class Turn(OneWriter owner, FileStream held) : IDisposable
    {
        public void Dispose()
        {
            held.Dispose();
            owner._here.Release();
        }
    }
}
