using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Fleet.Backups;

/// <summary>Reads what <see cref="FrameWriter"/> wrote, and checks it on the way.</summary>
internal sealed class FrameReader : Stream
{
    private readonly Stream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly FrameCipher? _cipher;
    private byte[] _frame = [];
    private int _read;
    private long _number;
    private bool _ended;

    /// <param name="file">Behind the header.</param>
    /// <param name="header">Its bytes.</param>
    /// <param name="key">Null: the frames are given as they lie in the file.</param>
    public FrameReader(Stream file, byte[] header, byte[]? key)
    {
        _file = file;
        _cipher = key is null ? null : new FrameCipher(key, header);
        _hash.AppendData(header);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public static BackupException CutShort() => new("it is cut short: copy it again from where it was made, or take another backup");

    public static BackupException Damaged() => new("it is damaged: copy it again from where it was made, or take another backup");

    public override int Read(Span<byte> buffer)
    {
        while (_read == _frame.Length)
        {
            if (_ended)
                return 0;
            Next();
        }

        var part = Math.Min(buffer.Length, _frame.Length - _read);
        _frame.AsSpan(_read, part).CopyTo(buffer);
        _read += part;
        return part;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads to the end, and checks that it is one.</summary>
    /// <exception cref="BackupException">It is cut short or damaged.</exception>
    public void Drain()
    {
        while (!_ended)
            Next();
    }

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _hash.Dispose();
        _cipher?.Dispose();
        base.Dispose(disposing);
    }

    private void Next()
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
        var last = (length & FrameWriter.Last) != 0;
        length &= ~FrameWriter.Last;
        if (length > FrameWriter.Size + FrameCipher.TagLength || (_cipher is not null && length < FrameCipher.TagLength))
            throw Damaged();
        var bytes = Take((int)length);
        if (last)
            End();
        (_frame, _read) = (Opened(bytes, last), 0);
        _number++;
    }

    private byte[] Opened(byte[] bytes, bool last)
    {
        try
        {
            return _cipher is null ? bytes : _cipher.Open(_number, last, bytes);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new BackupException("the passphrase is not the one that it was made with");
        }
    }

    private void End()
    {
        var found = _hash.GetHashAndReset();
        var written = new byte[SHA256.HashSizeInBytes];
        if (_file.ReadAtLeast(written, written.Length, throwOnEndOfStream: false) < written.Length)
            throw CutShort();
        if (!found.AsSpan().SequenceEqual(written) || _file.ReadByte() >= 0)
            throw Damaged();
        _ended = true;
    }

    private byte[] Take(int length)
    {
        var bytes = new byte[length];
        if (_file.ReadAtLeast(bytes, length, throwOnEndOfStream: false) < length)
            throw CutShort();
        _hash.AppendData(bytes);
        return bytes;
    }
}
