namespace Fleet.Updates.Content;

/// <summary>A blob on its way. What was written is kept when this is disposed before its end, and the next try goes on behind it. Not thread-safe.</summary>
public sealed class BlobPart : IDisposable
{
    private const int Piece = 1 << 20;

    private readonly BlobStore _store;
    private readonly string _path;
    private readonly FileStream _file;
    private ContentHash _content = new();
    private bool _over;

    internal BlobPart(BlobStore store, BlobHash hash, long length, string path)
    {
        (_store, Hash, Length, _path) = (store, hash, length, path);
        // Room is taken at once where the system can: a full disk shows before the transfer, not at its end.
        var isNew = !File.Exists(path);
        _file = new FileStream(path, new FileStreamOptions
        {
            Mode = isNew ? FileMode.CreateNew : FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0, PreallocationSize = isNew ? length : 0,
        });
        Resume();
    }

    public BlobHash Hash { get; }

    /// <summary>Of the whole.</summary>
    public long Length { get; }

    /// <summary>Bytes that are here; go on behind them.</summary>
    public long Written { get; private set; }

    /// <exception cref="InvalidDataException">More than the whole has: the source lies. What came so far is thrown away.</exception>
    public async ValueTask Write(ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        if (Written + content.Length > Length)
        {
            Restart();
            throw new InvalidDataException($"the source of blob {Hash} sent more than its {Length} bytes");
        }

        await _file.WriteAsync(content, cancellation).ConfigureAwait(false);
        _content.Append(content.Span);
        Written += content.Length;
    }

    /// <summary>Throws away what came so far.</summary>
    public void Restart()
    {
        _file.SetLength(0);
        _file.Position = 0;
        _content.Dispose();
        (_content, Written) = (new ContentHash(), 0);
    }

    /// <summary>Verifies the whole and makes it a blob of the store. Nothing more may be done with the part but to dispose it.</summary>
    /// <exception cref="InvalidDataException">It is not the content that its name says; it is thrown away.</exception>
    public void Commit()
    {
        if (Written != Length)
            throw new InvalidOperationException($"only {Written} of {Length} bytes of blob {Hash} are here");
        var (found, sums) = _content.End();
        if (found != Hash)
        {
            Restart();
            throw new InvalidDataException($"what came as blob {Hash} is {found}");
        }

        _file.Flush(flushToDisk: true);
        _over = true;
        _file.Dispose();
        _store.Commit(Hash, _path, sums);
    }

    public void Dispose()
    {
        _content.Dispose();
        if (_over)
            return;
        _over = true;
        _file.Dispose();
        _store.Release(Hash);
    }

    // What an earlier try left is hashed rather than believed: at a gigabyte a second that is cheaper than a wrong byte.
    private void Resume()
    {
        if (_file.Length > Length)
            _file.SetLength(0);
        var buffer = new byte[Piece];
        while (_file.Read(buffer) is > 0 and var read)
        {
            _content.Append(buffer.AsSpan(0, read));
            Written += read;
        }
    }
}
