using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Fleet.Gateway.Service;
using Fleet.Messages.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Fleet.Gateway.Content;

/// <param name="Who">Who listens, for messages.</param>
/// <param name="Block">The block of settings with its <c>bind</c> and <c>port</c>, for messages.</param>
/// <param name="Tls">Null: plain HTTP. What is served is verified by whoever asks, so that only its secrecy hangs on this.</param>
/// <param name="Map">Maps what is served; nothing can be sent here.</param>
/// <param name="Network">Null: the machine's own sockets.</param>
public sealed record ContentListenerSetup(IPEndPoint At, string Who, string Block, ContentTls? Tls, Action<WebApplication> Map, ILoggerFactory Logging, IByteNetwork? Network);

/// <param name="RequireClientCertificate">Only who shows a certificate of Fleet's CA is let in; which node or device it names makes no difference.</param>
public sealed record ContentTls(ShownCertificate Certificate, PeerTrust Trust, bool RequireClientCertificate);

/// <summary>An open HTTP port for content. Listens from <see cref="Start"/> until disposed.</summary>
public sealed class ContentListener : IAsyncDisposable
{
    /// <summary>Room for one block that is being sent while the next is read.</summary>
    private const long ResponseBuffer = 256 * 1024;

    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly WebApplication _host;

    private ContentListener(WebApplication host, IPEndPoint local) => (_host, Local) = (host, local);

    /// <summary>Where it listens; the port is the one chosen where 0 was wanted.</summary>
    public IPEndPoint Local { get; }

    /// <exception cref="IOException">The port is in use or may not be used; the message names the setting.</exception>
    public static async Task<ContentListener> Start(ContentListenerSetup setup, CancellationToken cancellation = default)
    {
        // Empty: no environment variables, no files, no console of ASP.NET's own decide anything here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(setup.Logging);
        builder.Services.AddLogging();
        builder.Services.AddRouting();
        if (setup.Network is { } network)
            builder.Services.AddSingleton<IConnectionListenerFactory>(new ByteNetworkTransport(network));
        // Handing each block from thread to thread takes as long as sending it (1.3 times the bytes a second without). What runs here waits for disks at most, and on
        // the pool's threads still: never on the one that watches the sockets.
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxResponseBufferSize = ResponseBuffer;
            kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
            kestrel.Listen(setup.At, listen =>
            {
                listen.Protocols = setup.Tls is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
                if (setup.Tls is { } tls)
                    listen.UseHttps(Handshake(tls));
            });
        });
        var host = builder.Build();
        setup.Map(host);
        return new ContentListener(host, await host.Open(setup.At, setup.Who, setup.Block, cancellation));
    }

    public ValueTask DisposeAsync() => _host.Close();

    private static TlsHandshakeCallbackOptions Handshake(ContentTls tls) => new()
    {
        HandshakeTimeout = HandshakeTimeout,
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = tls.Certificate.Context(),
            ClientCertificateRequired = tls.RequireClientCertificate,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            AllowRenegotiation = false,
            // A resumed session would skip the judging below.
            AllowTlsResume = !tls.RequireClientCertificate,
            RemoteCertificateValidationCallback = (_, shown, _, _) => !tls.RequireClientCertificate || tls.Trust.Check(shown as X509Certificate2, out var _) is not null,
        }),
    };
}
