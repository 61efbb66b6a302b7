using System.Net;
using Fleet.Messages.Transport;

namespace Fleet.Headquarters.Tests.Links;

/// <summary>Connections that can fall silent as behind a NAT that forgot them: what is written is lost, nothing is read, no end is told.</summary>
internal sealed class SilencingNetwork : IByteNetwork
{
    private readonly TcpNetwork _tcp = new();
    private readonly List<SilentStream> _streams = [];

    public async Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        var stream = new SilentStream(await _tcp.Connect(address, cancellation));
        _streams.Add(stream);
        return stream;
    }

    public IByteListener Listen(IPEndPoint at) => throw new NotSupportedException("an office listens nowhere");

    /// <summary>Silences the connections of now; new ones work.</summary>
    public void Silence() => _streams.ForEach(s => s.Silent = true);

    // The inner stream is left open on purpose: a NAT that forgets tells neither side.
    private sealed class SilentStream(Stream inner) : Stream
    {
        public bool Silent { get; set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            if (Silent)
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return read;
        }

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Silent ? ValueTask.CompletedTask : inner.WriteAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
