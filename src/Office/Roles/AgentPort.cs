using System.Net;
using Fleet.Gateway.Service;

namespace Fleet.Office.Roles;

/// <summary>One port for agents of the node: opened and closed one after the other, so that a role given back at once does not find its own port in use.</summary>
public sealed class AgentPort : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private AgentListener? _open;

    /// <exception cref="IOException">The port is in use or may not be used; the message names it.</exception>
    public async Task<IPEndPoint> Open(AgentListenerSetup setup)
    {
        await _turn.WaitAsync();
        try
        {
            await CloseOpen();
            _open = await AgentListener.Start(setup);
            return _open.Local;
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task Close()
    {
        await _turn.WaitAsync();
        try
        {
            await CloseOpen();
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync() => await Close();

    private async Task CloseOpen()
    {
        if (_open is null)
            return;
        await _open.DisposeAsync();
        _open = null;
    }
}
