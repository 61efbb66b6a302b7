using System.Buffers.Binary;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>ICMP echo (RFC 792, RFC 4443), behind any IP header.</summary>
internal static class EchoPacket
{
    private const int Header = 8;

    public static byte[] Request(bool six, ushort id, ushort number)
    {
        var bytes = new byte[Header];
        bytes[0] = six ? (byte)128 : (byte)8;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), number);
        // With IPv6 the kernel does it: the sum is over addresses that only it knows.
        if (!six)
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), Checksum(bytes));
        return bytes;
    }

    /// <summary>Whether it answers an echo request of this number; an unprivileged socket gets only its own, with an id of the kernel's.</summary>
    /// <param name="id">Null: not to be compared.</param>
    public static bool IsReply(bool six, ReadOnlySpan<byte> bytes, ushort? id)
    {
        // A raw IPv4 socket delivers the IP header too; its length stands in its first byte, in words.
        if (!six && bytes.Length > 0 && bytes[0] >> 4 == 4)
            bytes = bytes.Length >= (bytes[0] & 15) * 4 ? bytes[((bytes[0] & 15) * 4)..] : default;
        return bytes.Length >= Header && bytes[0] == (six ? 129 : 0) && bytes[1] == 0
            && (id is null || BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) == id);
    }

    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        for (var i = 0; i < bytes.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
