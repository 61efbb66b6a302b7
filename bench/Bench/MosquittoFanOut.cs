using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Fleet.Contracts.Envelopes;
using Fleet.NatLab.Fleets;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// The fan-out of one mosquitto on this machine: as many clients as <see cref="NatsFanOut"/> has leaves, each of which subscribes for its offices, and one publisher
/// that sends one message a device; QoS 1, so that each is acknowledged on both sides, and not retained. MQTT 3.1.1 is spoken by hand (sections 3.1, 3.3, 3.4, 3.8).
/// </summary>
internal static class MosquittoFanOut
{
    private const byte Connect = 0x10;
    private const byte ConnectAcknowledged = 0x20;
    private const byte Publish = 0x32;
    private const byte PublishAcknowledged = 0x40;
    private const byte Subscribe = 0x82;
    private const byte SubscribeAcknowledged = 0x90;

    /// <summary>Packet ids are 16 bits, and one must be acknowledged before it is used again.</summary>
    private const int Window = 20_000;

    private static readonly byte[] Payload = Encoding.ASCII.GetBytes(new string('w', WakeSignal.Length));
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>From the first message that is published until the last office has one for each of its devices.</summary>
    /// <exception cref="TimeoutException">Messages were lost.</exception>
    public static async Task<TimeSpan> Run(int offices, int devicesPerOffice, CancellationToken stop)
    {
        var directory = Directory.CreateTempSubdirectory("fleet-bench-mosquitto-");
        var clients = new List<Client>();
        try
        {
            var (port, file) = (FreePorts.One(), Path.Combine(directory.FullName, "mosquitto.conf"));
            // Without these two lines it drops what a client has not acknowledged yet.
            await File.WriteAllTextAsync(file, $"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nuser root\nmax_inflight_messages 0\nmax_queued_messages 0\n", stop).ConfigureAwait(false);
            using var broker = await LabProcess.Start("mosquitto", ["mosquitto", "-v", "-c", file], "running", StartPatience).ConfigureAwait(false);
            var received = new List<Task<long>>();
            foreach (var some in Enumerable.Range(0, offices).GroupBy(office => office % NatsFanOut.Leaves))
            {
                var client = await Open(clients, port, $"leaf-{some.Key}", stop).ConfigureAwait(false);
                foreach (var office in some)
                {
                    await client.Send(Packet(Subscribe, [0, 1, .. Text($"wake/{office}/+"), 1]), stop).ConfigureAwait(false);
                    await client.Until(SubscribeAcknowledged, 1, stop).ConfigureAwait(false);
                }

                received.Add(Receive(client, some.Count() * devicesPerOffice, stop));
            }

            var publisher = await Open(clients, port, "hq", stop).ConfigureAwait(false);
            var began = Stopwatch.GetTimestamp();
            await Send(publisher, offices, devicesPerOffice, stop).ConfigureAwait(false);
            var last = await Task.WhenAll(received).WaitAsync(Patience, stop).ConfigureAwait(false);
            return Stopwatch.GetElapsedTime(began, last.Max());
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
            directory.Delete(recursive: true);
        }
    }

    private static async Task<Client> Open(List<Client> clients, int port, string name, CancellationToken stop)
    {
        var client = new Client();
        clients.Add(client);
        await client.Open(port, stop).ConfigureAwait(false);
        // Protocol MQTT, level 4, clean session, keep alive 600 s.
        await client.Send(Packet(Connect, [.. Text("MQTT"), 4, 2, 2, 88, .. Text(name)]), stop).ConfigureAwait(false);
        await client.Until(ConnectAcknowledged, 1, stop).ConfigureAwait(false);
        return client;
    }

