using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;

namespace Fleet.Messages.Tests.Transport;

/// <summary>A CA that lives as long as one test.</summary>
internal sealed class TestAuthority
{
    private readonly X509Certificate2 _ca;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Fleet CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        _ca = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-61), DateTimeOffset.UtcNow.AddDays(100));
        Trust = new PeerTrust(X509CertificateLoader.LoadCertificate(_ca.RawData), TimeProvider.System, TimeSpan.Zero);
    }

    public PeerTrust Trust { get; }

    public X509Certificate2 Issue(string logicalHost, int days = 30)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=fleet", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(logicalHost);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_ca, DateTimeOffset.UtcNow.AddDays(-60), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
        using var whole = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }
}
