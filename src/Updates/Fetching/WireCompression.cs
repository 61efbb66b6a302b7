using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Fleet.Updates.Fetching;

/// <summary>
/// The content coding <c>zstd</c> (RFC 9110, 8.4; RFC 8878): blobs are named and signed as they are, and compressed on the wire where that spares a narrow line
/// something.
/// </summary>
public static class WireCompression
{
    public const string Coding = "zstd";

    /// <summary>Shorter content is not worth it.</summary>
    public const int MinLength = 1024;

    /// <summary>The best that still is several times as fast as any office's line.</summary>
    private const int Level = 3;

    /// <summary>The largest window that who decodes has to take (RFC 9659): 8 MiB.</summary>
    private const int MaxWindowLog = 23;

    private const double WorthBelow = 0.9;

    /// <summary>Whether content is worth compressing, by its beginning.</summary>
    public static bool Helps(ReadOnlySpan<byte> beginning)
    {
        using var compressor = new Compressor(1);
        return beginning.Length >= MinLength && compressor.Wrap(beginning).Length < beginning.Length * WorthBelow;
    }

    /// <summary>What is written to it goes compressed into the other stream, whose end is written when it is disposed.</summary>
    public static Stream Encode(Stream into) => new CompressionStream(into, Level, leaveOpen: true);

    /// <summary>Reads what was compressed; whatever is wrong with it is an <see cref="IOException"/>. However much it claims to be is the reader's to bound.</summary>
    public static Stream Decode(Stream body)
    {
        var decompressed = new DecompressionStream(body, leaveOpen: false);
        decompressed.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxWindowLog);
        return new Decoded(decompressed);
    }

    /// <summary>Says what is wrong as streams do.</summary>
    private sealed class Decoded(DecompressionStream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (ZstdException fault)
            {
                throw new IOException($"what came is not compressed as it says: {fault.Message}", fault);
            }
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            try
            {
                return inner.Read(buffer, offset, count);
            }
            catch (ZstdException fault)
            {
                throw new IOException($"what came is not compressed as it says: {fault.Message}", fault);
            }
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
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
