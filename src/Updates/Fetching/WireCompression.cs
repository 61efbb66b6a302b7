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
        var decoded = new Decoded(body);
        decoded.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxWindowLog);
        return decoded;
    }

    /// <summary>Says what is wrong as streams do.</summary>
    private sealed class Decoded(Stream body) : DecompressionStream(body, leaveOpen: false)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (ZstdException fault)
            {
                throw Wrong(fault);
            }
        }

        public override int Read(Span<byte> buffer)
        {
            try
            {
                return base.Read(buffer);
            }
            catch (ZstdException fault)
            {
                throw Wrong(fault);
            }
        }

        private static IOException Wrong(ZstdException fault) => new($"what came is not compressed as it says: {fault.Message}", fault);
    }
}
