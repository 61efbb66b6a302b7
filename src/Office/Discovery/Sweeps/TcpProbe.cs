using System.Net;
using System.Net.Sockets;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>What a port said.</summary>
public enum PortState
{
    /// <summary>It took the connection.</summary>
    Open = 1,

    /// <summary>It refused: nothing listens, but a machine is there.</summary>
    Refused = 2,

    /// <summary>Nothing came back.</summary>
    Silent = 3,
}

/// <summary>Asks by TCP connections to a few ports. A taken one is reset at once, before a byte of the service's.</summary>
public sealed class TcpProbe(IReadOnlyList<int> ports, TimeSpan timeout, Answers answers, Pace pace, TimeProvider clock) : IProbe
{
    /// <summary>Connections under way at a time: each is a socket of this process.</summary>
    private const int MaxUnderWay = 200;

    private readonly SemaphoreSlim _places = new(MaxUnderWay, MaxUnderWay);
    private readonly CancellationTokenSource _end = new();

    public bool Reaches(IPAddress address) => true;

    public async ValueTask Ask(IPAddress address, CancellationToken stop)
    {
        foreach (var port in ports)
        {
            await _places.WaitAsync(stop);
            // Its place is free again when it is through, whatever came of it.
            _ = AskPort(address, port);
        }
    }

    /// <summary>What one port says, as well for who wants to know the services of a machine that is known to be there.</summary>
    public static async Task<PortState> Try(IPEndPoint at, TimeSpan timeout, Pace pace, TimeProvider clock, CancellationToken stop)
    {
        await pace.Next(stop);
        using var patience = new CancellationTokenSource(timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            using var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
            await socket.ConnectAsync(at, either.Token);
            return PortState.Open;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return PortState.Silent;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode == SocketError.ConnectionRefused ? PortState.Refused : PortState.Silent;
        }
    }

    /// <summary>Those that wait for their turn have their timeout before them still: it is over when every place is free.</summary>
    public async Task Settle(CancellationToken stop)
    {
        var free = 0;
        try
        {
            for (; free < MaxUnderWay; free++)
                await _places.WaitAsync(stop);
        }
        finally
        {
            if (free > 0)
                _places.Release(free);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Settle(CancellationToken.None);
        _places.Dispose();
        _end.Dispose();
    }

    private async Task AskPort(IPAddress address, int port)
    {
        try
        {
            if (await Try(new IPEndPoint(address, port), timeout, pace, clock, _end.Token) != PortState.Silent)
                answers.Add(new Answer(address, null));
        }
        catch (OperationCanceledException)
        {
            // The run ended.
        }
        finally
        {
            _places.Release();
        }
    }
}
