using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Fleet.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Fleet.Device.Tests.Updates;

/// <summary>Serves a repository's folder over HTTPS, or over HTTP where it has no identity; what it says of a path may be changed.</summary>
internal sealed class RepositoryServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly X509Certificate2? _certificate;

    private RepositoryServer(WebApplication app, X509Certificate2? certificate)
    {
        (_app, _certificate) = (app, certificate);
        var url = new Uri(LoopbackHost.UrlOf(app));
        Address = $"{(certificate is null ? "http://" : "")}127.0.0.1:{url.Port}";
    }

    /// <summary>As headquarters names it.</summary>
    public string Address { get; }

    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>Bytes in place of the file; null: it is served as it is.</summary>
    public Func<string, byte[]?> Instead { get; set; } = _ => null;

    public static async Task<RepositoryServer> Start(string folder, TestAuthority? authority = null, PeerIdentity? identity = null)
    {
        var certificate = identity is null ? null : authority!.Issue(identity);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
                listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificate, ClientCertificateMode = ClientCertificateMode.RequireCertificate, ClientCertificateValidation = (_, _, _) => true });
        }));
        var app = builder.Build();
        RepositoryServer? server = null;
        app.Run(async context =>
        {
            var path = context.Request.Path.Value!.TrimStart('/');
            server!.Asked.Enqueue(path);
            if (server.Instead(path) is { } instead)
                await context.Response.Body.WriteAsync(instead);
            else if (Path.Combine(folder, path) is var file && File.Exists(file))
                await Results.File(file, enableRangeProcessing: true).ExecuteAsync(context);
            else
                context.Response.StatusCode = StatusCodes.Status404NotFound;
        });
        await app.StartAsync();
        return server = new RepositoryServer(app, certificate);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        _certificate?.Dispose();
    }
}
