using System.Net;
using Fleet.Office.Discovery.Names;

namespace Fleet.Office.Tests.Discovery.Names;

/// <summary>Answers as devices send them, made by hand.</summary>
internal static class DnsPackets
{
    /// <summary>A printer: its service, where it is, what it says, its two addresses; names compressed as avahi does.</summary>
    public static byte[] Printer()
    {
        var packet = new List<byte>(Convert.FromHexString("000084000000000500000000"));
        // 12: _ipp._tcp.local PTR "Till printer".<12>; its data begins at 39.
        packet.AddRange([4, .. "_ipp"u8, 4, .. "_tcp"u8, 5, .. "local"u8, 0]);
        Head(packet, DnsType.Ptr, 15);
        packet.AddRange([12, .. "Till printer"u8, 0xc0, 12]);
        packet.AddRange([0xc0, 39]);
        // SRV printer.<local at 22>; its target begins at 74.
        Head(packet, DnsType.Srv, 16);
        packet.AddRange([0, 0, 0, 0, 0x02, 0x77, 7, .. "printer"u8, 0xc0, 22]);
        packet.AddRange([0xc0, 39]);
        Head(packet, DnsType.Txt, 8);
        packet.AddRange([6, .. "ty=Lab"u8, 0]);
        packet.AddRange([0xc0, 72]);
        Head(packet, DnsType.A, 4);
        packet.AddRange(IPAddress.Parse("192.168.1.9").GetAddressBytes());
        packet.AddRange([0xc0, 72]);
        Head(packet, DnsType.Aaaa, 16);
        packet.AddRange(IPAddress.Parse("fe80::9").GetAddressBytes());
        return [.. packet];
    }

    /// <summary>What kinds of services a device has.</summary>
    public static byte[] Kinds() => Answer((DnsName.Of("_services", "_dns-sd", "_udp", "local"), DnsName.Of("_ipp", "_tcp", "local")), (DnsName.Of("_services", "_dns-sd", "_udp", "local"), DnsName.Of("_scanner", "_tcp", "local")));

    /// <summary>Pointers, not compressed.</summary>
    public static byte[] Answer(params (DnsName Name, DnsName Target)[] pointers)
    {
        var packet = new List<byte>(Convert.FromHexString("0000840000000000")) { 0, 0, 0, 0 };
        (packet[6], packet[7]) = ((byte)(pointers.Length >> 8), (byte)pointers.Length);
        foreach (var (name, target) in pointers)
        {
            var data = new List<byte>();
            target.WriteTo(data);
            name.WriteTo(packet);
            Head(packet, DnsType.Ptr, data.Count);
            packet.AddRange(data);
        }

        return [.. packet];
    }

    private static void Head(List<byte> packet, DnsType type, int length) => packet.AddRange([0, (byte)type, 0x80, 1, 0, 0, 0, 120, 0, (byte)length]);
}
