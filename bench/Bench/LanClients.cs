using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>
/// Devices that fetch one file again and again over lines that stay open. A thread each, which reads into one buffer and does nothing else, so that the
/// machine is the server's.
/// </summary>
internal static class LanClients
{
    private const int Connections = 8;
    private const int BufferBytes = 256 * 1024;

    /// <param name="open">Makes a connection into what is read and written; null: plain.</param>
    /// <returns>Bytes of content that came, and the seconds it took.</returns>
    public static (long Bytes, double Seconds) Fetch(IPEndPoint server, string path, TimeSpan lasts, Func<Stream, Stream>? open)
    {
        using var ready = new Barrier(Connections + 1);
        var came = new long[Connections];
        Exception? fault = null;
        var (began, over) = (0L, false);
        var threads = Enumerable.Range(0, Connections).Select(n => new Thread(() =>
        {
            var met = false;
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Connect(server);
                using var plain = new NetworkStream(socket);
                using var stream = open?.Invoke(plain) ?? plain;
                met = true;
                ready.SignalAndWait();
                var buffer = new byte[BufferBytes];
                var request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
                while (!Volatile.Read(ref over))
                    One(stream, request, buffer, ref came[n], ref over);
            }
            catch (Exception caught) when (caught is IOException or SocketException or LabException or System.Security.Authentication.AuthenticationException)
            {
                fault = caught;
                if (!met)
                    ready.RemoveParticipant();
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        ready.SignalAndWait();
        began = Stopwatch.GetTimestamp();
        Thread.Sleep(lasts);
        var (bytes, seconds) = (came.Sum(), Stopwatch.GetElapsedTime(began).TotalSeconds);
        Volatile.Write(ref over, true);
        threads.ForEach(t => t.Join());
        return fault is null ? (bytes, seconds) : throw new LabException($"http://{server}{path}: {fault.Message}");
    }

    private static void One(Stream stream, byte[] request, byte[] buffer, ref long came, ref bool over)
    {
        stream.Write(request);
        var (held, end) = (0, -1);
        while ((end = buffer.AsSpan(0, held).IndexOf("\r\n\r\n"u8)) < 0)
            held += Some(stream.Read(buffer, held, buffer.Length - held));
        var head = Encoding.ASCII.GetString(buffer, 0, end);
        if (!head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
            throw new LabException(head);
        var length = head.Split("\r\n").Single(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        var left = long.Parse(length.AsSpan("Content-Length:".Length), CultureInfo.InvariantCulture) - (held - end - 4);
        came += held - end - 4;
        while (left > 0 && !Volatile.Read(ref over))
        {
            var read = Some(stream.Read(buffer, 0, (int)Math.Min(left, buffer.Length)));
            left -= read;
            came += read;
        }
    }

    private static int Some(int read) => read > 0 ? read : throw new IOException("the server hung up");
}
