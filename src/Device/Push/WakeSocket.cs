using System.Net;
using System.Net.Sockets;
using Fleet.Contracts.Envelopes;
using Microsoft.Extensions.Logging;

namespace Fleet.Device.Push;

/// <summary>
/// The UDP port at which a device takes wake signals, IPv4 and IPv6. Whatever else arrives there costs a look at 32 bytes and nothing more: no
/// answer, no sync, no line in the log.
/// </summary>
public sealed partial class WakeSocket : IDisposable
{
    private readonly Socket _socket;

    private WakeSocket(Socket socket) => _socket = socket;

    /// <summary>Where it listens.</summary>
    public IPEndPoint Local => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Opens the port; null, and a line in the log, where it is in use: the device is woken by other ways then.</summary>
    public static WakeSocket? Open(int port, ILogger log)
    {
        var six = Socket.OSSupportsIPv6;
        var socket = new Socket(six ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (six)
                socket.DualMode = true;
            socket.Bind(new IPEndPoint(six ? IPAddress.IPv6Any : IPAddress.Any, port));
            return new WakeSocket(socket);
        }
        catch (SocketException fault)
        {
            socket.Dispose();
            LogInUse(log, port, fault.Message);
            return null;
        }
    }

    /// <summary>Hands what looks like a signal to the device, until cancelled.</summary>
    public async Task Run(DeviceRuntime device, CancellationToken cancellation)
    {
        // One byte more than a signal: what is longer shows.
        var buffer = new byte[WakeSignal.Length + 1];
        var anyone = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone, cancellation).ConfigureAwait(false);
                if (received.ReceivedBytes == WakeSignal.Length)
                    device.Wake(buffer.AsSpan(0, WakeSignal.Length));
            }
            catch (SocketException)
            {
                // Too long for the buffer, or an ICMP error of an earlier datagram: neither is ours.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    [LoggerMessage(LogLevel.Warning, "UDP port {Port} for wake signals can't be opened ({Why}); set fleet.agent.wake.port to another, or free it")]
    private static partial void LogInUse(ILogger log, int port, string why);
}
