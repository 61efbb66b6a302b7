using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Contracts.Identity;

/// <summary>
/// The own certificate as TLS shows it, asked anew for each connection, so that a renewal needs no restart. Making a context builds a chain: that
/// happens once a certificate. Thread-safe; a race makes one twice, which harms nobody.
/// </summary>
/// <param name="certificate">The certificate (with key) of the day.</param>
/// <param name="authority">The CA that issued it; sent with it.</param>
public sealed class ShownCertificate(Func<X509Certificate2> certificate, X509Certificate2 authority)
{
    private volatile Made? _made;

    /// <summary>The CA that it is shown with.</summary>
    public X509Certificate2 Authority => authority;

    public SslStreamCertificateContext Context()
    {
        var current = certificate();
        if (_made is not { } made || !ReferenceEquals(made.Certificate, current))
            _made = made = new Made(current, SslStreamCertificateContext.Create(current, [authority], offline: true));
        return made.Context;
    }

    private sealed record Made(X509Certificate2 Certificate, SslStreamCertificateContext Context);
}
