using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Fleet.Messages.Transport;

namespace Fleet.Messages.Tests.Transport;

/// <summary>A network in memory: every stream is a pair of pipes.</summary>
internal sealed class MemoryNetwork : IByteNetwork
{
    private readonly Dictionary<string, Channel<Stream>> _ports = [];

    public Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        if (!_ports.TryGetValue(address, out var port))
            throw new IOException($"{address}: nobody there");
        var (up, down) = (new Pipe(), new Pipe());
        port.Writer.TryWrite(new DuplexStream(up.Reader.AsStream(), down.Writer.AsStream()));
        return Task.FromResult<Stream>(new DuplexStream(down.Reader.AsStream(), up.Writer.AsStream()));
    }

    public IByteListener Listen(IPEndPoint at)
    {
        var local = new IPEndPoint(at.Address, 40000 + _ports.Count);
        return new Listener(local, _ports[local.ToString()] = Channel.CreateUnbounded<Stream>());
    }

    private sealed class Listener(IPEndPoint local, Channel<Stream> port) : IByteListener
    {
        public IPEndPoint Local => local;

        public async Task<(Stream Stream, IPEndPoint Remote)> Accept(CancellationToken cancellation) =>
            (await port.Reader.ReadAsync(cancellation), new IPEndPoint(IPAddress.Loopback, 1));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class DuplexStream(Stream reads, Stream writes) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => writes.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => writes.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => reads.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => reads.ReadAsync(buffer, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => writes.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => writes.WriteAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            reads.Dispose();
            writes.Dispose();
            base.Dispose(disposing);
        }
    }
}
