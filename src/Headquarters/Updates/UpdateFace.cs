using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Content;
using Fleet.Gateway.Service;
using Fleet.Messages.Transport;
using Fleet.Updates.Content;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Net.Http.Headers;

namespace Fleet.Headquarters.Updates;

/// <summary>
/// The HTTPS port of the tenant's repository, as any TUF client reads it: <c>/metadata/</c>, <c>/targets/</c>, and the files that manifests name at
/// <c>/blobs/HASH</c>. Nothing can be changed there. Who reaches it reads what is published, so by default it asks for a certificate of Fleet's CA; which
/// node or device it names makes no difference. Listens from <see cref="Start"/> until disposed.
/// </summary>
public sealed class UpdateFace : IAsyncDisposable
{
    private const string Block = "fleet.updates";
    private const string TimestampFile = "timestamp.json";

    /// <summary>A numbered version never changes.</summary>
    private const string Immutable = "public, max-age=31536000, immutable";

    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ComeBackIn = TimeSpan.FromSeconds(5);

    private readonly WebApplication _host;

    private UpdateFace(WebApplication host, IPEndPoint local) => (_host, Local) = (host, local);

    /// <summary>Where it listens; the port is the one chosen where the options say 0.</summary>
    public IPEndPoint Local { get; }

    /// <param name="trust">Which client certificates are genuine.</param>
    /// <param name="network">Null: the machine's own sockets.</param>
    /// <exception cref="IOException">The port is in use or may not be used; the message names the setting.</exception>
    public static async Task<UpdateFace> Start(
        UpdateOptions options, TenantRepository repository, ShownCertificate certificate, PeerTrust trust, ILoggerFactory logging, IByteNetwork? network = null, CancellationToken cancellation = default)
    {
        // Empty: no environment variables, no files, no console of ASP.NET's own decide anything here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logging);
        builder.Services.AddLogging();
        builder.Services.AddRouting();
        if (network is not null)
            builder.Services.AddSingleton<IConnectionListenerFactory>(new ByteNetworkTransport(network));
        var at = new IPEndPoint(options.Bind, options.Port);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Nothing is sent here but questions.
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
            kestrel.Listen(at, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(Tls(options.RequireClientCertificate, certificate, trust));
            });
        });
        var host = builder.Build();
        Map(host, repository, new ContentAdmission(options.MaxTransfers, ComeBackIn));
        return new UpdateFace(host, await host.Open(at, "the update repository", Block, cancellation));
    }

    public ValueTask DisposeAsync() => _host.Close();

    private static void Map(WebApplication host, TenantRepository repository, ContentAdmission admission)
    {
        // Headquarters is where content comes from: what its disk has lost, nobody can bring.
        var content = new ContentEndpoint(repository.Content.Blobs, (_, _) => Task.FromResult(false), admission, (_, _) => { });
        content.Map(host);
        // With consistent snapshots a target's last segment begins with its hash, which is its name among the content.
        host.MapMethods("/targets/{**path}", [HttpMethods.Get, HttpMethods.Head], (HttpContext http, string path) => content.Serve(http, path[(path.LastIndexOf('/') + 1)..].Split('.')[0]));
        host.MapMethods("/metadata/{name}", [HttpMethods.Get, HttpMethods.Head], (string name, HttpResponse response, CancellationToken stop) => Metadata(name, repository, response, stop));
    }

    private static async Task<Results<FileContentHttpResult, NotFound>> Metadata(string name, TenantRepository repository, HttpResponse response, CancellationToken cancellation)
    {
        if (await repository.Metadata(name, cancellation) is not { } bytes)
            return TypedResults.NotFound();
        response.Headers.CacheControl = name == TimestampFile ? "no-cache" : Immutable;
        return TypedResults.Bytes(bytes, "application/json", entityTag: new EntityTagHeaderValue($"\"{BlobHash.Over(bytes)}\""));
    }

    private static TlsHandshakeCallbackOptions Tls(bool requireClient, ShownCertificate certificate, PeerTrust trust) => new()
    {
        HandshakeTimeout = HandshakeTimeout,
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.Context(),
            ClientCertificateRequired = requireClient,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            AllowRenegotiation = false,
            // A resumed session would skip the judging below.
            AllowTlsResume = !requireClient,
            RemoteCertificateValidationCallback = (_, shown, _, _) => !requireClient || trust.Check(shown as X509Certificate2, out var _) is not null,
        }),
    };
}
