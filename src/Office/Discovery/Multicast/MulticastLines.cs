using System.Net;
using System.Net.Sockets;
using Fleet.Office.Discovery.Networks;
using Fleet.Office.Discovery.Sweeps;

namespace Fleet.Office.Discovery.Multicast;

/// <summary>A socket for multicast DNS on each of the machine's networks. They share port 5353 with whatever else speaks it here.</summary>
internal sealed class MulticastLines : IAsyncDisposable
{
    private const int Port = 5353;

    /// <summary>Receivers on the link check that a packet crossed no router (RFC 6762, 11).</summary>
    private const int TimeToLive = 255;

    private static readonly IPAddress GroupFour = IPAddress.Parse("224.0.0.251");
    private static readonly IPAddress GroupSix = IPAddress.Parse("ff02::fb");

    private readonly List<(Listener Line, IPEndPoint Group)> _lines = [];

    /// <exception cref="PollFailedException">None could be opened.</exception>
    public static MulticastLines Open(LocalNetworks networks, PollRun run, Listener.Take take)
    {
        var lines = new MulticastLines();
        foreach (var (card, own) in networks.Four.DistinctBy(n => n.Index).Select(n => (n.Index, n.Own)).Concat(networks.Six.Select(l => (l.Index, l.Own[0]))))
            try
            {
                lines.Add(card, own, take);
            }
            catch (SocketException fault)
            {
                run.CannotSee($"what answers multicast DNS at {own}: {fault.Message}");
            }

        return lines._lines.Count > 0 ? lines : throw new PollFailedException("no network card of this machine can be used for multicast");
    }

    /// <summary>To everybody on every network.</summary>
    public async ValueTask Send(byte[] query, Pace pace, CancellationToken stop)
    {
        foreach (var (line, group) in _lines)
        {
            await pace.Next(stop);
            line.Send(query, group);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (line, _) in _lines)
            await line.DisposeAsync();
    }

    private void Add(int card, IPAddress own, Listener.Take take)
    {
        var four = own.AddressFamily == AddressFamily.InterNetwork;
        var socket = new Socket(own.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        var any = new IPEndPoint(four ? IPAddress.Any : IPAddress.IPv6Any, Port);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(any);
            if (four)
            {
                socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(GroupFour, own));
                socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, own.GetAddressBytes());
                socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, TimeToLive);
            }
            else
            {
                socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(GroupSix, card));
                socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, card);
                socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive, TimeToLive);
            }
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }

        _lines.Add((new Listener(socket, any, take), new IPEndPoint(four ? GroupFour : new IPAddress(GroupSix.GetAddressBytes(), card), Port)));
    }
}
