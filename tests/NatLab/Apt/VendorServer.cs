using System.Net;
using Fleet.Gateway.Service;
using Fleet.Messages.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Fleet.NatLab.Apt;

/// <summary>A plain HTTP server of the files in a directory, which counts what it sends.</summary>
internal sealed class VendorServer : IAsyncDisposable
{
    private readonly WebApplication _host;
    private int _requests;
    private long _sent;

    private VendorServer(WebApplication host) => _host = host;

    /// <summary>Requests and bytes of bodies so far.</summary>
    public (int Requests, long Bytes) Sent => (Volatile.Read(ref _requests), Interlocked.Read(ref _sent));

    public static async Task<VendorServer> Start(IByteNetwork network, IPEndPoint at, string files)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(at));
        builder.Services.AddSingleton<IConnectionListenerFactory>(new ByteNetworkTransport(network));
        var server = new VendorServer(builder.Build());
        server._host.Run(http => server.Serve(http, files));
        await server._host.StartAsync().ConfigureAwait(false);
        return server;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task Serve(HttpContext http, string files)
    {
        Interlocked.Increment(ref _requests);
        var file = new FileInfo(Path.GetFullPath(Path.Combine(files, http.Request.Path.Value!.TrimStart('/'))));
        if (!file.Exists || !file.FullName.StartsWith(files, StringComparison.Ordinal))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        http.Response.ContentLength = file.Length;
        await http.Response.SendFileAsync(file.FullName, http.RequestAborted).ConfigureAwait(false);
        Interlocked.Add(ref _sent, file.Length);
    }
}
