using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Event;

namespace Fleet.Gateway.Push;

/// <summary>Send this wake signal to these IP addresses.</summary>
public sealed record SendDatagrams(ReadOnlyMemory<byte> Signal, IReadOnlyList<string> Addresses);

/// <summary>Send magic packets to these MAC addresses, to every LAN of this machine.</summary>
public sealed record SendMagicPackets(IReadOnlyList<string> Macs);

/// <summary>
/// Sends wake signals as UDP datagrams, each three times within a second: a lost one costs nothing, and the device takes only the first. Runs where
/// the device's network is in reach: at a node of its office, or at headquarters.
/// </summary>
public sealed class WakeSender : ReceiveActor, IWithTimers
{
    /// <summary>Addresses of one device; more are a mistake of its report.</summary>
    private const int MaxAddresses = 16;

    private static readonly TimeSpan[] Again = [TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(900)];

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly int _port;
    private readonly Socket _four = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket? _six = Socket.OSSupportsIPv6 ? new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) : null;
    private long _number;

    public WakeSender(int port)
    {
        _port = port;
        Receive<SendDatagrams>(wanted =>
        {
            Send(wanted);
            foreach (var wait in Again)
                Timers.StartSingleTimer(++_number, new Repeat(wanted), wait);
        });
        Receive<Repeat>(repeat => Send(repeat.Wanted));
        Receive<SendMagicPackets>(Send);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(int port) => Akka.Actor.Props.Create(() => new WakeSender(port));

    protected override void PreStart()
    {
        _four.EnableBroadcast = true;
        Context.System.EventStream.Subscribe(Self, typeof(SendDatagrams));
        Context.System.EventStream.Subscribe(Self, typeof(SendMagicPackets));
    }

    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        _four.Dispose();
        _six?.Dispose();
    }

    private void Send(SendMagicPackets wanted)
    {
        var lans = MagicPacket.Broadcasts();
        foreach (var packet in wanted.Macs.Take(MaxAddresses).Select(MagicPacket.For).OfType<byte[]>())
            foreach (var lan in lans)
                try
                {
                    _four.SendTo(packet, new IPEndPoint(lan, MagicPacket.Port));
                }
                catch (SocketException unreachable)
                {
                    _log.Debug("No magic packet to {Address}: {Reason}", lan, unreachable.Message);
                }
    }

    private void Send(SendDatagrams wanted)
    {
        foreach (var text in wanted.Addresses.Take(MaxAddresses))
        {
            if (!IPAddress.TryParse(text, out var address) || (address.AddressFamily == AddressFamily.InterNetworkV6 ? _six : _four) is not { } socket)
                continue;
            try
            {
                socket.SendTo(wanted.Signal.Span, new IPEndPoint(address, _port));
            }
            catch (SocketException unreachable)
            {
                // The ladder goes on by itself; which address it was helps whoever looks for the reason.
                _log.Debug("No datagram to {Address}: {Reason}", text, unreachable.Message);
            }
        }
    }

    private sealed record Repeat(SendDatagrams Wanted);
}
