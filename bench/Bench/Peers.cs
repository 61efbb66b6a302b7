using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Fleet.Messages.Transport;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>
/// Peers on the lab's machines. Their clients speak the few words needed by hand (the NATS client protocol; MQTT 3.1.1 sections 3.1, 3.3, 3.8, QoS 0), so
/// that no client library stands between the wire and the clock.
/// </summary>
internal static class Peers
{
    private const string Ready = "Server is ready";

    /// <summary>As small as a wake signal begins.</summary>
    private const string Payload = "FWK1";

    /// <summary>Milliseconds from headquarters to the device and back, through a hub there and a leaf in the office.</summary>
    public static async Task<List<double>> Nats(ProcessFleet fleet, TopologyNode leaf, TopologyDevice device, int trips, CancellationToken stop)
    {
        var directory = fleet.ScratchOf("nats");
        var (hub, office) = (Path.Combine(directory, "hub.conf"), Path.Combine(directory, "leaf.conf"));
        await File.WriteAllTextAsync(hub, "port: 4222\nleafnodes { port: 7422 }\n", stop).ConfigureAwait(false);
        await File.WriteAllTextAsync(office, $"port: 4222\nleafnodes {{ remotes = [{{ url: \"nats://{fleet.Topology.Headquarters}:7422\" }}] }}\n", stop).ConfigureAwait(false);
        await fleet.StartOther("nats-hub", null, Ready, ["nats-server", "-c", hub]).ConfigureAwait(false);
        await fleet.StartOther("nats-leaf", leaf, Ready, ["nats-server", "-c", office]).ConfigureAwait(false);

        using var there = await Connection.To(fleet.HeadquartersNetwork, $"{fleet.Topology.Headquarters}:4222", stop).ConfigureAwait(false);
        using var here = await Connection.To(fleet.NetworkOf(device), $"{leaf.Address}:4222", stop).ConfigureAwait(false);
        const string Hello = "CONNECT {\"verbose\":false}\r\n";
        await there.Write($"{Hello}SUB synced 1\r\nPING\r\n", stop).ConfigureAwait(false);
        await here.Write($"{Hello}SUB wake 1\r\nPING\r\n", stop).ConfigureAwait(false);
        await there.Until("PONG", stop).ConfigureAwait(false);
        await here.Until("PONG", stop).ConfigureAwait(false);
        return await Trips(there, here, topic => Encoding.ASCII.GetBytes($"PUB {topic} {Payload.Length}\r\n{Payload}\r\n"), trips, stop).ConfigureAwait(false);
    }

    /// <summary>The same through one broker at headquarters, to which the device keeps a connection.</summary>
    public static async Task<List<double>> Mosquitto(ProcessFleet fleet, TopologyDevice device, int trips, CancellationToken stop)
    {
        var file = Path.Combine(fleet.ScratchOf("mosquitto"), "mosquitto.conf");
        await File.WriteAllTextAsync(file, $"listener 1883 {fleet.Topology.Headquarters}\nallow_anonymous true\nset_tcp_nodelay true\nuser root\n", stop).ConfigureAwait(false);
        await fleet.StartOther("mosquitto", null, "running", ["mosquitto", "-v", "-c", file]).ConfigureAwait(false);

        var address = $"{fleet.Topology.Headquarters}:1883";
        using var there = await Connection.To(fleet.HeadquartersNetwork, address, stop).ConfigureAwait(false);
        using var here = await Connection.To(fleet.NetworkOf(device), address, stop).ConfigureAwait(false);
        await Subscribe(there, "hq", "synced", stop).ConfigureAwait(false);
        await Subscribe(here, "till", "wake", stop).ConfigureAwait(false);
        return await Trips(there, here, topic => Packet(0x30, [.. Text(topic), .. Encoding.ASCII.GetBytes(Payload)]), trips, stop).ConfigureAwait(false);
    }

    /// <param name="publish">What publishes the payload under a topic.</param>
    private static async Task<List<double>> Trips(Connection there, Connection here, Func<string, byte[]> publish, int trips, CancellationToken stop)
    {
        var (wake, synced) = (publish("wake"), publish("synced"));
        var took = new List<double>(trips);
        // The first pays for what is made on demand, and a leaf may not know of the subscription yet.
        for (var trip = -10; trip < trips; trip++)
        {
            var began = Stopwatch.GetTimestamp();
            await Cross(there, here, wake, stop).ConfigureAwait(false);
            await Cross(here, there, synced, stop).ConfigureAwait(false);
            if (trip >= 0)
                took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return took;
    }

    private static async Task Cross(Connection from, Connection to, byte[] message, CancellationToken stop)
    {
        await from.Write(message, stop).ConfigureAwait(false);
        await to.Until(Payload, stop).WaitAsync(TimeSpan.FromSeconds(10), stop).ConfigureAwait(false);
    }

    private static async Task Subscribe(Connection connection, string client, string topic, CancellationToken stop)
    {
        // CONNECT: protocol MQTT, level 4, clean session, keep alive 600 s.
        await connection.Write(Packet(0x10, [.. Text("MQTT"), 4, 2, 2, 88, .. Text(client)]), stop).ConfigureAwait(false);
        await connection.Read(4, stop).ConfigureAwait(false);
        await connection.Write(Packet(0x82, [0, 1, .. Text(topic), 0]), stop).ConfigureAwait(false);
        await connection.Read(5, stop).ConfigureAwait(false);
    }

    private static byte[] Packet(byte kind, byte[] body) => [kind, (byte)body.Length, .. body];

    private static byte[] Text(string text)
    {
        var bytes = new byte[2 + text.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)text.Length);
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(2));
        return bytes;
    }

    /// <summary>Bytes that come are looked through for a text, or taken by number.</summary>
    private sealed class Connection(Stream stream) : IDisposable
    {
        private readonly byte[] _buffer = new byte[8192];
        private int _held;

        public static async Task<Connection> To(IByteNetwork network, string address, CancellationToken stop) => new(await network.Connect(address, stop).ConfigureAwait(false));

        public Task Write(string text, CancellationToken stop) => Write(Encoding.ASCII.GetBytes(text), stop);

        public async Task Write(byte[] bytes, CancellationToken stop) => await stream.WriteAsync(bytes, stop).ConfigureAwait(false);

        public async Task Until(string text, CancellationToken stop)
        {
            int at;
            while ((at = _buffer.AsSpan(0, _held).IndexOf(Encoding.ASCII.GetBytes(text))) < 0)
                await Fill(stop).ConfigureAwait(false);
            Drop(at + text.Length);
        }

        public async Task Read(int count, CancellationToken stop)
        {
            while (_held < count)
                await Fill(stop).ConfigureAwait(false);
            Drop(count);
        }

        public void Dispose() => stream.Dispose();

        private async Task Fill(CancellationToken stop)
        {
            var read = await stream.ReadAsync(_buffer.AsMemory(_held), stop).ConfigureAwait(false);
            if (read == 0)
                throw new IOException("the peer hung up");
            _held += read;
        }

        private void Drop(int count)
        {
            _buffer.AsSpan(count, _held - count).CopyTo(_buffer);
            _held -= count;
        }
    }
}
