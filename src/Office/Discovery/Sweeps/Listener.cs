using System.Net;
using System.Net.Sockets;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>A socket for packets: takes what comes to it until it is disposed, and sends.</summary>
internal sealed class Listener : IAsyncDisposable
{
    /// <summary>Receives a packet; who sent it, where the socket is asked for that.</summary>
    public delegate void Take(IPAddress? from, ReadOnlySpan<byte> packet);

    /// <summary>The largest packet that is read whole; of a larger one the rest is dropped, and its reader finds it malformed.</summary>
    private const int MaxPacket = 9000;

    private readonly Socket _socket;
    private readonly IPEndPoint? _any;
    private readonly Take _take;
    private readonly Task _listening;

    /// <param name="socket">Bound; the listener's from now on.</param>
    /// <param name="any">Null: not to say who sent a packet.</param>
    public Listener(Socket socket, IPEndPoint? any, Take take)
    {
        (_socket, _any, _take) = (socket, any, take);
        _listening = Task.Run(Listen);
    }

    /// <summary>Sends, where it can be sent: what is lost here is as good as lost on the wire.</summary>
    public void Send(ReadOnlySpan<byte> packet, EndPoint to) => Send(_socket, packet, to);

    /// <inheritdoc cref="Send(ReadOnlySpan{byte}, EndPoint)"/>
    public static void Send(Socket socket, ReadOnlySpan<byte> packet, EndPoint to)
    {
        try
        {
            socket.SendTo(packet, SocketFlags.None, to);
        }
        catch (SocketException)
        {
            // No route, a host that the kernel just found to be gone, or a full queue.
        }
    }

    /// <summary>Ends the listening. No packet is taken after.</summary>
    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _listening;
    }

    private async Task Listen()
    {
        var buffer = new byte[MaxPacket];
        while (true)
            try
            {
                if (_any is null)
                {
                    var length = await _socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None);
                    _take(null, buffer.AsSpan(0, length));
                    continue;
                }

                var heard = await _socket.ReceiveFromAsync(buffer.AsMemory(), SocketFlags.None, _any);
                _take(((IPEndPoint)heard.RemoteEndPoint).Address, buffer.AsSpan(0, heard.ReceivedBytes));
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException) when (_socket.SafeHandle.IsClosed)
            {
                return;
            }
            catch (SocketException)
            {
                // What the kernel tells of an earlier packet (unreachable), or a card that went down; the next may be an answer.
            }
    }
}
