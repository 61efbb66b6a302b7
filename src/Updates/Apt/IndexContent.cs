using System.IO.Compression;
using Fleet.Updates.Content;
using SharpCompress.Compressors.Xz;

namespace Fleet.Updates.Apt;

/// <summary>Reads an index as it is packed.</summary>
internal static class IndexContent
{
    /// <exception cref="AptException">It is not here.</exception>
    /// <exception cref="BlobDamagedException">The disk has changed it.</exception>
    public static Stream Open(BlobStore store, AptFile file)
    {
        var blob = store.Open(file.Hash) ?? throw new AptException(AptFault.Unavailable, file.Path, "it was removed to make room");
        // A block at a time, because each is verified as a whole.
        var content = new BufferedStream(new BlobStream(blob), BlockSums.BlockSize);
        return Path.GetExtension(file.Path) switch
        {
            ".gz" => new GZipStream(content, CompressionMode.Decompress),
            ".xz" => new XZStream(content),
            _ => content,
        };
    }
}
