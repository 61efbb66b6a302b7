using System.Net;
using System.Net.Sockets;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>Takes what comes to a socket until the socket is disposed.</summary>
internal static class Listening
{
    /// <summary>Receives a packet; who sent it, where the socket is asked for that.</summary>
    public delegate void Take(IPAddress? from, ReadOnlySpan<byte> packet);

    /// <summary>The largest packet that is read whole; of a larger one the rest is dropped, and its reader finds it malformed.</summary>
    private const int MaxPacket = 9000;

    /// <param name="any">Null: not to say who sent a packet.</param>
    public static async Task On(Socket socket, IPEndPoint? any, Take take)
    {
        var buffer = new byte[MaxPacket];
        while (true)
            try
            {
                if (any is null)
                {
                    var length = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None);
                    take(null, buffer.AsSpan(0, length));
                    continue;
                }

                var heard = await socket.ReceiveFromAsync(buffer.AsMemory(), SocketFlags.None, any);
                take(((IPEndPoint)heard.RemoteEndPoint).Address, buffer.AsSpan(0, heard.ReceivedBytes));
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException) when (socket.SafeHandle.IsClosed)
            {
                return;
            }
            catch (SocketException)
            {
                // What the kernel tells of an earlier packet (unreachable), or a card that went down; the next may be an answer.
            }
    }

    /// <summary>Sends, where it can be sent: what is lost here is as good as lost on the wire.</summary>
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
}
