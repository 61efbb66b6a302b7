using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>A machine that the kernel has spoken to on a link.</summary>
/// <param name="Card">The kernel's number of the card.</param>
/// <param name="Confirmed">How long ago the machine was known to be there.</param>
/// <param name="Reachable">The kernel is sure of it now.</param>
public readonly record struct Neighbour(IPAddress Address, MacAddress Mac, int Card, TimeSpan Confirmed, bool Reachable);

/// <summary>The kernel's table of who is where on its links (ARP and IPv6 neighbour discovery), read over netlink. Needs no right.</summary>
internal static class NeighbourTable
{
    // linux/rtnetlink.h, linux/neighbour.h
    private const int Netlink = 16;
    private const int RawSocket = 3 | 0x80000; // SOCK_RAW | SOCK_CLOEXEC
    private const ushort GetNeighbours = 30;
    private const ushort NewNeighbour = 28;
    private const ushort Done = 3;
    private const ushort RequestDump = 0x301;
    private const ushort Destination = 1;
    private const ushort LinkAddress = 2;
    private const ushort CacheInfo = 3;
    private const int MessageHeader = 16;
    private const int NeighbourHeader = 12;
    private const int AttributeHeader = 4;

    private const ushort ReachableState = 0x02 | 0x80; // reachable, permanent
    private const ushort KnownStates = ReachableState | 0x04 | 0x08 | 0x10; // stale, delay, probe

    /// <summary>How long a machine on the link may take to answer the kernel: one on Wi-Fi may sleep for some beacons.</summary>
    private static readonly TimeSpan Resolution = TimeSpan.FromMilliseconds(350);

    /// <summary>USER_HZ, the unit of ages here, on every architecture that .NET runs on.</summary>
    private const int TicksPerSecond = 100;

    /// <summary>All neighbours with a card's address. Empty where the system is not Linux or gives no answer.</summary>
    public static IReadOnlyList<Neighbour> Now()
    {
        var found = new List<Neighbour>();
        if (!OperatingSystem.IsLinux())
            return found;
        using var socket = new SafeFileHandle(OpenSocket(Netlink, RawSocket, protocol: 0), ownsHandle: true);
        if (socket.IsInvalid)
            return found;
        var request = new byte[MessageHeader + NeighbourHeader];
        BitConverter.TryWriteBytes(request.AsSpan(0), request.Length);
        BitConverter.TryWriteBytes(request.AsSpan(4), GetNeighbours);
        BitConverter.TryWriteBytes(request.AsSpan(6), RequestDump);
        if (Send(socket, request, request.Length, flags: 0) < 0)
            return found;
        var buffer = new byte[65536];
        while (Receive(socket, buffer, buffer.Length, flags: 0) is var length and > 0 && Read(buffer.AsSpan(0, (int)length), found))
        {
        }

        return found;
    }

    /// <summary>All neighbours, once the kernel has asked for those of these that it does not know: a packet to the discard port makes it.</summary>
    /// <param name="onLink">Addresses that are met without a router; link-local ones with their zone.</param>
    public static async Task<IReadOnlyList<Neighbour>> Asked(IEnumerable<IPAddress> onLink, PollRun run, CancellationToken stop)
    {
        var now = Now();
        var unknown = onLink.Where(a => !now.Any(n => n.Address.Equals(Zones.Without(a)))).ToList();
        if (unknown.Count == 0)
            return now;
        foreach (var family in unknown.GroupBy(a => a.AddressFamily))
        {
            using var socket = new Socket(family.Key, SocketType.Dgram, ProtocolType.Udp);
            foreach (var address in family)
            {
                await run.Pace.Next(stop);
                Listener.Send(socket, [0], new IPEndPoint(address, NeighbourProbe.DiscardPort));
            }
        }

        await Task.Delay(Resolution, run.Clock, stop);
        return Now();
    }

    /// <summary>Reads one answer of the kernel's; false: it was the last.</summary>
    internal static bool Read(ReadOnlySpan<byte> answer, List<Neighbour> found)
    {
        while (answer.Length >= MessageHeader)
        {
            var length = BitConverter.ToInt32(answer);
            if (length < MessageHeader || length > answer.Length || BitConverter.ToUInt16(answer[4..]) is var kind && kind != NewNeighbour)
                return false;
            if (length >= MessageHeader + NeighbourHeader && One(answer[MessageHeader..length]) is { } neighbour)
                found.Add(neighbour);
            answer = answer[Math.Min(Aligned(length), answer.Length)..];
        }

        return true;
    }

    private static Neighbour? One(ReadOnlySpan<byte> message)
    {
        var card = BitConverter.ToInt32(message[4..]);
        var state = BitConverter.ToUInt16(message[8..]);
        IPAddress? address = null;
        MacAddress? mac = null;
        var confirmed = TimeSpan.MaxValue;
        var rest = message[NeighbourHeader..];
        while (rest.Length >= AttributeHeader && BitConverter.ToUInt16(rest) is var length and >= AttributeHeader && length <= rest.Length)
        {
            var value = rest[AttributeHeader..length];
            switch (BitConverter.ToUInt16(rest[2..]))
            {
                case Destination when value.Length is 4 or 16:
                    address = new IPAddress(value);
                    break;
                case LinkAddress when value.Length == MacAddress.Length:
                    mac = MacAddress.From(value);
                    break;
                case CacheInfo when value.Length >= sizeof(uint):
                    confirmed = TimeSpan.FromSeconds(BitConverter.ToUInt32(value) / (double)TicksPerSecond);
                    break;
            }

            rest = rest[Math.Min(Aligned(length), rest.Length)..];
        }

        return address is not null && mac is { IsCard: true } known && (state & KnownStates) != 0
            ? new Neighbour(address, known, card, confirmed, (state & ReachableState) != 0) : null;
    }

    private static int Aligned(int length) => (length + 3) & ~3;

    [DllImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static extern nint OpenSocket(int family, int type, int protocol);

    [DllImport("libc", EntryPoint = "send", SetLastError = true)]
    private static extern nint Send(SafeFileHandle socket, byte[] bytes, nint length, int flags);

    [DllImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static extern nint Receive(SafeFileHandle socket, byte[] bytes, nint length, int flags);
}
