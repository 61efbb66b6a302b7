using System.Net;
using Fleet.Messages.Transport;

namespace Fleet.Headquarters.Tests;

/// <summary>Loopback whose connections can fall silent, as behind a firewall or a NAT that forgot them: what is written is lost, nothing is read, no end is told.</summary>
internal sealed class CutNetwork : IByteNetwork
{
    private readonly TcpNetwork _tcp = new();
    private readonly Lock _gate = new();
    private readonly List<(string Address, CutStream Stream)> _streams = [];
    private readonly HashSet<string> _cut = [];
    private bool _all;

    public async Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        bool cut;
        lock (_gate)
            cut = _all || _cut.Contains(address);
        if (cut)
            await Never(cancellation);
        return Kept(address, await _tcp.Connect(address, cancellation));
    }

    public IByteListener Listen(IPEndPoint at) => new Listener(this, _tcp.Listen(at));

    /// <summary>Cuts the connections of now; new ones work.</summary>
    public void Silence()
    {
        lock (_gate)
            foreach (var (_, stream) in _streams)
                stream.Cut();
    }

    /// <summary>Cuts this side's connections to an address, and answers no dial to it.</summary>
    public void Cut(string address)
    {
        lock (_gate)
        {
            _cut.Add(address);
            foreach (var (_, stream) in _streams.Where(s => s.Address == address))
                stream.Cut();
        }
    }

    /// <summary>Cuts all, also those that others opened and will open.</summary>
    public void CutAll()
    {
        lock (_gate)
            _all = true;
        Silence();
    }

    private static Task Never(CancellationToken cancellation) => new TaskCompletionSource().Task.WaitAsync(cancellation);

    private CutStream Kept(string address, Stream inner)
    {
        var stream = new CutStream(inner);
        lock (_gate)
        {
            _streams.Add((address, stream));
            if (_all)
                stream.Cut();
        }

        return stream;
    }

    private sealed class Listener(CutNetwork network, IByteListener inner) : IByteListener
    {
        public IPEndPoint Local => inner.Local;

        public async Task<(Stream Stream, IPEndPoint Remote)> Accept(CancellationToken cancellation)
        {
            var (stream, remote) = await inner.Accept(cancellation);
            return (network.Kept("", stream), remote);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class CutStream(Stream inner) : Stream
    {
        private volatile bool _cut;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Cut() => _cut = true;

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            if (_cut)
                await Never(cancellationToken);
            return read;
        }

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            _cut ? ValueTask.CompletedTask : inner.WriteAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            // Its other side must not learn of it.
            if (!_cut)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
