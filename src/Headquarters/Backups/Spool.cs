namespace Fleet.Headquarters.Backups;

/// <summary>
/// What is written goes to a file first, and once it is let through, to where it should go: so that a slow receiver does not hold up what must be read
/// quickly. The file goes with it.
/// </summary>
internal sealed class Spool(Stream into, string path) : Stream
{
    private FileStream? _file = new(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose });

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Gives on what was kept; what follows goes straight through.</summary>
    public void LetThrough()
    {
        _file!.Position = 0;
        _file.CopyTo(into);
        _file.Dispose();
        _file = null;
    }

    public override void Write(ReadOnlySpan<byte> buffer) => (_file ?? into).Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => (_file ?? into).Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _file?.Dispose();
        base.Dispose(disposing);
    }
}
