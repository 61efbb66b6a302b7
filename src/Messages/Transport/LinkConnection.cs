using System.Buffers;
using System.Buffers.Binary;
using System.Net.Security;
using System.Threading.Channels;
using Akka.Actor;
using Fleet.Contracts.Identity;
using Google.Protobuf;

namespace Fleet.Messages.Transport;

/// <summary>
/// One TLS connection between two sides, and the associations that share it. A frame is four bytes of length and two of channel (big-endian),
/// then the payload; an empty payload closes the channel. Channel 0 is the dialling side's association, higher ones are those that the
/// accepting side opens: Akka wants an association of its own to send on whenever a peer redials, and the accepting side can't dial.
/// </summary>
internal sealed class LinkConnection
{
    /// <summary>The association of the side that dialled.</summary>
    public const ushort DiallersChannel = 0;

    private const int HeaderLength = 6;

    /// <summary>What waits is written together up to this size: one TLS record.</summary>
    private const int BatchBytes = 16 * 1024;

    /// <summary>More associations on one connection than Akka ever needs.</summary>
    private const int MaximumAssociations = 8;

    /// <summary>How long a parting side's last frames may take.</summary>
    private static readonly TimeSpan PartingTime = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly SslStream _stream;
    private readonly LinkLimits _limits;
    private readonly Address _local;
    private readonly Func<LinkConnection, ByteString, bool> _judge;
    private readonly Action<LinkConnection, string> _oversized;
    private readonly Channel<(ushort Channel, ByteString Payload)> _unsent =
        System.Threading.Channels.Channel.CreateUnbounded<(ushort, ByteString)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<ushort, LinkAssociation> _associations = [];
    private ushort _highest;
    private long _unsentBytes;
    private bool _ended;

    /// <param name="judge">Whether a frame may be handed to Akka; false ends the connection.</param>
    /// <param name="oversized">Told when the connection ends since a frame is too large.</param>
    public LinkConnection(
        AuthenticatedStream authenticated, Address local, LinkLimits limits, Func<LinkConnection, ByteString, bool> judge, Action<LinkConnection, string> oversized)
    {
        (_stream, Peer, CertificateSerial) = authenticated;
        (_local, _limits, _judge, _oversized) = (local, limits, judge, oversized);
    }

    /// <summary>Whom the other side's certificate names.</summary>
    public PeerIdentity Peer { get; }

    /// <summary>The serial number of that certificate.</summary>
    public string CertificateSerial { get; }

    /// <summary>Cancelled when the connection is over.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Completed when the connection is over.</summary>
    public Task Over => _over.Task;

    /// <summary>The dialling side's association.</summary>
    public LinkAssociation Dialled(Address remote) => Add(DiallersChannel, remote) ?? throw new IOException("the connection ended");

    /// <summary>One more association that the accepting side opens; null where the connection is over or full.</summary>
    public LinkAssociation? Open(Address remote)
    {
        lock (_gate)
            return _highest == ushort.MaxValue ? null : Add((ushort)(_highest + 1), remote);
    }

    /// <summary>Reads and writes until the connection ends.</summary>
    /// <param name="accept">Judges the first frame of a channel that the other side opened; false ends the connection. Null: it may open none.</param>
    public void Start(Func<LinkConnection, ushort, ByteString, bool>? accept)
    {
        _ = WriteLoop();
        _ = ReadLoop(accept);
    }

    /// <summary>Registers an association that the other side opened.</summary>
    public LinkAssociation? Add(ushort channel, Address remote)
    {
        lock (_gate)
        {
            if (_ended || _associations.Count >= MaximumAssociations)
                return null;
            _highest = Math.Max(_highest, channel);
            return _associations[channel] = new LinkAssociation(this, channel, _local, remote);
        }
    }

    public bool Write(ushort channel, ByteString payload)
    {
        var bytes = payload.Length + HeaderLength;
        if (Interlocked.Add(ref _unsentBytes, bytes) <= _limits.MaximumUnsent && _unsent.Writer.TryWrite((channel, payload)))
            return true;
        Interlocked.Add(ref _unsentBytes, -bytes);
        return false;
    }

