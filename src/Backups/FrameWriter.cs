using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Fleet.Backups;

/// <summary>
/// Writes a backup's bytes in frames: a length (4 bytes, little endian; its highest bit set in the last), then that many bytes, encrypted where there is a
/// key. Behind the last frame stands a SHA-256 over everything before it, so that damage and a missing end are seen without the key.
/// </summary>
internal sealed class FrameWriter : Stream
{
    /// <summary>Bytes in a frame before it is encrypted.</summary>
    public const int Size = 256 * 1024;

    public const uint Last = 0x8000_0000;

    private readonly Stream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly FrameCipher? _cipher;
    private readonly byte[] _frame = new byte[Size];
    private int _filled;
    private long _number;

    /// <param name="header">Written first.</param>
    /// <param name="key">Null: the frames are not encrypted.</param>
    public FrameWriter(Stream file, byte[] header, byte[]? key)
    {
        _file = file;
        _cipher = key is null ? null : new FrameCipher(key, header);
        Put(header);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            // A full frame waits for what follows it: the last one is marked as such.
            if (_filled == Size)
                Emit(last: false);
            var part = Math.Min(buffer.Length, Size - _filled);
            buffer[..part].CopyTo(_frame.AsSpan(_filled));
            _filled += part;
            buffer = buffer[part..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Writes the end. Without it whoever reads says that the file was cut short.</summary>
    public void Finish()
    {
        Emit(last: true);
        _file.Write(_hash.GetHashAndReset());
        _file.Flush();
    }

    public override void Flush()
    {
        // Frames are whole.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _hash.Dispose();
        _cipher?.Dispose();
        base.Dispose(disposing);
    }

    private void Emit(bool last)
    {
        var content = _cipher is null ? _frame.AsSpan(0, _filled) : _cipher.Seal(_number, last, _frame.AsSpan(0, _filled));
        Span<byte> length = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)content.Length | (last ? Last : 0));
        Put(length);
        Put(content);
        (_filled, _number) = (0, _number + 1);
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        _file.Write(bytes);
    }
}

/// <summary>
/// AES-256-GCM over each frame. Its number and whether it is the last are its nonce, and the header belongs to each: no frame can be left out, doubled, moved
/// or put behind another header. A key is one backup's.
/// </summary>
internal sealed class FrameCipher(byte[] key, byte[] header) : IDisposable
{
    public const int TagLength = 16;

    private readonly AesGcm _cipher = new(key, TagLength);

    public byte[] Seal(long number, bool last, ReadOnlySpan<byte> content)
    {
        var whole = new byte[content.Length + TagLength];
        _cipher.Encrypt(Nonce(number, last), content, whole.AsSpan(0, content.Length), whole.AsSpan(content.Length), header);
        return whole;
    }

    /// <exception cref="AuthenticationTagMismatchException">Another key, or another frame.</exception>
    public byte[] Open(long number, bool last, ReadOnlySpan<byte> whole)
    {
        var content = new byte[whole.Length - TagLength];
        _cipher.Decrypt(Nonce(number, last), whole[..content.Length], whole[content.Length..], content, header);
        return content;
    }

    public void Dispose() => _cipher.Dispose();

    private static byte[] Nonce(long number, bool last)
    {
        var nonce = new byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(nonce, number);
        nonce[8] = last ? (byte)1 : (byte)0;
        return nonce;
    }
}
