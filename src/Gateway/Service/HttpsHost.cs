using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Fleet.Gateway.Service;

/// <summary>Opens and closes a host of one HTTPS port.</summary>
public static class HttpsHost
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    /// <param name="who">Who can't listen, for the message.</param>
    /// <param name="block">The block of settings with its <c>bind</c> and <c>port</c>, for the message.</param>
    /// <returns>Where it listens; the port is the one chosen where 0 was wanted.</returns>
    /// <exception cref="IOException">The port is in use or may not be used; the message names the settings. The host is disposed.</exception>
    public static async Task<IPEndPoint> Open(this WebApplication host, IPEndPoint at, string who, string block, CancellationToken cancellation)
    {
        try
        {
            await host.StartAsync(cancellation);
        }
        catch (Exception fault)
        {
            await host.DisposeAsync();
            if (fault is IOException or SocketException)
                throw new IOException($"{who} can't listen on {at}: {fault.GetBaseException().Message}; set {block}.port or {block}.bind to another", fault);
            throw;
        }

        var address = new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return new IPEndPoint(at.Address, address.Port);
    }

    /// <summary>Calls under way get a short time to end.</summary>
    public static async ValueTask Close(this WebApplication host)
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        await host.StopAsync(timeout.Token);
        await host.DisposeAsync();
    }
}
