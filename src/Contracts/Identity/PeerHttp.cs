using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Contracts.Identity;

/// <summary>HTTP to peers of Fleet, over mutual TLS where the address says <c>https</c>. No redirect is followed, and no proxy of the machine's used.</summary>
public static class PeerHttp
{
    private const int MaxHeaderKilobytes = 16;
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(2);

    /// <param name="certificate">The own certificate (with key) for the next connection.</param>
    /// <param name="judge">Judges whom the peer's certificate names: null lets it in, a text says why not.</param>
    /// <param name="connect">Opens a stream to <c>host:port</c>.</param>
    public static SocketsHttpHandler Handler(Func<X509Certificate2> certificate, Func<X509Certificate2?, string?> judge, Func<string, CancellationToken, Task<Stream>> connect, TimeSpan connectWithin) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxResponseHeadersLength = MaxHeaderKilobytes,
        ConnectTimeout = connectWithin,
        PooledConnectionIdleTimeout = IdleTimeout,
        ConnectCallback = async (asked, stop) => await connect(HostPort.Of(asked.DnsEndPoint.Host, asked.DnsEndPoint.Port), stop).ConfigureAwait(false),
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate(),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            // The names in Fleet's certificates are identities, not hosts; the judge checks them.
            RemoteCertificateValidationCallback = (_, shown, _, _) => judge(shown as X509Certificate2) is not { } problem ? true : throw new AuthenticationException(problem),
        },
    };
}
