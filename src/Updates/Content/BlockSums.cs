using System.Buffers.Binary;
using System.IO.Hashing;

namespace Fleet.Updates.Content;

/// <summary>
/// Checksums over the blocks of a blob, made while the whole was verified. They find what a disk has changed since, block by block as it is read, at a
/// twentieth of the cost of SHA-256 (XXH3: 64 bits a block). They protect against nobody who can write to the disk: who installs a blob hashes all of it.
/// </summary>
internal sealed class BlockSums(IReadOnlyList<ulong> sums)
{
    /// <summary>Bytes in a block; the last may have fewer.</summary>
    public const int BlockSize = 128 * 1024;

    private static ReadOnlySpan<byte> Magic => "FSUM1\0\0\0"u8;

    public int Count => sums.Count;

    /// <summary>How many blocks content of this length has.</summary>
    public static int CountOf(long length) => (int)((length + BlockSize - 1) / BlockSize);

    public bool IsSound(int block, ReadOnlySpan<byte> content) => block < sums.Count && sums[block] == XxHash3.HashToUInt64(content);

    public byte[] ToBytes()
    {
        var bytes = new byte[Magic.Length + (sums.Count * sizeof(ulong))];
        Magic.CopyTo(bytes);
        for (var block = 0; block < sums.Count; block++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(Magic.Length + (block * sizeof(ulong))), sums[block]);
        return bytes;
    }

    /// <summary>Null: not the checksums of content of that length.</summary>
    public static BlockSums? Read(ReadOnlySpan<byte> bytes, long length)
    {
        var count = CountOf(length);
        if (bytes.Length != Magic.Length + ((long)count * sizeof(ulong)) || !bytes.StartsWith(Magic))
            return null;
        var sums = new ulong[count];
        for (var block = 0; block < count; block++)
            sums[block] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(Magic.Length + (block * sizeof(ulong)))..]);
        return new BlockSums(sums);
    }
}
