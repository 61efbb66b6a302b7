using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Fleet.Contracts.Envelopes;

/// <summary>
/// Headquarters' wish that one device syncs at once: 32 bytes, the same on a push line and in a UDP datagram. Signed with a key that only the device
/// and headquarters have, and counted: whoever carries it can't forge it, and a replay wakes nobody. It names no device; a stranger learns nothing.
/// <code>"FWK1" | key generation, 4 bytes | counter, 8 bytes | HMAC-SHA256 over the 16 bytes before, cut to 16 (RFC 2104 section 5)</code>
/// Numbers are big-endian.
/// </summary>
/// <param name="Generation">Whose key signed it.</param>
/// <param name="Counter">Rises with every signal to a device. The device's next sync repeats it: that is the acknowledgement.</param>
public readonly record struct WakeSignal(uint Generation, ulong Counter)
{
    /// <summary>Bytes of a signal.</summary>
    public const int Length = HeaderLength + MacLength;

    private const int HeaderLength = 16;
    private const int MacLength = 16;

    private static ReadOnlySpan<byte> Magic => "FWK1"u8;

    public static byte[] Make(EnvelopeKeys keys, ulong counter)
    {
        var signal = new byte[Length];
        Magic.CopyTo(signal);
        BinaryPrimitives.WriteUInt32BigEndian(signal.AsSpan(4), keys.Generation);
        BinaryPrimitives.WriteUInt64BigEndian(signal.AsSpan(8), counter);
        Mac(keys, signal).CopyTo(signal.AsSpan(HeaderLength));
        return signal;
    }

    /// <summary>Reads what is not proven yet; null where it is no signal at all.</summary>
    public static WakeSignal? Read(ReadOnlySpan<byte> signal) => signal.Length == Length && signal.StartsWith(Magic)
        ? new WakeSignal(BinaryPrimitives.ReadUInt32BigEndian(signal[4..]), BinaryPrimitives.ReadUInt64BigEndian(signal[8..]))
        : null;

    /// <summary>Whether headquarters made it for the device of these keys. Takes the same time for every wrong one.</summary>
    public static bool IsGenuine(EnvelopeKeys keys, ReadOnlySpan<byte> signal) =>
        Read(signal)?.Generation == keys.Generation && CryptographicOperations.FixedTimeEquals(Mac(keys, signal), signal[HeaderLength..]);

    private static ReadOnlySpan<byte> Mac(EnvelopeKeys keys, ReadOnlySpan<byte> signal) => HMACSHA256.HashData(keys.Wake, signal[..HeaderLength]).AsSpan(0, MacLength);
}
