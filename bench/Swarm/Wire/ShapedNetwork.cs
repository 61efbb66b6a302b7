using System.Net;
using Fleet.Messages.Transport;

namespace Fleet.Swarm.Wire;

/// <summary>A network whose connections are slow to read, or pass a translator that forgets them.</summary>
/// <param name="readsPerSecond">Bytes that come a second at most; 0: as they come.</param>
/// <param name="forgets">After this long without a byte either way, what is written is lost and nothing comes any more, without a word; zero: never.</param>
internal sealed class ShapedNetwork(IByteNetwork network, int readsPerSecond, TimeSpan forgets) : IByteNetwork
{
    public async Task<Stream> Connect(string address, CancellationToken cancellation) =>
        new ShapedStream(await network.Connect(address, cancellation).ConfigureAwait(false), readsPerSecond, forgets);

    public IByteListener Listen(IPEndPoint at) => network.Listen(at);

    private sealed class ShapedStream(Stream inner, int readsPerSecond, TimeSpan forgets) : Stream
    {
        /// <summary>A slow reader's buffer.</summary>
        private const int LeastRead = 512;

        private readonly CancellationTokenSource _closed = new();
        private long _lastByteAt = TimeProvider.System.GetTimestamp();
        private volatile bool _forgotten;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var few = readsPerSecond > 0 && buffer.Length > 0 ? buffer[..Math.Min(buffer.Length, Math.Max(LeastRead, readsPerSecond / 4))] : buffer;
            var read = await inner.ReadAsync(few, cancellationToken).ConfigureAwait(false);
            if (Forgotten())
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token, cancellationToken);
                await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(false);
            }

            if (readsPerSecond > 0 && read > 0)
                await Task.Delay(TimeSpan.FromSeconds((double)read / readsPerSecond), cancellationToken).ConfigureAwait(false);
            return read;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Forgotten() ? ValueTask.CompletedTask : inner.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _closed.Cancel();
                inner.Dispose();
            }

            base.Dispose(disposing);
        }

        /// <summary>A byte passes, if the translator still knows whereto.</summary>
        private bool Forgotten()
        {
            if (forgets > TimeSpan.Zero && TimeProvider.System.GetElapsedTime(Interlocked.Read(ref _lastByteAt)) > forgets)
                _forgotten = true;
            Interlocked.Exchange(ref _lastByteAt, TimeProvider.System.GetTimestamp());
            return _forgotten;
        }
    }
}
