using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;

namespace Fleet.TestSupport;

/// <summary>A real CA (ECDSA P-256) for tests; what headquarters' own does, without its records.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = KeyRequest.NewKey();
    private readonly TimeProvider _clock;

    public TestAuthority(TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        var request = new CertificateRequest("CN=Fleet test CA", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        Certificate = request.CreateSelfSigned(_clock.GetUtcNow().AddDays(-1), _clock.GetUtcNow().AddYears(9));
    }

    /// <summary>The CA's certificate; it comes with the key, as a thief of the CA would have it.</summary>
    public X509Certificate2 Certificate { get; }

    public byte[] Pin => PeerTrust.PinOf(Certificate);

    /// <summary>Issues a certificate for a key of ours, ready for TLS.</summary>
    public X509Certificate2 Issue(PeerIdentity identity, ECDsa key, TimeSpan? life = null)
    {
        using var certificate = Sign(new CertificateRequest("CN=" + identity.LogicalHost, key, HashAlgorithmName.SHA256), identity, life);
        using var both = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(both.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Issues a certificate with a fresh key, ready for TLS.</summary>
    public X509Certificate2 Issue(PeerIdentity identity, TimeSpan? life = null)
    {
        using var key = KeyRequest.NewKey();
        return Issue(identity, key, life);
    }

    /// <summary>Answers a PKCS#10 request: DER, leaf first, CA last.</summary>
    public IReadOnlyList<byte[]> Answer(PeerIdentity identity, byte[] certificateRequest, TimeSpan? life = null)
    {
        var request = CertificateRequest.LoadSigningRequest(certificateRequest, HashAlgorithmName.SHA256);
        using var certificate = Sign(request, identity, life);
        return [certificate.RawData, Certificate.RawData];
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Sign(CertificateRequest request, PeerIdentity identity, TimeSpan? life)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(identity.LogicalHost);
        request.CertificateExtensions.Add(names.Build());
        if (identity.Kind != PeerKind.Device)
            request.CertificateExtensions.Add(AuthorityExtension.For(Certificate));
        var now = _clock.GetUtcNow();
        return request.Create(Certificate, now.AddMinutes(-5), now + (life ?? TimeSpan.FromDays(30)), RandomNumberGenerator.GetBytes(16));
    }
}
