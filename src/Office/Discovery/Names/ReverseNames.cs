using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Fleet.Office.Discovery.Sweeps;

namespace Fleet.Office.Discovery.Names;

/// <summary>Asks this machine's name servers for the names of addresses. Where none of them answers at all, it stops asking for the run.</summary>
internal sealed class ReverseNames : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);

    /// <summary>Questions under way at a time, and the most since the last answer: beyond, the servers count as out of reach.</summary>
    private const int MaxUnderWay = 4;

    private readonly ConcurrentDictionary<ushort, (DnsName Name, TaskCompletionSource<string?> Answer)> _asked = new();
    private readonly Listener? _listener;
    private readonly IPEndPoint? _server;
    private readonly Pace _pace;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _places = new(MaxUnderWay, MaxUnderWay);
    private int _unanswered;
    private int _number = Random.Shared.Next();

    /// <param name="servers">The first one is asked; none: nobody is.</param>
    public ReverseNames(IReadOnlyList<IPEndPoint> servers, Pace pace, TimeProvider clock)
    {
        (_pace, _clock) = (pace, clock);
        if (servers.Count == 0)
            return;
        _server = servers[0];
        var socket = new Socket(_server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        var any = new IPEndPoint(_server.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        socket.Bind(any);
        _listener = new Listener(socket, any, (from, packet) => Take(from!, packet));
    }

    /// <summary>Null: the servers know none, or don't answer.</summary>
    public async Task<string?> Ask(IPAddress address, CancellationToken stop)
    {
        if (_listener is null)
            return null;
        await _places.WaitAsync(stop);
        try
        {
            return Interlocked.Increment(ref _unanswered) <= MaxUnderWay ? await AskServer(address, stop) : null;
        }
        finally
        {
            _places.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
            await _listener.DisposeAsync();
        _places.Dispose();
    }

    private async Task<string?> AskServer(IPAddress address, CancellationToken stop)
    {
        await _pace.Next(stop);
        var id = (ushort)Interlocked.Increment(ref _number);
        var (name, answer) = (DnsName.Reverse(address), new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously));
        _asked[id] = (name, answer);
        try
        {
            _listener!.Send(DnsMessage.Query([(name, DnsType.Ptr)], id), _server!);
            var found = await answer.Task.WaitAsync(Patience, _clock, stop);
            Volatile.Write(ref _unanswered, 0);
            return found;
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
    }

    private void Take(IPAddress from, ReadOnlySpan<byte> packet)
    {
        if (!from.Equals(_server!.Address) || DnsMessage.Read(packet) is not { IsResponse: true } message || !_asked.TryGetValue(message.Id, out var asked))
            return;
        var target = message.Records.FirstOrDefault(r => r.Type == DnsType.Ptr && r.Name.Equals(asked.Name))?.Target;
        asked.Answer.TrySetResult(target is null ? null : SeenText.Clean(target.ToString()));
    }
}
