using System.Net;
using System.Net.Sockets;

namespace Fleet.Office.Discovery.Directories;

/// <summary>
/// Lets libldap speak to a directory over a connection of ours: it dials a port on loopback, which takes one caller and passes all on. Its own TLS would do, but Debian's is
/// GnuTLS, for which .NET can name no CA, and it tells no reason when a certificate is bad (only "unavailable").
/// </summary>
internal sealed class DirectoryTunnel : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Stream _directory;
    private readonly Task _work;

    /// <param name="directory">The connection; the tunnel's from now on.</param>
    public DirectoryTunnel(Stream directory)
    {
        _directory = directory;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1);
        _work = Work();
    }

    public IPEndPoint Local => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Ends both connections, and with them whatever waits on them.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _directory.DisposeAsync();
        await _work;
    }

    private async Task Work()
    {
        try
        {
            using var caller = await _listener.AcceptAsync();
            await using var near = new NetworkStream(caller);
            // Whichever side ends first ends both.
            var ways = new[] { near.CopyToAsync(_directory), _directory.CopyToAsync(near) };
            await Task.WhenAny(ways);
            caller.Dispose();
            await _directory.DisposeAsync();
            await Task.WhenAll(ways);
        }
        catch (Exception ended) when (ended is IOException or SocketException or ObjectDisposedException)
        {
            // Either side hung up.
        }
    }
}
