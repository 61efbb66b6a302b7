using System.IO.Pipelines;
using System.Net;
using Fleet.Messages.Transport;
using Microsoft.AspNetCore.Connections;

namespace Fleet.Gateway.Service;

/// <summary>Kestrel on any <see cref="IByteNetwork"/>: the lab's simulated networks carry the agents' calls like real ones.</summary>
public sealed class ByteNetworkTransport(IByteNetwork network) : IConnectionListenerFactory
{
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new ByteNetworkListener(network.Listen((IPEndPoint)endpoint)));
}

internal sealed class ByteNetworkListener(IByteListener listener) : IConnectionListener
{
    private readonly CancellationTokenSource _unbound = new();

    public EndPoint EndPoint => listener.Local;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _unbound.Token);
        try
        {
            var (stream, remote) = await listener.Accept(either.Token);
            return new StreamConnection(stream, listener.Local, remote);
        }
        catch (Exception ended) when (_unbound.IsCancellationRequested && ended is OperationCanceledException or IOException or ObjectDisposedException)
        {
            return null;
        }
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _unbound.CancelAsync();
        await listener.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        _unbound.Dispose();
    }

    private sealed class StreamConnection : DefaultConnectionContext
    {
        private readonly Stream _stream;

        public StreamConnection(Stream stream, EndPoint local, EndPoint remote)
            : base(Guid.NewGuid().ToString("n"))
        {
            (_stream, LocalEndPoint, RemoteEndPoint) = (stream, local, remote);
            Transport = new Duplex(PipeReader.Create(stream), PipeWriter.Create(stream));
        }

        public override void Abort(ConnectionAbortedException abortReason)
        {
            base.Abort(abortReason);
            _stream.Dispose();
        }

        // The base is not disposed: its Abort leaves the cancelling of ConnectionClosed to the thread pool, which may come to it only after this, and a
        // disposed source would end the process there. It holds nothing but memory.
        public override ValueTask DisposeAsync() => _stream.DisposeAsync();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
