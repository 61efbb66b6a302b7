using System.Net;
using System.Net.Sockets;
using Fleet.Office.Discovery.Networks;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>
/// Asks by the kernel's own ARP, for a process that may not: a small datagram makes the kernel look for the machine, and its neighbour table tells who
/// answered. The datagram goes to the discard port, so that it means nothing to whoever gets it.
/// </summary>
public sealed class NeighbourProbe : IProbe
{
    internal const int DiscardPort = 9;

    // A neighbour that the kernel knew from before is believed for 5 s without being asked (delay_first_probe_time), then asked three times, a second apart.
    private static readonly TimeSpan OldOnesTake = TimeSpan.FromSeconds(8.5);
    private static readonly TimeSpan LastAnswer = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private readonly LocalNetwork _network;
    private readonly Answers _answers;
    private readonly Pace _pace;
    private readonly TimeProvider _clock;
    private readonly Func<IReadOnlyList<Neighbour>> _table;
    private readonly long _began;
    private readonly HashSet<IPAddress> _told = [];
    private readonly Lock _guard = new();
    private readonly ITimer _look;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private bool _oldOnes;

    /// <param name="table">Reads the kernel's table.</param>
    public NeighbourProbe(LocalNetwork network, Answers answers, Pace pace, TimeProvider clock, Func<IReadOnlyList<Neighbour>> table)
    {
        (_network, _answers, _pace, _clock, _table, _began) = (network, answers, pace, clock, table, clock.GetTimestamp());
        _look = clock.CreateTimer(_ => Look(), state: null, LookEvery, LookEvery);
    }

    public bool Reaches(IPAddress address) => _network.Range.Contains(address);

    public async ValueTask Ask(IPAddress address, CancellationToken stop)
    {
        await _pace.Next(stop);
        Listener.Send(_socket, [0], new IPEndPoint(address, DiscardPort));
    }

    public async Task Settle(CancellationToken stop)
    {
        await Task.Delay(LastAnswer, _clock, stop);
        Look();
        // Whoever the kernel knew already may have gone since: it has not asked yet.
        var asked = _clock.GetTimestamp();
        while (_oldOnes && _clock.GetElapsedTime(asked) < OldOnesTake)
        {
            await Task.Delay(LookEvery, _clock, stop);
            Look();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _look.DisposeAsync();
        _socket.Dispose();
    }

    private void Look()
    {
        lock (_guard)
        {
            var running = _clock.GetElapsedTime(_began);
            _oldOnes = false;
            foreach (var neighbour in _table())
            {
                if (neighbour.Card != _network.Index || !_network.Range.Contains(neighbour.Address) || _told.Contains(neighbour.Address))
                    continue;
                // Of which the kernel is sure, it heard within the last minute (reachable_time).
                if (neighbour.Reachable || neighbour.Confirmed < running)
                {
                    _told.Add(neighbour.Address);
                    _answers.Add(new Answer(neighbour.Address, neighbour.Mac));
                }
                else
                {
                    _oldOnes = true;
                }
            }
        }
    }
}
