using System.Net;
using System.Net.Sockets;
using Fleet.Contracts;

namespace Fleet.Messages.Transport;

/// <summary>The real network: TCP sockets.</summary>
public sealed class TcpNetwork : IByteNetwork
{
    /// <summary>Connections that wait to be accepted; a whole fleet redials at once after a restart of headquarters.</summary>
    private const int Backlog = 1024;

    public async Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        var (host, port) = HostPort.Parse(address);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException fault)
        {
            socket.Dispose();
            throw new IOException(fault.Message, fault);
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw;
        }
    }

    public IByteListener Listen(IPEndPoint at)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(at);
            socket.Listen(Backlog);
            return new Listener(socket);
        }
        catch (SocketException fault)
        {
            socket.Dispose();
            throw new IOException($"can't listen on {at}: {fault.Message}", fault);
        }
    }

    private sealed class Listener(Socket socket) : IByteListener
    {
        public IPEndPoint Local => (IPEndPoint)socket.LocalEndPoint!;

        public async Task<(Stream Stream, IPEndPoint Remote)> Accept(CancellationToken cancellation)
        {
            try
            {
                var accepted = await socket.AcceptAsync(cancellation);
                accepted.NoDelay = true;
                return (new NetworkStream(accepted, ownsSocket: true), (IPEndPoint)accepted.RemoteEndPoint!);
            }
            catch (SocketException fault)
            {
                throw new IOException($"accepting failed: {fault.Message}", fault);
            }
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
