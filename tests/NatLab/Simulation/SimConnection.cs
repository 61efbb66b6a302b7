using System.Net;
using Fleet.NatLab.Nat;

namespace Fleet.NatLab.Simulation;

/// <summary>One stream between two hosts: two pipes, and the endpoints that each side and the translators between them know it by.</summary>
internal sealed class SimConnection
{
    private readonly SimHost _dialler;
    private readonly SimHost _listener;

    private SimConnection(SimNetwork network, SimHost dialler, IPEndPoint source, IPEndPoint dialled, SimHost listener, IPEndPoint local, IPEndPoint seenSource)
    {
        (_dialler, _listener) = (dialler, listener);
        Up = new SimPipe(network, this, dialler, source, dialled, listener, seenSource);
        // What comes back is addressed to the source that the listener saw, and only a mapping leads from there to the dialler.
        Down = new SimPipe(network, this, listener, local, seenSource, dialler, dialled);
        Near = new SimStream(Up, Down);
        Far = new SimStream(Down, Up);
    }

    public SimPipe Up { get; }

    public SimPipe Down { get; }

    public SimStream Near { get; }

    public SimStream Far { get; }

    /// <summary>Dials until somebody answers, refuses, or the caller gives up. The opening packet is repeated like TCP's, from 1 s on.</summary>
    public static async Task<Stream> Open(SimNetwork network, SimHost from, IPEndPoint source, IPEndPoint destination, CancellationToken cancellation)
    {
        var chance = network.NewChance();
        for (var wait = TimeSpan.FromSeconds(1); ; wait *= 2)
        {
            var carriage = network.Carry(FlowKind.Stream, from, source, destination, opens: true, SimPipe.HeaderBytes, chance);
            if (carriage.Host is { } host)
            {
                // There and back again, as the dialler sees it.
                await Elapsed(network.Clock, carriage.Delay * 2, cancellation).ConfigureAwait(false);
                if (host.ListenerAt(carriage.Destination!) is not { } listener)
                    throw new IOException($"{destination} refused the connection");
                var connection = new SimConnection(network, from, source, destination, host, carriage.Destination!, carriage.SeenSource!);
                from.Add(connection);
                host.Add(connection);
                if (listener.Offer(connection.Far, carriage.SeenSource!))
                    return connection.Near;
                throw new IOException($"{destination} refused the connection");
            }

            await Elapsed(network.Clock, wait, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Ends both directions with a fault at both ends.</summary>
    public void Reset(string why)
    {
        Up.Fail(why);
        Down.Fail(why);
        Ended();
    }

    public void Ended()
    {
        _dialler.Remove(this);
        _listener.Remove(this);
    }

    private static async Task Elapsed(TimeProvider clock, TimeSpan time, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var elapsed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var given = cancellation.Register(() => elapsed.TrySetCanceled(cancellation));
        Simulated.After(clock, time, () => elapsed.TrySetResult());
        await elapsed.Task.ConfigureAwait(false);
    }
}
