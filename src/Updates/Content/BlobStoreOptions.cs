namespace Fleet.Updates.Content;

/// <param name="Quota">The most bytes that blobs and their parts take together.</param>
/// <param name="MinFree">Bytes that stay free on the disk, whatever the quota says.</param>
/// <param name="PartsKept">How long what came of an unfinished blob is kept to be gone on with.</param>
/// <param name="IsShared">Other processes add and remove blobs in the directory too.</param>
public sealed record BlobStoreOptions(long Quota, long MinFree, TimeSpan PartsKept, bool IsShared = false)
{
    public static BlobStoreOptions Default { get; } = new(Quota: 50L << 30, MinFree: 1L << 30, PartsKept: TimeSpan.FromDays(7));
}
