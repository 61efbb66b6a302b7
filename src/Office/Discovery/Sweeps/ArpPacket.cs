using System.Buffers.Binary;
using System.Net;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>ARP for IPv4 on Ethernet (RFC 826), behind the Ethernet header.</summary>
public readonly record struct ArpPacket(bool IsReply, MacAddress Sender, IPAddress SenderAddress, IPAddress TargetAddress)
{
    public const int Length = 28;

    private const ulong EthernetAndIPv4 = 0x0001_0800_06_04; // hardware 1, protocol 0x0800, address lengths 6 and 4
    private const ushort Request = 1;
    private const ushort Reply = 2;

    /// <summary>Null: it is something else, or malformed.</summary>
    public static ArpPacket? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Length || BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16 != EthernetAndIPv4)
            return null;
        var kind = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        var sender = MacAddress.From(bytes[8..]);
        return kind is Request or Reply && sender.IsCard
            ? new ArpPacket(kind == Reply, sender, new IPAddress(bytes[14..18]), new IPAddress(bytes[24..28])) : null;
    }

    public byte[] Bytes()
    {
        var bytes = new byte[Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, (EthernetAndIPv4 << 16) | (IsReply ? Reply : Request));
        Sender.CopyTo(bytes.AsSpan(8));
        SenderAddress.TryWriteBytes(bytes.AsSpan(14), out _);
        TargetAddress.TryWriteBytes(bytes.AsSpan(24), out _);
        return bytes;
    }
}
