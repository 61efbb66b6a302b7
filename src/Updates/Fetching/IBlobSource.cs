using Fleet.Updates.Content;

namespace Fleet.Updates.Fetching;

/// <summary>Where blobs are taken from. Nothing that comes from it is trusted.</summary>
public interface IBlobSource
{
    /// <summary>For people and counters: an address or a folder.</summary>
    string Name { get; }

    /// <summary>What comes from it costs no network: it is not counted, and no budget is spent on it.</summary>
    bool IsLocal => false;

    /// <summary>Opens a blob behind its first bytes; null where the source does not have it.</summary>
    /// <param name="from">Bytes that are here already.</param>
    /// <exception cref="IOException">The source failed, or does not answer as it should; the message says how.</exception>
    Task<Stream?> Open(BlobHash hash, long from, CancellationToken cancellation);
}

/// <summary>The source is bringing the blob itself, or has no room for another transfer: it is worth waiting for.</summary>
/// <param name="retryAfter">When to ask again.</param>
public sealed class SourceBusyException(string message, TimeSpan retryAfter) : IOException(message)
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}
