using System.Net;

namespace Fleet.Office.Roles;

/// <summary>One port of the node: opened and closed one after the other, so that a role given back at once does not find its own port in use.</summary>
public sealed class RolePort : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private IAsyncDisposable? _open;

    /// <param name="open">Opens the port, and says where it listens.</param>
    /// <exception cref="IOException">The port is in use or may not be used; the message names it.</exception>
    public async Task<IPEndPoint> Open(Func<Task<(IAsyncDisposable Port, IPEndPoint At)>> open)
    {
        await _turn.WaitAsync();
        try
        {
            await CloseOpen();
            (_open, var at) = await open();
            return at;
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
