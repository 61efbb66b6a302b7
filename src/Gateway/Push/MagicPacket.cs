using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Fleet.Gateway.Push;

/// <summary>
/// The packet that switches a machine on: six bytes of 255 and sixteen times its MAC address (AMD, "Magic Packet Technology", publication 20213), in a
/// UDP datagram to everybody on the LAN.
/// </summary>
public static class MagicPacket
{
    /// <summary>Discard, as is the custom: nobody listens there, the network card does.</summary>
    public const int Port = 9;

    private const int MacBytes = 6;
    private const int Times = 16;

    /// <summary>The packet for a MAC address such as <c>52:54:00:12:34:56</c>; null: that is none.</summary>
    public static byte[]? For(string mac)
    {
        if (!PhysicalAddress.TryParse(mac.Replace(':', '-').ToUpperInvariant(), out var address) || address.GetAddressBytes() is not { Length: MacBytes } bytes)
            return null;
        var packet = new byte[MacBytes + (Times * MacBytes)];
        packet.AsSpan(0, MacBytes).Fill(255);
        for (var n = 0; n < Times; n++)
            bytes.CopyTo(packet, MacBytes + (n * MacBytes));
        return packet;
    }

    /// <summary>Everybody on each LAN that this machine has an IPv4 address in.</summary>
    public static IReadOnlyList<IPAddress> Broadcasts() =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork && a.PrefixLength is > 0 and < 31)
            .Select(a => BroadcastOf(a.Address, a.PrefixLength))
            .Distinct(),
    ];

    /// <summary>The directed broadcast address of a network (RFC 919).</summary>
    public static IPAddress BroadcastOf(IPAddress member, int prefix)
    {
        var bytes = member.GetAddressBytes();
        for (var bit = prefix; bit < 32; bit++)
            bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }
}
