using System.Net;
using System.Net.Sockets;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>Asks by ICMP echo: over a raw socket (CAP_NET_RAW), else over the kernel's own for ping, where it lets this user have one.</summary>
public sealed class EchoProbe : IProbe
{
    // Across a slow uplink; a LAN answers in a millisecond.
    private static readonly TimeSpan LastAnswer = TimeSpan.FromSeconds(1);

    private readonly bool _six;
    private readonly Socket _socket;
    private readonly Listener _listener;
    private readonly Pace _pace;
    private readonly TimeProvider _clock;
    private readonly ushort _id = (ushort)Random.Shared.Next(1, ushort.MaxValue);
    private readonly bool _raw;
    private int _number;

    private EchoProbe(bool six, Socket socket, bool raw, Answers answers, Pace pace, TimeProvider clock)
    {
        (_six, _socket, _raw, _pace, _clock) = (six, socket, raw, pace, clock);
        _listener = new Listener(socket, (IPEndPoint)socket.LocalEndPoint!, (from, packet) => Take(answers, from!, packet));
    }

    /// <summary>Null: this process may not send echoes.</summary>
    /// <param name="own">From which of this machine's addresses; any of a family by its unspecified one.</param>
    public static EchoProbe? TryOpen(IPAddress own, Answers answers, Pace pace, TimeProvider clock)
    {
        var six = own.AddressFamily == AddressFamily.InterNetworkV6;
        foreach (var type in new[] { SocketType.Raw, SocketType.Dgram })
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(own.AddressFamily, type, six ? ProtocolType.IcmpV6 : ProtocolType.Icmp);
                socket.Bind(new IPEndPoint(own, 0));
                return new EchoProbe(six, socket, type == SocketType.Raw, answers, pace, clock);
            }
            catch (SocketException)
            {
                // Forbidden: the other kind may be allowed.
                socket?.Dispose();
            }
        }

        return null;
    }

    public bool Reaches(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 == _six;

    public ValueTask Ask(IPAddress address, CancellationToken stop) => Ask(new IPEndPoint(address, 0), stop);

    /// <summary>Asks all machines of one link (ff02::1): each answers with an address of the kind of this machine's that asks (link-local, global).</summary>
    public async ValueTask AskAll(int card, CancellationToken stop)
    {
        _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, card);
        await Ask(new IPEndPoint(IPAddress.Parse($"ff02::1%{card}"), 0), stop);
    }

    public Task Settle(CancellationToken stop) => Task.Delay(LastAnswer, _clock, stop);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async ValueTask Ask(IPEndPoint to, CancellationToken stop)
    {
        await _pace.Next(stop);
        _listener.Send(EchoPacket.Request(_six, _id, (ushort)Interlocked.Increment(ref _number)), to);
    }

    private void Take(Answers answers, IPAddress from, ReadOnlySpan<byte> packet)
    {
        if (EchoPacket.IsReply(_six, packet, _raw ? _id : null))
            answers.Add(new Answer(from, null));
    }
}
