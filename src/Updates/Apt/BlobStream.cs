using Fleet.Updates.Content;

namespace Fleet.Updates.Apt;

/// <summary>A blob as a stream of verified bytes, for those who read one. Forward only.</summary>
internal sealed class BlobStream(BlobReader blob) : Stream
{
    private ReadOnlyMemory<byte> _block;
    private long _at;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => blob.Length;

    public override long Position
    {
        get => _at;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        // A block is verified as a whole, and those who unpack ask for little at a time.
        if (_block.Length == 0)
            _block = blob.Read(_at);
        var count = Math.Min(_block.Length, buffer.Length);
        _block.Span[..count].CopyTo(buffer);
        (_block, _at) = (_block[count..], _at + count);
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            blob.Dispose();
        base.Dispose(disposing);
    }
}
