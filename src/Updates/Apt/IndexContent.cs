using System.IO.Compression;
using Fleet.Updates.Content;
using SharpCompress.Common;
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
        var content = new BlobStream(blob);
        return Path.GetExtension(file.Path) switch
        {
            ".gz" => new GZipStream(content, CompressionMode.Decompress),
            ".xz" => new XZStream(content),
            _ => content,
        };
    }

    /// <summary>Whether reading ended because the index is not packed as its name says.</summary>
    public static bool IsMispacked(Exception fault) => fault is InvalidDataException or SharpCompressException;
}
