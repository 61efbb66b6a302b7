using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Fleet.Office.Discovery.Sweeps;

namespace Fleet.Office.Discovery.Names;

/// <summary>Asks machines for their NetBIOS names, over one socket.</summary>
internal sealed class NetBiosAsker : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    private readonly ConcurrentDictionary<IPAddress, (ushort Id, TaskCompletionSource<NetBiosStatus?> Answer)> _asked = new();
    private readonly Listener _listener;
    private readonly Pace _pace;
    private readonly TimeProvider _clock;
    private readonly int _port;

    /// <param name="port">Tests answer at another one.</param>
    public NetBiosAsker(Pace pace, TimeProvider clock, int port = NetBiosStatus.Port)
    {
        (_pace, _clock, _port) = (pace, clock, port);
        var (socket, any) = (new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp), new IPEndPoint(IPAddress.Any, 0));
        socket.Bind(any);
        _listener = new Listener(socket, any, (from, packet) => Take(from!, packet));
    }

    /// <summary>Null: it did not answer, or with nonsense.</summary>
    /// <param name="address">IPv4: NetBIOS has no other.</param>
    public async Task<NetBiosStatus?> Ask(IPAddress address, CancellationToken stop)
    {
        await _pace.Next(stop);
        var id = (ushort)Random.Shared.Next(ushort.MaxValue);
        var answer = new TaskCompletionSource<NetBiosStatus?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[address] = (id, answer);
        try
        {
            _listener.Send(NetBiosStatus.Query(id), new IPEndPoint(address, _port));
            return await answer.Task.WaitAsync(Patience, _clock, stop);
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            _asked.TryRemove(address, out _);
        }
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private void Take(IPAddress from, ReadOnlySpan<byte> packet)
    {
        if (_asked.TryGetValue(from, out var asked) && NetBiosStatus.Read(packet, asked.Id) is { } status)
            asked.Answer.TrySetResult(status);
    }
}
