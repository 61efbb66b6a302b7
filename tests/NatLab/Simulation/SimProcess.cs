using System.Net;
using Fleet.Messages.Transport;

namespace Fleet.NatLab.Simulation;

/// <summary>
/// One run of a program on a simulated machine, from its start until it is killed. What is left of a killed program in this process may go on for a
/// while; to the network it is dead, so no goodbye gets out.
/// </summary>
public sealed class SimProcess(SimHost machine) : IByteNetwork
{
    private volatile bool _dead;

    public async Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        ThrowIfDead();
        var stream = await machine.Connect(address, cancellation).ConfigureAwait(false);
        if (!_dead)
            return stream;
        await stream.DisposeAsync().ConfigureAwait(false);
        throw Dead();
    }

    public IByteListener Listen(IPEndPoint at)
    {
        ThrowIfDead();
        return machine.Listen(at);
    }

    /// <inheritdoc cref="SimHost.KillProcess"/>
    public void Kill()
    {
        _dead = true;
        machine.KillProcess();
    }

    private void ThrowIfDead()
    {
        if (_dead)
            throw Dead();
    }

    private IOException Dead() => new($"the program on {machine.Name} was killed");
}
