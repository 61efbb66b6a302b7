namespace Fleet.Updates.Content;

/// <summary>Reads an open blob; what is handed out was verified just then. Not thread-safe.</summary>
public sealed class BlobReader : IDisposable
{
    private readonly FileStream _file;
    private readonly BlockSums _sums;
    private readonly Func<string, BlobDamagedException> _damaged;
    private byte[]? _block;

    internal BlobReader(BlobHash hash, long length, FileStream file, BlockSums sums, Func<string, BlobDamagedException> damaged) =>
        (Hash, Length, _file, _sums, _damaged) = (hash, length, file, sums, damaged);

    /// <summary>Bytes that one reading brings at most.</summary>
    public static int MostAtOnce => BlockSums.BlockSize;

    public BlobHash Hash { get; }

    public long Length { get; }

    /// <summary>The bytes from <paramref name="at"/> to the end of their block; empty: the blob is over. They are overwritten by the next call.</summary>
    /// <exception cref="BlobDamagedException">The disk has changed them.</exception>
    public ReadOnlyMemory<byte> Read(long at)
    {
        var (number, begin, length) = BlockAt(at);
        if (length == 0)
            return default;
        _block ??= new byte[BlockSums.BlockSize];
        Fill(number, _block.AsSpan(0, length));
        return _block.AsMemory((int)(at - begin), length - (int)(at - begin));
    }

    /// <summary>Reads the same into a buffer, which saves copying where a whole block is wanted. If this fails the buffer may hold bytes that are wrong.</summary>
    /// <param name="most">The most that is wanted.</param>
    /// <param name="into">Has room for <see cref="MostAtOnce"/>.</param>
    /// <returns>How many bytes were read; 0: the blob is over.</returns>
    /// <exception cref="BlobDamagedException">The disk has changed them.</exception>
    public int Read(long at, long most, Span<byte> into)
    {
        var (number, begin, length) = BlockAt(at);
        if (at == begin && most >= length)
        {
            Fill(number, into[..length]);
            return length;
        }

        var some = Read(at).Span;
        some = some[..(int)Math.Min(some.Length, most)];
        some.CopyTo(into);
        return some.Length;
    }

    /// <summary>Copies a part of the blob.</summary>
    /// <exception cref="BlobDamagedException">The disk has changed it; what was copied before was right.</exception>
    public async Task CopyTo(Stream target, long from, long count, CancellationToken cancellation)
    {
        while (count > 0 && Read(from) is { Length: > 0 } bytes)
        {
            var some = bytes[..(int)Math.Min(bytes.Length, count)];
            await target.WriteAsync(some, cancellation).ConfigureAwait(false);
            (from, count) = (from + some.Length, count - some.Length);
        }
    }

    public void Dispose() => _file.Dispose();

    private (int Number, long Begin, int Length) BlockAt(long at)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(at);
        if (at >= Length)
            return (0, at, 0);
        var number = (int)(at / BlockSums.BlockSize);
        var begin = (long)number * BlockSums.BlockSize;
        return (number, begin, (int)Math.Min(BlockSums.BlockSize, Length - begin));
    }

    private void Fill(int number, Span<byte> block)
    {
        var begin = (long)number * BlockSums.BlockSize;
        var read = 0;
        while (read < block.Length && RandomAccess.Read(_file.SafeFileHandle, block[read..], begin + read) is > 0 and var more)
            read += more;
        if (read < block.Length || !_sums.IsSound(number, block))
            throw _damaged($"block {number} is not what was written");
    }
}
