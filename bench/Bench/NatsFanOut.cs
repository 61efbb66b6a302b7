using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Fleet.Contracts.Envelopes;
using Fleet.NatLab.Fleets;
using Fleet.TestSupport;

namespace Fleet.Bench;

/// <summary>
/// The fan-out of a NATS hub on this machine: leaf nodes beside it, one client at each that subscribes for its offices, and one publisher at the hub that sends
/// one message a device. The client protocol is spoken by hand, as in <see cref="Peers"/>.
/// </summary>
internal static class NatsFanOut
{
    public const int Leaves = 50;

    private const string Ready = "Server is ready";

    /// <summary>As long as a wake signal.</summary>
    private static readonly string Payload = new('w', WakeSignal.Length);

    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>From the first message that is published until the last office has one for each of its devices.</summary>
    /// <exception cref="TimeoutException">Messages were lost.</exception>
    public static async Task<TimeSpan> Run(int offices, int devicesPerOffice, CancellationToken stop)
    {
        var directory = Directory.CreateTempSubdirectory("fleet-bench-nats-");
        var servers = new List<LabProcess>();
        var connections = new List<TcpClient>();
        try
        {
            var ports = FreePorts.Take(2 + Leaves);
            servers.Add(await Server(directory.FullName, "hub", $"port: {ports[0]}\nleafnodes {{ host: 127.0.0.1, port: {ports[1]} }}\n").ConfigureAwait(false));
            for (var leaf = 0; leaf < Leaves; leaf++)
                servers.Add(await Server(directory.FullName, $"leaf-{leaf}", $"port: {ports[2 + leaf]}\nleafnodes {{ remotes = [{{ url: \"nats://127.0.0.1:{ports[1]}\" }}] }}\n").ConfigureAwait(false));

            var hub = await Connect(connections, ports[0], "", stop).ConfigureAwait(false);
            var offered = Enumerable.Range(0, offices).GroupBy(office => office % Leaves).ToList();
            var received = new List<Task<long>>();
            foreach (var leaf in offered)
            {
                var subscriptions = string.Concat(leaf.Select((office, sid) => $"SUB wake.{office}.* {sid + 1}\r\n"));
                var stream = await Connect(connections, ports[2 + leaf.Key], subscriptions, stop).ConfigureAwait(false);
                // The hub learns of a leaf's subscriptions a moment later: a message to its first office tells that it has.
                await UntilHeard(hub, stream, leaf.Last(), stop).ConfigureAwait(false);
                received.Add(Receive(stream, leaf.Count() * devicesPerOffice, stop));
            }

            var began = Stopwatch.GetTimestamp();
            await Publish(hub, offices, devicesPerOffice, stop).ConfigureAwait(false);
            var last = await Task.WhenAll(received).WaitAsync(Patience, stop).ConfigureAwait(false);
            return Stopwatch.GetElapsedTime(began, last.Max());
        }
        finally
        {
            connections.ForEach(c => c.Dispose());
            servers.ForEach(s => s.Dispose());
            directory.Delete(recursive: true);
        }
    }

    private static async Task<LabProcess> Server(string directory, string name, string config)
    {
        var file = Path.Combine(directory, $"{name}.conf");
        await File.WriteAllTextAsync(file, $"host: 127.0.0.1\nserver_name: {name}\n{config}").ConfigureAwait(false);
        return await LabProcess.Start($"nats-{name}", ["nats-server", "-c", file], Ready, StartPatience).ConfigureAwait(false);
    }

    private static async Task<NetworkStream> Connect(List<TcpClient> connections, int port, string subscriptions, CancellationToken stop)
    {
        var client = new TcpClient { NoDelay = true };
        connections.Add(client);
        await client.ConnectAsync(IPAddress.Loopback, port, stop).ConfigureAwait(false);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {{\"verbose\":false}}\r\n{subscriptions}PING\r\n"), stop).ConfigureAwait(false);
        await Count(stream, "PONG", 1, stop).ConfigureAwait(false);
        return stream;
    }

    private static async Task UntilHeard(NetworkStream hub, NetworkStream leaf, int office, CancellationToken stop)
    {
        var heard = Count(leaf, "probe\r\n", 1, stop);
        while (await Task.WhenAny(heard, Task.Delay(TimeSpan.FromMilliseconds(50), stop)).ConfigureAwait(false) != heard)
            await hub.WriteAsync(Encoding.ASCII.GetBytes($"PUB wake.{office}.probe 5\r\nprobe\r\n"), stop).ConfigureAwait(false);
        await heard.ConfigureAwait(false);
    }

    private static async Task Publish(NetworkStream hub, int offices, int devicesPerOffice, CancellationToken stop)
    {
        var block = new StringBuilder();
        for (var office = 0; office < offices; office++)
        {
            for (var device = 0; device < devicesPerOffice; device++)
                block.Append("PUB wake.").Append(office).Append('.').Append(device).Append(' ').Append(Payload.Length).Append("\r\n").Append(Payload).Append("\r\n");
            await hub.WriteAsync(Encoding.ASCII.GetBytes(block.ToString()), stop).ConfigureAwait(false);
            block.Clear();
        }
    }

    private static async Task<long> Receive(NetworkStream stream, int messages, CancellationToken stop)
    {
        await Count(stream, Payload, messages, stop).ConfigureAwait(false);
        return Stopwatch.GetTimestamp();
    }

    /// <summary>Reads until a text has come so many times.</summary>
    private static async Task Count(NetworkStream stream, string text, int times, CancellationToken stop)
    {
        var (wanted, buffer, held) = (Encoding.ASCII.GetBytes(text), new byte[64 * 1024], 0);
        while (times > 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(held), stop).ConfigureAwait(false);
            if (read == 0)
                throw new IOException("nats-server hung up");
            held += read;
            var start = 0;
            for (int at; times > 0 && (at = buffer.AsSpan(start, held - start).IndexOf(wanted)) >= 0; times--)
                start += at + wanted.Length;
            // What may be the beginning of the next stays.
            start = Math.Max(start, held - wanted.Length + 1);
            buffer.AsSpan(start, held - start).CopyTo(buffer);
            held -= start;
        }
    }
}
