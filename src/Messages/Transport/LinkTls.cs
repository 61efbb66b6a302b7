using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;

namespace Fleet.Messages.Transport;

/// <summary>The mutual TLS handshakes of the link. Shows the certificate of the day and learns who the peer is.</summary>
/// <param name="certificate">The certificate (with key) to show; asked anew each time.</param>
/// <param name="admit">Judges a genuine peer: null lets it in, a text says why not.</param>
internal sealed class LinkTls(Func<X509Certificate2> certificate, PeerTrust trust, Func<PeerIdentity, X509Certificate2, string?> admit)
{
    private readonly ShownCertificate _shown = new(certificate, trust.Authority);

    /// <summary>Authenticates whoever dialled this side.</summary>
    /// <exception cref="PeerRefusedException">The peer's certificate is refused; the message says why.</exception>
    /// <exception cref="AuthenticationException">The handshake failed.</exception>
    public Task<AuthenticatedStream> AsServer(Stream raw, CancellationToken cancellation) =>
        Authenticate(raw, Judge, (stream, judge) => stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _shown.Context(),
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = judge,
            // A resumed session would pass by the judgement of the certificate.
            AllowTlsResume = false,
        }, cancellation));

    /// <summary>Authenticates the side that this one dialled: it must be <paramref name="logicalHost"/>; null: whoever is admitted.</summary>
    /// <exception cref="PeerRefusedException">The peer's certificate is refused; the message says why.</exception>
    /// <exception cref="AuthenticationException">The handshake failed.</exception>
    public Task<AuthenticatedStream> AsClient(Stream raw, string? logicalHost, CancellationToken cancellation) =>
        Authenticate(raw, shown => JudgeServer(shown, logicalHost), (stream, judge) => stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = logicalHost ?? "",
            ClientCertificateContext = _shown.Context(),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = judge,
            AllowTlsResume = false,
        }, cancellation));

    private static async Task<AuthenticatedStream> Authenticate(
        Stream raw, Func<X509Certificate2?, (PeerIdentity? Peer, string Problem)> judge, Func<SslStream, RemoteCertificateValidationCallback, Task> handshake)
    {
        (PeerIdentity? Peer, string? Problem) verdict = (null, null);
        var stream = new SslStream(raw, leaveInnerStreamOpen: false);
        try
        {
            await handshake(stream, (_, certificate, _, _) =>
            {
                verdict = judge(certificate as X509Certificate2);
                return verdict.Peer is not null;
            });
            return new AuthenticatedStream(stream, verdict.Peer ?? throw new PeerRefusedException("the peer was not judged"), stream.RemoteCertificate!.GetSerialNumberString());
        }
        catch (Exception fault)
        {
            await stream.DisposeAsync();
            // SslStream says only that the callback said no.
            if (fault is AuthenticationException && verdict is { Peer: null, Problem: { } problem })
                throw new PeerRefusedException(problem);
            throw;
        }
    }

    private (PeerIdentity? Peer, string Problem) Judge(X509Certificate2? shown)
    {
        if (trust.Check(shown, out var problem) is not { } peer)
            return (null, problem);
        return admit(peer, shown!) is { } refusal ? (null, $"{peer} is refused: {refusal}") : (peer, "");
    }

    private (PeerIdentity? Peer, string Problem) JudgeServer(X509Certificate2? shown, string? logicalHost) => Judge(shown) switch
    {
        ({ } peer, _) when logicalHost is not null && peer.LogicalHost != logicalHost => (null, $"dialled {logicalHost} and met {peer.LogicalHost}"),
        var verdict => verdict,
    };
}

/// <param name="CertificateSerial">Hexadecimal.</param>
internal sealed record AuthenticatedStream(SslStream Stream, PeerIdentity Peer, string CertificateSerial);

/// <summary>A genuine TLS peer that may not come in; the message says why and is safe to log.</summary>
internal sealed class PeerRefusedException(string message) : AuthenticationException(message);
