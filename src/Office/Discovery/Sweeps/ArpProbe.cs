using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Fleet.Office.Discovery.Networks;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>Asks by ARP on one network of this machine, over a packet socket (CAP_NET_RAW). Nothing with IPv4 can stay silent to it.</summary>
public sealed class ArpProbe : IProbe
{
    private const ushort EtherTypeArp = 0x0806;

    // A machine that sleeps lightly, or a Wi-Fi client in power save, takes some beacons to answer.
    private static readonly TimeSpan LastAnswer = TimeSpan.FromMilliseconds(350);

    private readonly LocalNetwork _network;
    private readonly Pace _pace;
    private readonly TimeProvider _clock;
    private readonly Listener _listener;
    private readonly Card _everybody;

    private ArpProbe(LocalNetwork network, Socket socket, Answers answers, Pace pace, TimeProvider clock)
    {
        (_network, _pace, _clock, _everybody) = (network, pace, clock, new Card(network.Index));
        _listener = new Listener(socket, any: null, (_, packet) => Take(answers, packet));
    }

    /// <summary>Null: this process may not open packet sockets, or the system has none.</summary>
    public static ArpProbe? TryOpen(LocalNetwork network, Answers answers, Pace pace, TimeProvider clock)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Packet, SocketType.Dgram, (ProtocolType)BinaryPrimitives.ReverseEndianness(EtherTypeArp));
            socket.Bind(new Card(network.Index));
            return new ArpProbe(network, socket, answers, pace, clock);
        }
        catch (SocketException)
        {
            socket?.Dispose();
            return null;
        }
    }

    public bool Reaches(IPAddress address) => _network.Range.Contains(address);

    public async ValueTask Ask(IPAddress address, CancellationToken stop)
    {
        await _pace.Next(stop);
        _listener.Send(new ArpPacket(IsReply: false, _network.Mac, _network.Own, address).Bytes(), _everybody);
    }

    public Task Settle(CancellationToken stop) => Task.Delay(LastAnswer, _clock, stop);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    // Requests of others name their sender as well: who speaks is there.
    private void Take(Answers answers, ReadOnlySpan<byte> bytes)
    {
        if (ArpPacket.Read(bytes) is { } packet && packet.Sender != _network.Mac && _network.Range.Contains(packet.SenderAddress))
            answers.Add(new Answer(packet.SenderAddress, packet.Sender));
    }

    /// <summary>sockaddr_ll: everybody on one card.</summary>
    private sealed class Card(int index) : EndPoint
    {
        private const int Size = 20;

        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, Size);
            var bytes = address.Buffer.Span;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], EtherTypeArp);
            BitConverter.TryWriteBytes(bytes[4..], index);
            bytes[11] = MacAddress.Length;
            bytes.Slice(12, MacAddress.Length).Fill(0xff);
            return address;
        }
    }
}