    /// <summary>Closes one association; the last one closes the connection, once what waits is sent.</summary>
    public void Close(ushort channel)
    {
        LinkAssociation? closed;
        bool last;
        lock (_gate)
        {
            if (!_associations.Remove(channel, out closed))
                return;
            last = _associations.Count == 0;
        }

        closed.End();
        _unsent.Writer.TryWrite((channel, ByteString.Empty));
        if (last)
            _ = Part();
    }

    /// <summary>Ends the connection once what waits is sent; a peer that does not take it is left after a while.</summary>
    public Task Part()
    {
        if (_unsent.Writer.TryComplete())
            _closed.CancelAfter(PartingTime);
        return _over.Task;
    }

    /// <summary>Ends the connection and its associations at once; what waits is lost.</summary>
    public void Abort()
    {
        List<LinkAssociation> associations;
        lock (_gate)
        {
            if (_ended)
                return;
            _ended = true;
            associations = [.. _associations.Values];
            _associations.Clear();
        }

        _unsent.Writer.TryComplete();
        // Not SslStream's own farewell: it would wait for a peer that may be gone.
        _stream.Dispose();
        _closed.Cancel();
        foreach (var association in associations)
            association.End();
        _over.TrySetResult();
    }

    /// <summary>Reads one frame.</summary>
    /// <exception cref="IOException">The connection ended.</exception>
    /// <exception cref="PeerRefusedException">The frame is larger than allowed.</exception>
    public static async Task<(ushort Channel, ByteString Payload)> ReadFrame(SslStream stream, int maximum, CancellationToken cancellation)
    {
        // A read of nothing returns when something is there; until then an idle link holds no buffer.
#pragma warning disable CA2022 // Nothing is to be read.
        await stream.ReadAsync(Memory<byte>.Empty, cancellation);
#pragma warning restore CA2022
        var header = new byte[HeaderLength];
        await stream.ReadExactlyAsync(header, cancellation);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (length > maximum)
            throw new PeerRefusedException($"a frame of {length} bytes is over the limit of {maximum} (fleet.link.maximum-frame, which must be the same on both sides)");
        var payload = new byte[length];
        await stream.ReadExactlyAsync(payload, cancellation);
        return (BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(4)), UnsafeByteOperations.UnsafeWrap(payload));
    }

    private async Task ReadLoop(Func<LinkConnection, ushort, ByteString, bool>? accept)
    {
        try
        {
            while (Take(await ReadFrame(_stream, _limits.WireFrame, _closed.Token), accept))
            {
                // Next frame.
            }
        }
        catch (PeerRefusedException refused)
        {
            _oversized(this, refused.Message);
        }
        catch (Exception fault) when (IsEnd(fault))
        {
            // The associations are told below.
        }
        finally
        {
            Abort();
        }
    }

    private bool Take((ushort Channel, ByteString Payload) frame, Func<LinkConnection, ushort, ByteString, bool>? accept)
    {
        LinkAssociation? known;
        bool fresh;
        lock (_gate)
        {
            fresh = !_associations.TryGetValue(frame.Channel, out known) && frame.Channel > _highest;
            if (frame.Payload.IsEmpty)
                _associations.Remove(frame.Channel);
        }

        if (frame.Payload.IsEmpty)
            known?.End();
        else if (!_judge(this, frame.Payload))
            return false;
        else if (known is not null)
            known.Deliver(frame.Payload);
        else if (fresh)
            return accept?.Invoke(this, frame.Channel, frame.Payload) ?? false;

        // What else there is are late frames of a channel that this side has closed.
        lock (_gate)
            return _associations.Count > 0;
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
            // The associations are told below.
        }
        finally
        {
            Abort();
        }
    }

    private async Task WriteBatch()
    {
        var frames = new List<(ushort Channel, ByteString Payload)>();
        var size = 0;
        while (size < BatchBytes && _unsent.Reader.TryRead(out var frame))
        {
            frames.Add(frame);
            size += HeaderLength + frame.Payload.Length;
        }

        var batch = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var at = 0;
            foreach (var (channel, payload) in frames)
            {
                BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(at), (uint)payload.Length);
                BinaryPrimitives.WriteUInt16BigEndian(batch.AsSpan(at + 4), channel);
                payload.Span.CopyTo(batch.AsSpan(at + HeaderLength));
                at += HeaderLength + payload.Length;
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
