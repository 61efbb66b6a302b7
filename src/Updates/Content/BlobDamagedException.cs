namespace Fleet.Updates.Content;

/// <summary>What the disk holds is no longer what was written; the blob was set aside, and has to be fetched again.</summary>
public sealed class BlobDamagedException(BlobHash hash, string what) : IOException($"blob {hash} is damaged: {what}; it was set aside and has to be fetched again")
{
    public BlobHash Hash { get; } = hash;
}