    private static async Task Send(Client publisher, int offices, int devicesPerOffice, CancellationToken stop)
    {
        var (sent, acknowledged, block) = (0, 0, new List<byte>());
        for (var office = 0; office < offices; office++)
        {
            for (var device = 0; device < devicesPerOffice; device++)
            {
                var id = (ushort)((sent++ % ushort.MaxValue) + 1);
                block.AddRange(Packet(Publish, [.. Text(string.Create(CultureInfo.InvariantCulture, $"wake/{office}/{device}")), (byte)(id >> 8), (byte)id, .. Payload]));
            }

            await publisher.Send(block.ToArray(), stop).ConfigureAwait(false);
            block.Clear();
            while (sent - acknowledged > Window)
                acknowledged += await publisher.Next(PublishAcknowledged, stop).ConfigureAwait(false);
        }

        await publisher.Until(PublishAcknowledged, sent - acknowledged, stop).ConfigureAwait(false);
    }

    private static async Task<long> Receive(Client client, int messages, CancellationToken stop)
    {
        await client.Until(Publish, messages, stop).ConfigureAwait(false);
        return Stopwatch.GetTimestamp();
    }

    private static byte[] Packet(byte kind, byte[] body)
    {
        var length = new List<byte>();
        for (var left = body.Length; length.Count == 0 || left > 0; left >>= 7)
            length.Add((byte)((left & 0x7F) | (left > 0x7F ? 0x80 : 0)));
        return [kind, .. length, .. body];
    }

    private static byte[] Text(string text)
    {
        var bytes = new byte[2 + text.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)text.Length);
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(2));
        return bytes;
    }

    /// <summary>A connection that counts packets, and acknowledges what is published to it.</summary>
    private sealed class Client : IDisposable
    {
        private readonly TcpClient _tcp = new() { NoDelay = true };
        private readonly byte[] _buffer = new byte[64 * 1024];
        private int _held;

        public Task Open(int port, CancellationToken stop) => _tcp.ConnectAsync(IPAddress.Loopback, port, stop).AsTask();

        public Task Send(byte[] bytes, CancellationToken stop) => _tcp.GetStream().WriteAsync(bytes, stop).AsTask();

        public async Task Until(byte kind, int times, CancellationToken stop)
        {
            while (times > 0)
                times -= await Next(kind, stop).ConfigureAwait(false);
        }

        /// <returns>How many packets of that kind came with the next bytes.</returns>
        public async Task<int> Next(byte kind, CancellationToken stop)
        {
            var read = await _tcp.GetStream().ReadAsync(_buffer.AsMemory(_held), stop).ConfigureAwait(false);
            if (read == 0)
                throw new IOException("mosquitto hung up");
            _held += read;
            var (at, found, answers) = (0, 0, new List<byte>());
            while (Whole(_buffer.AsSpan(at, _held - at)) is { } packet)
            {
                found += _buffer[at] == kind ? 1 : 0;
                if (_buffer[at] == Publish)
                    answers.AddRange([PublishAcknowledged, 2, .. IdOf(_buffer.AsSpan(at + packet.Header, packet.Body))]);
                at += packet.Header + packet.Body;
            }

            _buffer.AsSpan(at, _held - at).CopyTo(_buffer);
            _held -= at;
            if (answers.Count > 0)
                await Send([.. answers], stop).ConfigureAwait(false);
            return found;
        }

        public void Dispose() => _tcp.Dispose();

        // Seven bits of the length a byte, as long as the eighth is set.
        private static (int Header, int Body)? Whole(ReadOnlySpan<byte> bytes)
        {
            var body = 0;
            for (var at = 1; at < bytes.Length; at++)
            {
                body |= (bytes[at] & 0x7F) << (7 * (at - 1));
                if ((bytes[at] & 0x80) == 0)
                    return bytes.Length >= at + 1 + body ? (at + 1, body) : null;
            }

            return null;
        }

        private static byte[] IdOf(ReadOnlySpan<byte> publish) => publish.Slice(2 + BinaryPrimitives.ReadUInt16BigEndian(publish), 2).ToArray();
    }
}
