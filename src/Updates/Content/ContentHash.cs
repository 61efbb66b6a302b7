using System.IO.Hashing;
using System.Security.Cryptography;

namespace Fleet.Updates.Content;

/// <summary>Hashes content that passes by: the SHA-256 of the whole and the checksums of its blocks, in one go.</summary>
internal sealed class ContentHash : IDisposable
{
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly XxHash3 _block = new();
    private readonly List<ulong> _sums = [];
    private int _inBlock;

    public void Append(ReadOnlySpan<byte> content)
    {
        _whole.AppendData(content);
        while (content.Length > 0)
        {
            var part = content[..Math.Min(content.Length, BlockSums.BlockSize - _inBlock)];
            _block.Append(part);
            _inBlock += part.Length;
            content = content[part.Length..];
            if (_inBlock == BlockSums.BlockSize)
                EndBlock();
        }
    }

    /// <summary>Ends; nothing may be appended after it.</summary>
    public (BlobHash Hash, BlockSums Sums) End()
    {
        if (_inBlock > 0)
            EndBlock();
        return (BlobHash.Of(_whole.GetHashAndReset()), new BlockSums(_sums));
    }

    public void Dispose() => _whole.Dispose();

    private void EndBlock()
    {
        _sums.Add(_block.GetCurrentHashAsUInt64());
        _block.Reset();
        _inBlock = 0;
    }
}
