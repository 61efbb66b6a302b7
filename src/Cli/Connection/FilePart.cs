using System.Net;
using System.Net.Http.Headers;

namespace Fleet.Cli.Connection;

/// <summary>The body of an upload: a file from one of its bytes to its end.</summary>
internal sealed class FilePart : HttpContent
{
    private const int Piece = 128 * 1024;

    private readonly Stream _file;
    private readonly long _length;
    private readonly Action<int> _sent;

    /// <param name="sent">Told how many bytes went out, piece by piece.</param>
    public FilePart(Stream file, long from, Action<int> sent)
    {
        (_file, _length, _sent) = (file, file.Length - from, sent);
        file.Position = from;
        if (from > 0)
            Headers.ContentRange = new ContentRangeHeaderValue(from, file.Length - 1, file.Length);
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = new byte[Piece];
        // No more than was promised: the file may grow meanwhile, and is then refused for its hash.
        for (var left = _length; left > 0 && await _file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken).ConfigureAwait(false) is > 0 and var read; left -= read)
        {
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            _sent(read);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }
}
