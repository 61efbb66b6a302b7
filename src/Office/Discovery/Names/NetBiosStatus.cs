using System.Buffers.Binary;
using System.Text;

namespace Fleet.Office.Discovery.Names;

/// <summary>What a machine says of itself in a NetBIOS node status (RFC 1002, 4.2.17 and 4.2.18): Windows and Samba answer it.</summary>
/// <param name="Name">Of the machine.</param>
/// <param name="Group">Its workgroup or domain; null: it named none.</param>
/// <param name="Mac">Of its card; Samba says none.</param>
public sealed record NetBiosStatus(string Name, string? Group, MacAddress? Mac)
{
    public const int Port = 137;

    private const int Header = 12;
    private const int EncodedName = 34;
    private const int Entry = 18;
    private const int NameLength = 15;
    private const ushort NodeStatus = 0x21;
    private const ushort InternetClass = 1;
    private const ushort GroupFlag = 0x8000;
    private const byte Workstation = 0;

    /// <summary>Asks a machine for all its names.</summary>
    public static byte[] Query(ushort id)
    {
        var packet = new byte[Header + EncodedName + 4];
        BinaryPrimitives.WriteUInt16BigEndian(packet, id);
        packet[5] = 1;
        // The name "*", 16 bytes, each as two letters for its halves.
        packet[Header] = 32;
        for (var i = 0; i < 32; i++)
            packet[Header + 1 + i] = (byte)'A';
        (packet[Header + 1], packet[Header + 2]) = ((byte)('A' + ('*' >> 4)), (byte)('A' + ('*' & 15)));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Header + EncodedName), NodeStatus);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Header + EncodedName + 2), InternetClass);
        return packet;
    }

    /// <summary>Null: it is no answer to the query of this number, is malformed, or names no machine.</summary>
    public static NetBiosStatus? Read(ReadOnlySpan<byte> packet, ushort id)
    {
        // No questions, one answer: the name as it was asked for, type, class, time to live, length, then the list.
        const int list = Header + EncodedName + 10;
        if (packet.Length <= list || BinaryPrimitives.ReadUInt16BigEndian(packet) != id || packet[2] >> 7 == 0
            || BinaryPrimitives.ReadUInt16BigEndian(packet[4..]) != 0 || BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) != 1
            || packet[Header] != 32 || BinaryPrimitives.ReadUInt16BigEndian(packet[(Header + EncodedName)..]) != NodeStatus)
            return null;
        var count = packet[list];
        var rest = packet[(list + 1)..];
        if (rest.Length < count * Entry)
            return null;
        string? name = null;
        string? group = null;
        for (var i = 0; i < count; i++, rest = rest[Entry..])
        {
            if (rest[NameLength] != Workstation)
                continue;
            // The machine's own code page: names are ASCII but for a few old ones.
            var text = SeenText.Clean(Encoding.Latin1.GetString(rest[..NameLength]));
            if ((BinaryPrimitives.ReadUInt16BigEndian(rest[(NameLength + 1)..]) & GroupFlag) != 0)
                group ??= text;
            else
                name ??= text;
        }

        var mac = rest.Length >= MacAddress.Length ? MacAddress.From(rest) : default;
        return name is null ? null : new NetBiosStatus(name, group, mac.IsCard ? mac : null);
    }
}
