using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Fleet.Office.Discovery.Names;

/// <summary>A name in DNS: labels, the most special first. Compared without regard to case, as DNS does for ASCII.</summary>
public sealed class DnsName : IEquatable<DnsName>
{
    /// <summary>Bytes of a whole name, lengths included (RFC 1035).</summary>
    private const int MaxBytes = 255;

    private const int MaxLabel = 63;

    private readonly string _text;

    private DnsName(IReadOnlyList<string> labels) => (Labels, _text) = (labels, string.Join('\0', labels));

    public IReadOnlyList<string> Labels { get; }

    /// <exception cref="ArgumentException">A label is empty or too long, or the name is.</exception>
    public static DnsName Of(params IReadOnlyList<string> labels)
    {
        var sizes = labels.Select(Encoding.UTF8.GetByteCount).ToList();
        return sizes.All(s => s is > 0 and <= MaxLabel) && sizes.Sum(s => s + 1) < MaxBytes ? new DnsName(labels) : throw new ArgumentException("no name in DNS", nameof(labels));
    }

    /// <summary>Where the name of an address is asked for: <c>5.1.168.192.in-addr.arpa</c>.</summary>
    public static DnsName Reverse(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        Array.Reverse(bytes);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? new DnsName([.. bytes.Select(b => b.ToString()), "in-addr", "arpa"])
            : new DnsName([.. bytes.SelectMany(b => new[] { (b & 15).ToString("x"), (b >> 4).ToString("x") }), "ip6", "arpa"]);
    }

    /// <summary>
    /// Reads a name and moves behind it; null: it is malformed. A pointer must lead to before the place where it was found,
    /// and so on down, so that no message can send a reader in circles.
    /// </summary>
    internal static DnsName? Read(ReadOnlySpan<byte> packet, ref int at)
    {
        var labels = new List<string>();
        var (place, limit, bytes) = (at, at, 1);
        int? behind = null;
        while (true)
        {
            if (place >= packet.Length)
                return null;
            var length = packet[place];
            if (length == 0)
            {
                at = behind ?? place + 1;
                return new DnsName(labels);
            }

            if (length >> 6 == 3)
            {
                if (place + 2 > packet.Length)
                    return null;
                behind ??= place + 2;
                var target = ((length & 63) << 8) | packet[place + 1];
                if (target >= limit)
                    return null;
                (place, limit) = (target, target);
                continue;
            }

            if (length > MaxLabel || place + 1 + length > packet.Length || (bytes += 1 + length) > MaxBytes)
                return null;
            labels.Add(Encoding.UTF8.GetString(packet.Slice(place + 1, length)));
            place += 1 + length;
        }
    }

    /// <summary>The name without its first labels; the same where it has no more.</summary>
    public DnsName Without(int labels) => new([.. Labels.Skip(labels)]);

    public bool EndsWith(params ReadOnlySpan<string> labels)
    {
        if (labels.Length > Labels.Count)
            return false;
        for (var i = 0; i < labels.Length; i++)
            if (!string.Equals(Labels[Labels.Count - labels.Length + i], labels[i], StringComparison.OrdinalIgnoreCase))
                return false;
        return true;
    }

    public bool Equals(DnsName? other) => other is not null && string.Equals(_text, other._text, StringComparison.OrdinalIgnoreCase);

    public override bool Equals(object? obj) => Equals(obj as DnsName);

    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(_text);

    /// <summary>Joined by dots, for people.</summary>
    public override string ToString() => string.Join('.', Labels);

    internal void WriteTo(List<byte> packet)
    {
        foreach (var label in Labels)
        {
            var bytes = Encoding.UTF8.GetBytes(label);
            packet.Add((byte)bytes.Length);
            packet.AddRange(bytes);
        }

        packet.Add(0);
    }
}
