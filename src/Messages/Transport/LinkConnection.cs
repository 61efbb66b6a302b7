using System.Buffers;
using System.Buffers.Binary;
using System.Net.Security;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Remote.Transport;
using Fleet.Contracts.Identity;
using Google.Protobuf;

namespace Fleet.Messages.Transport;

/// <summary>One association: frames of four bytes of length (big-endian) and the payload, both ways on one TLS stream.</summary>
internal sealed class LinkConnection : AssociationHandle
{
    private const int HeaderLength = 4;

    /// <summary>What waits is written together up to this size: one TLS record.</summary>
    private const int BatchBytes = 16 * 1024;

    /// <summary>How long a parting side's last frames may take.</summary>
    private static readonly TimeSpan PartingTime = TimeSpan.FromSeconds(2);

    private readonly SslStream _stream;
    private readonly LinkLimits _limits;
    private readonly Channel<ByteString> _unsent = Channel.CreateUnbounded<ByteString>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _closed = new();
    private readonly Action<LinkConnection> _gone;
    private long _unsentBytes;
    private int _ended;

    public LinkConnection(SslStream stream, PeerIdentity peer, Address local, Address remote, LinkLimits limits, Action<LinkConnection> gone)
        : base(local, remote)
    {
        (_stream, Peer, _limits, _gone) = (stream, peer, limits, gone);
        _ = WriteLoop();
    }

    /// <summary>Whom the other side's certificate names.</summary>
    public PeerIdentity Peer { get; }

    /// <summary>Delivers what arrives once Akka listens, beginning with <paramref name="first"/> if it was read ahead.</summary>
    public void Start(ByteString? first) => _ = ReadLoop(first);

    /// <summary>Takes a frame for sending; false where too much waits already, which makes Akka back off.</summary>
    public override bool Write(ByteString payload)
    {
        if (Interlocked.Add(ref _unsentBytes, payload.Length + HeaderLength) <= _limits.MaximumUnsent && _unsent.Writer.TryWrite(payload))
            return true;
        Interlocked.Add(ref _unsentBytes, -(payload.Length + HeaderLength));
        return false;
    }

    /// <summary>Ends the association once what waits is sent, Akka's farewell among it.</summary>
    [Obsolete("Akka calls it through Disassociate(reason, log).")]
    public override void Disassociate()
    {
        if (_unsent.Writer.TryComplete() && !_closed.IsCancellationRequested)
            _closed.CancelAfter(PartingTime);
    }

    /// <summary>Ends the association at once; what waits is lost.</summary>
    public void Abort()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        _unsent.Writer.TryComplete();
        _closed.Cancel();
        // Not SslStream's own farewell: it would wait for a peer that may be gone.
        _stream.Dispose();
        _gone(this);
        _ = ReadHandlerSource.Task.ContinueWith(
            listening => listening.Result.Notify(new Disassociated(DisassociateInfo.Unknown)),
            CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Reads one frame.</summary>
    /// <exception cref="IOException">The connection ended, or the frame is larger than allowed.</exception>
    public static async Task<ByteString> ReadFrame(SslStream stream, int maximum, CancellationToken cancellation)
    {
        // A read of nothing returns when something is there; until then an idle link holds no buffer.
#pragma warning disable CA2022 // Nothing is to be read.
        await stream.ReadAsync(Memory<byte>.Empty, cancellation);
#pragma warning restore CA2022
        var header = new byte[HeaderLength];
        await stream.ReadExactlyAsync(header, cancellation);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (length > maximum)
            throw new IOException($"a frame of {length} bytes is over the limit of {maximum}");
        var payload = new byte[length];
        await stream.ReadExactlyAsync(payload, cancellation);
        return UnsafeByteOperations.UnsafeWrap(payload);
    }

    private async Task ReadLoop(ByteString? first)
    {
        try
        {
            var listener = await ReadHandlerSource.Task.WaitAsync(_closed.Token);
            if (first is not null)
                listener.Notify(new InboundPayload(first));
            while (true)
                listener.Notify(new InboundPayload(await ReadFrame(_stream, _limits.WireFrame, _closed.Token)));
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // Told below, as every end is.
        }
        finally
        {
            Abort();
        }
    }

    private async Task WriteLoop()
    {
        try
        {
            while (await _unsent.Reader.WaitToReadAsync(_closed.Token))
                await WriteBatch();
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // Told below, as every end is.
        }
        finally
        {
            Abort();
        }
    }

    private async Task WriteBatch()
    {
        var frames = new List<ByteString>();
        var size = 0;
        while (size < BatchBytes && _unsent.Reader.TryRead(out var frame))
        {
            frames.Add(frame);
            size += HeaderLength + frame.Length;
        }

        var batch = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var at = 0;
            foreach (var frame in frames)
            {
                BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(at), (uint)frame.Length);
                frame.Span.CopyTo(batch.AsSpan(at + HeaderLength));
                at += HeaderLength + frame.Length;
            }

            await _stream.WriteAsync(batch.AsMemory(0, size), _closed.Token);
            await _stream.FlushAsync(_closed.Token);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(batch);
            Interlocked.Add(ref _unsentBytes, -size);
        }
    }

    private static bool IsEnd(Exception fault) => fault is IOException or OperationCanceledException or ObjectDisposedException;
}
