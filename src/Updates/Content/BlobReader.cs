namespace Fleet.Updates.Content;

/// <summary>Reads an open blob; what is handed out was verified just then. Not thread-safe.</summary>
public sealed class BlobReader : IDisposable
{
    private readonly FileStream _file;
    private readonly BlockSums _sums;
    private readonly Func<string, BlobDamagedException> _damaged;
    private readonly byte[] _block = new byte[BlockSums.BlockSize];

    internal BlobReader(BlobHash hash, long length, FileStream file, BlockSums sums, Func<string, BlobDamagedException> damaged) =>
        (Hash, Length, _file, _sums, _damaged) = (hash, length, file, sums, damaged);

    public BlobHash Hash { get; }

    public long Length { get; }

    /// <summary>The bytes from <paramref name="at"/> to the end of their block; empty: the blob is over. They are overwritten by the next call.</summary>
    /// <exception cref="BlobDamagedException">The disk has changed them.</exception>
    public ReadOnlyMemory<byte> Read(long at)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(at);
        if (at >= Length)
            return default;
        var number = (int)(at / BlockSums.BlockSize);
        var begin = (long)number * BlockSums.BlockSize;
        var length = (int)Math.Min(BlockSums.BlockSize, Length - begin);
        var read = 0;
        while (read < length && RandomAccess.Read(_file.SafeFileHandle, _block.AsSpan(read, length - read), begin + read) is > 0 and var more)
            read += more;
        if (read < length || !_sums.IsSound(number, _block.AsSpan(0, length)))
            throw _damaged($"block {number} is not what was written");
        return _block.AsMemory((int)(at - begin), length - (int)(at - begin));
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
}
