using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Fleet.Messages.Networks;

/// <summary>Addresses of one family from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
public readonly record struct AddressRange(IPAddress First, IPAddress Last)
{
    private const string Forms = "write 192.168.1.0/24, 192.168.1.10-192.168.1.90, a single address, or the same with IPv6";

    public bool IsIPv6 => First.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>How many addresses; the greatest number where it is more than that.</summary>
    public ulong Count => ValueOf(Last) - ValueOf(First) >= ulong.MaxValue ? ulong.MaxValue : (ulong)(ValueOf(Last) - ValueOf(First)) + 1;

    public IPAddress this[ulong index] => AddressOf(ValueOf(First) + index, IsIPv6);

    /// <summary>The network of an address: without its own number and its broadcast in IPv4, where it has them.</summary>
    public static AddressRange Network(IPAddress member, int prefix)
    {
        var bits = member.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
        var hosts = prefix == 0 && bits == 128 ? UInt128.MaxValue : ((UInt128)1 << (bits - prefix)) - 1;
        var first = ValueOf(member) & ~hosts & (bits == 32 ? uint.MaxValue : UInt128.MaxValue);
        var edges = bits == 32 && prefix <= 30 ? 1UL : 0UL;
        return new AddressRange(AddressOf(first + edges, bits == 128), AddressOf(first + hosts - edges, bits == 128));
    }

    /// <exception cref="FormatException">It is no range; the message says what one looks like.</exception>
    public static AddressRange Parse(string text)
    {
        var parts = text.Split('-', StringSplitOptions.TrimEntries);
        var slash = text.Split('/', StringSplitOptions.TrimEntries);
        if (slash is [var network, var bits] && Address(network) is { } member && int.TryParse(bits, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)
            && prefix <= (member.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32))
            return Network(member, prefix);
        if (parts is [var from, var to] && Address(from) is { } first && Address(to) is { } last && first.AddressFamily == last.AddressFamily)
            return ValueOf(first) <= ValueOf(last) ? new AddressRange(first, last) : throw new FormatException($"'{text}' ends before it begins");
        return Address(text) is { } single ? new AddressRange(single, single) : throw new FormatException($"'{text}' is no address range: {Forms}");
    }

    public bool Contains(IPAddress address) => IndexOf(address) is not null;

    /// <summary>The place of an address in the range; null: it is outside.</summary>
    public ulong? IndexOf(IPAddress address) =>
        address.AddressFamily == First.AddressFamily && ValueOf(address) is var value && value >= ValueOf(First) && value <= ValueOf(Last)
            ? (ulong)(value - ValueOf(First)) : null;

    public bool Overlaps(AddressRange other) =>
        IsIPv6 == other.IsIPv6 && ValueOf(First) <= ValueOf(other.Last) && ValueOf(other.First) <= ValueOf(Last);

    /// <summary>One range where the two overlap or touch.</summary>
    public AddressRange With(AddressRange other) => new(
        ValueOf(First) <= ValueOf(other.First) ? First : other.First, ValueOf(Last) >= ValueOf(other.Last) ? Last : other.Last);

    public override string ToString() => First.Equals(Last) ? First.ToString() : $"{First}-{Last}";

    /// <summary>An address as a number, for order and distance.</summary>
    public static UInt128 ValueOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static IPAddress AddressOf(UInt128 value, bool six)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return new IPAddress(six ? bytes : bytes[12..]);
    }

    // .NET also takes 192.168.1 and 0x7f000001, which an administrator did not mean; and a scope (%eth0) is no part of a range.
    private static IPAddress? Address(string text) => IPAddress.TryParse(text, out var address) && !text.Contains('%', StringComparison.Ordinal)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text) ? address : null;
}
