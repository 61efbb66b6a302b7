using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Fleet.Office.Discovery.Names;

/// <summary>The record types that discovery reads.</summary>
public enum DnsType : ushort
{
    A = 1,
    Ptr = 12,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
}

/// <summary>A resource record: only the field of its type is set.</summary>
/// <param name="Target">Of PTR and SRV.</param>
/// <param name="Address">Of A and AAAA.</param>
/// <param name="Texts">Of TXT.</param>
public sealed record DnsRecord(DnsName Name, DnsType Type, DnsName? Target = null, int Port = 0, IPAddress? Address = null, IReadOnlyList<string>? Texts = null);

/// <summary>
/// A DNS message (RFC 1035) as unicast resolvers and multicast DNS (RFC 6762) send it. Strict: whatever is malformed makes the whole message
/// nothing. Bounded: its size bounds records, and each name is at most 255 bytes however it is compressed.
/// </summary>
public sealed record DnsMessage(ushort Id, bool IsResponse, IReadOnlyList<DnsRecord> Records)
{
    /// <summary>Records of one message, of all sections; a real one has some dozens.</summary>
    private const int MaxRecords = 512;

    /// <summary>Strings of one TXT record.</summary>
    private const int MaxTexts = 64;

    private const int Header = 12;
    private const ushort ResponseFlag = 0x8000;
    private const ushort RecursionWanted = 0x0100;
    private const ushort InternetClass = 1;
    private const ushort ClassMask = 0x7fff; // multicast DNS uses the top bit to say "flush"

    /// <summary>Null: it is malformed.</summary>
    public static DnsMessage? Read(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < Header)
            return null;
        var questions = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        var count = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) + BinaryPrimitives.ReadUInt16BigEndian(packet[8..]) + BinaryPrimitives.ReadUInt16BigEndian(packet[10..]);
        if (questions > MaxRecords || count > MaxRecords)
            return null;
        var at = Header;
        for (var i = 0; i < questions; i++)
            if (DnsName.Read(packet, ref at) is null || (at += 4) > packet.Length)
                return null;
        var records = new List<DnsRecord>();
        for (var i = 0; i < count; i++)
        {
            if (DnsName.Read(packet, ref at) is not { } name || at + 10 > packet.Length)
                return null;
            var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);
            var inside = (BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 2)..]) & ClassMask) == InternetClass;
            var length = BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 8)..]);
            at += 10;
            if (at + length > packet.Length)
                return null;
            if (inside && !Data(packet, at, length, name, type, records))
                return null;
            at += length;
        }

        return new DnsMessage(BinaryPrimitives.ReadUInt16BigEndian(packet), (BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) & ResponseFlag) != 0, records);
    }

    /// <summary>A question. Resolvers want an id and recursion; multicast DNS neither.</summary>
    public static byte[] Query(IReadOnlyList<(DnsName Name, DnsType Type)> questions, ushort? resolverId)
    {
        var packet = new List<byte>(Header + (questions.Count * 32));
        Write(packet, resolverId ?? 0);
        Write(packet, resolverId is null ? (ushort)0 : RecursionWanted);
        Write(packet, (ushort)questions.Count);
        packet.AddRange(new byte[6]);
        foreach (var (name, type) in questions)
        {
            name.WriteTo(packet);
            Write(packet, (ushort)type);
            Write(packet, InternetClass);
        }

        return [.. packet];
    }

    /// <summary>False: malformed. Types that nobody here reads are passed over.</summary>
    private static bool Data(ReadOnlySpan<byte> packet, int at, int length, DnsName name, DnsType type, List<DnsRecord> records)
    {
        var end = at + length;
        switch (type)
        {
            case DnsType.A when length == 4:
            case DnsType.Aaaa when length == 16:
                records.Add(new DnsRecord(name, type, Address: new IPAddress(packet[at..end])));
                return true;
            case DnsType.Ptr when DnsName.Read(packet, ref at) is { } target && at == end:
                records.Add(new DnsRecord(name, type, target));
                return true;
            case DnsType.Srv when length > 6:
                var port = BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 4)..]);
                at += 6;
                if (DnsName.Read(packet, ref at) is not { } host || at != end)
                    return false;
                records.Add(new DnsRecord(name, type, host, port));
                return true;
            case DnsType.Txt:
                if (Texts(packet[at..end]) is not { } texts)
                    return false;
                records.Add(new DnsRecord(name, type, Texts: texts));
                return true;
            case DnsType.A or DnsType.Aaaa or DnsType.Ptr or DnsType.Srv:
                return false;
            default:
                return true;
        }
    }

    private static List<string>? Texts(ReadOnlySpan<byte> data)
    {
        var texts = new List<string>();
        while (data.Length > 0)
        {
            var length = data[0];
            if (length >= data.Length || texts.Count == MaxTexts)
                return null;
            texts.Add(Encoding.UTF8.GetString(data.Slice(1, length)));
            data = data[(1 + length)..];
        }

        return texts;
    }

    private static void Write(List<byte> packet, ushort value) => packet.AddRange([(byte)(value >> 8), (byte)value]);
}
