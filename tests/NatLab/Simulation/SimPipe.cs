using System.Net;
using Fleet.NatLab.Nat;

namespace Fleet.NatLab.Simulation;

/// <summary>
/// One direction of a stream: in order, without loss to the reader. A packet that the network loses is repeated after a growing wait, and those behind it
/// wait with it; after <see cref="GiveUpAfter"/> without success the stream fails, as TCP's does.
/// </summary>
internal sealed class SimPipe(SimNetwork network, SimConnection connection, SimHost from, IPEndPoint source, IPEndPoint destination, SimHost to, IPEndPoint seenSource)
{
    /// <summary>What an empty packet weighs: IPv4 and TCP headers.</summary>
    public const int HeaderBytes = 40;

    /// <summary>How much may be on its way or unread; a writer waits for more room, as for TCP's window.</summary>
    private const int Window = 256 * 1024;
    private static readonly TimeSpan FirstRepeat = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestRepeat = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly Random _chance = network.NewChance();
    private readonly Queue<byte[]> _unsent = new();
    private readonly Queue<byte[]> _travelling = new();
    private readonly Queue<byte[]> _arrived = new();
    private TaskCompletionSource _readable = New();
    private TaskCompletionSource _writable = New();
    private TimeSpan _repeat = FirstRepeat;
    private DateTimeOffset? _stalledSince;
    private DateTimeOffset _lastArrival;
    private int _taken;
    private int _inside;
    private bool _sending;
    private bool _closed;
    private string? _fault;

    public async ValueTask Write(ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        while (content.Length > 0)
        {
            Task room;
            lock (_gate)
            {
                ThrowIfOver();
                var length = Math.Min(content.Length, Window - _inside);
                if (length > 0)
                {
                    _unsent.Enqueue(content[..length].ToArray());
                    _inside += length;
                    content = content[length..];
                }

                room = _inside < Window ? Task.CompletedTask : _writable.Task;
            }

            Send();
            await room.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    public async ValueTask<int> Read(Memory<byte> into, CancellationToken cancellation)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_arrived.TryPeek(out var head))
                {
                    if (head.Length == 0)
                        return 0;
                    var length = Math.Min(into.Length, head.Length - _taken);
                    head.AsSpan(_taken, length).CopyTo(into.Span);
                    _taken += length;
                    if (_taken == head.Length)
                    {
                        _arrived.Dequeue();
                        _taken = 0;
                    }

                    _inside -= length;
                    Signal(ref _writable);
                    return length;
                }

                if (_fault is not null)
                    throw new IOException(_fault);
                more = _readable.Task;
            }

            await more.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>No more will be written; the reader comes to the end after what is on its way.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_closed || _fault is not null)
                return;
            _closed = true;
            _unsent.Enqueue([]);
        }

        Send();
    }

    /// <summary>Ends at once; what has not been read is gone.</summary>
    public void Fail(string why)
    {
        lock (_gate)
        {
            if (_fault is not null)
                return;
            _fault = why;
            _unsent.Clear();
            _travelling.Clear();
            _arrived.Clear();
            Signal(ref _readable);
            Signal(ref _writable);
        }
    }

    private void Send()
    {
        while (true)
        {
            byte[] packet;
            lock (_gate)
            {
                if (_sending || !_unsent.TryPeek(out packet!))
                    return;
                _sending = true;
            }

            var carriage = network.Carry(FlowKind.Stream, from, source, destination, opens: false, HeaderBytes + packet.Length, _chance);
            // A packet that comes to another host, or seems to come from another port, belongs to no stream there.
            var arrives = carriage.Host == to && seenSource.Equals(carriage.SeenSource);
            TimeSpan? again = null;
            lock (_gate)
            {
                var now = network.Clock.GetUtcNow();
                if (arrives)
                {
                    if (_unsent.TryDequeue(out var sent))
                        _travelling.Enqueue(sent);
                    (_repeat, _stalledSince) = (FirstRepeat, null);
                    var at = now + carriage.Delay;
                    _lastArrival = at > _lastArrival ? at : _lastArrival;
                    // Not earlier than those before it, even where the delay has shrunk meanwhile.
                    carriage = carriage with { Delay = _lastArrival - now };
                    _sending = false;
                }
                else
                {
                    _stalledSince ??= now;
                    again = now - _stalledSince < GiveUpAfter ? _repeat : null;
                    _repeat = _repeat * 2 < LongestRepeat ? _repeat * 2 : LongestRepeat;
                }
            }

            if (arrives)
            {
                Simulated.After(network.Clock, carriage.Delay, Arrive);
                continue;
            }

            if (again is not { } wait)
            {
                connection.Reset("the other end has not answered for too long");
                return;
            }

            Simulated.After(network.Clock, wait, () =>
            {
                lock (_gate)
                    _sending = false;
                Send();
            });
            return;
        }
    }

    /// <summary>One packet's time has come: the one sent first, since timers due together fire in any order.</summary>
    private void Arrive()
    {
        byte[] packet;
        lock (_gate)
        {
            if (_fault is not null || !_travelling.TryDequeue(out packet!))
                return;
            _arrived.Enqueue(packet);
            Signal(ref _readable);
        }

        if (packet.Length == 0)
            connection.Ended();
    }

    private void ThrowIfOver()
    {
        if (_fault is not null)
            throw new IOException(_fault);
        if (_closed)
            throw new IOException("the stream is closed");
    }

    private static void Signal(ref TaskCompletionSource signal)
    {
        var now = signal;
        signal = New();
        now.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
