using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Device.Identity;

/// <summary>How the device speaks TLS with Fleet's peers, whose names are identities and not hosts.</summary>
internal static class PeerTls
{
    /// <param name="certificate">Shown to the peer.</param>
    /// <param name="judge">Whether the peer's certificate lets it in, before a byte of a request is sent.</param>
    public static SslClientAuthenticationOptions Client(X509Certificate2 certificate, Func<X509Certificate?, X509Chain?, bool> judge) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
        RemoteCertificateValidationCallback = (_, leaf, chain, _) => judge(leaf, chain),
    };
}
