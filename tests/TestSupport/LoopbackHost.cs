using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Fleet.TestSupport;

/// <summary>A bare web server on a free port of loopback: what fakes of others' servers stand on.</summary>
public static class LoopbackHost
{
    /// <param name="listen">Which protocols, with which certificate; nothing: HTTP in the clear.</param>
    /// <param name="map">What it answers.</param>
    public static async Task<WebApplication> Start(Action<ListenOptions> listen, Action<WebApplication> map, Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen));
        services?.Invoke(builder.Services);
        var host = builder.Build();
        map(host);
        await host.StartAsync().ConfigureAwait(false);
        return host;
    }

    /// <summary>Where a server that listens at one place is reached.</summary>
    public static string UrlOf(WebApplication host) => host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
}
