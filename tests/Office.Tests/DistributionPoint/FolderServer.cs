using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Fleet.Office.Tests.DistributionPoint;

/// <summary>Serves what a folder has, in the clear.</summary>
internal sealed class FolderServer : IAsyncDisposable
{
    private readonly WebApplication _host;

    private FolderServer(WebApplication host) => _host = host;

    public string Url => _host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public static async Task<FolderServer> Start(string folder)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var host = builder.Build();
        host.Run(async http =>
        {
            var file = Path.Combine(folder, http.Request.Path.Value!.TrimStart('/'));
            http.Response.StatusCode = File.Exists(file) ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
            if (File.Exists(file))
                await http.Response.Body.WriteAsync(await File.ReadAllBytesAsync(file));
        });
        await host.StartAsync();
        return new FolderServer(host);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
