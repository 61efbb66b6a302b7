using Fleet.Updates.Content;

namespace Fleet.Updates.Deltas;

/// <summary>Content of earlier versions that is here, for deltas to build on.</summary>
public interface IOlderFiles
{
    /// <summary>Whether it seems to be here.</summary>
    bool Has(BlobHash hash);

    /// <summary>All of it; null: it is not here any more, or is larger. The caller compares its hash.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    byte[]? Read(BlobHash hash, int maxBytes);
}

/// <summary>What a store has.</summary>
public sealed class StoredFiles(BlobStore store) : IOlderFiles
{
    public bool Has(BlobHash hash) => store.Contains(hash);

    public byte[]? Read(BlobHash hash, int maxBytes) => store.ReadAll(hash, maxBytes);
}
