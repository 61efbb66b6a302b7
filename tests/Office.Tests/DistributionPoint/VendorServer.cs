using System.Net;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Fleet.Office.Tests.DistributionPoint;

/// <summary>A vendor's server with a copy of a repository, under a certificate that no machine trusts by itself, for one user.</summary>
internal sealed class VendorServer : IAsyncDisposable
{
    private readonly WebApplication _host;

    private VendorServer(WebApplication host, string pin) => (_host, Pin) = (host, pin);

    public const string User = "shop";
    public const string Password = "open sesame";

    public string Url => _host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>SHA-256 of its public key.</summary>
    public string Pin { get; }

    public static async Task<VendorServer> Start(TestAuthority authority, string folder)
    {
        var certificate = authority.Issue(PeerIdentity.Of(new DeviceId("vendor")));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        var host = builder.Build();
        var knows = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"))}";
        host.Run(async http =>
        {
            var file = Path.Combine(folder, http.Request.Path.Value!.TrimStart('/'));
            http.Response.StatusCode = http.Request.Headers.Authorization != knows ? StatusCodes.Status401Unauthorized : File.Exists(file) ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
            if (http.Response.StatusCode == StatusCodes.Status200OK)
                await http.Response.Body.WriteAsync(await File.ReadAllBytesAsync(file));
        });
        await host.StartAsync();
        return new VendorServer(host, Convert.ToHexStringLower(PeerTrust.PinOf(certificate)));
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
