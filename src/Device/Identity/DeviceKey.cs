using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;

namespace Fleet.Device.Identity;

/// <summary>One of a device's keys (ECDSA P-256) with what headquarters issued for it.</summary>
/// <param name="Generation">1 at enrolment, one more at each renewal.</param>
/// <param name="PrivateKey">PKCS#8.</param>
/// <param name="Certificate">DER, or null while it is asked for.</param>
/// <param name="CertificateRequest">PKCS#10, or null once the certificate is there.</param>
public sealed record DeviceKey(uint Generation, byte[] PrivateKey, byte[]? Certificate, byte[]? CertificateRequest)
{
    /// <summary>Makes a fresh key and the request for its certificate.</summary>
    public static DeviceKey Fresh(uint generation)
    {
        using var key = KeyRequest.NewKey();
        return new DeviceKey(generation, key.ExportPkcs8PrivateKey(), Certificate: null, KeyRequest.For(key));
    }

    public ECDsa Open()
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(PrivateKey, out _);
        return key;
    }

    /// <summary>The certificate with its key, ready for TLS.</summary>
    /// <exception cref="InvalidOperationException">No certificate has been issued yet.</exception>
    public X509Certificate2 ForTls()
    {
        using var key = Open();
        using var certificate = X509CertificateLoader.LoadCertificate(Certificate ?? throw new InvalidOperationException("this key has no certificate yet"));
        using var both = certificate.CopyWithPrivateKey(key);
        // Windows' TLS takes no key that lives in memory alone.
        return OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(both.Export(X509ContentType.Pkcs12), null) : new X509Certificate2(both);
    }

    /// <summary>The envelope keys that this key shares with headquarters.</summary>
    public EnvelopeKeys Share(byte[] headquartersKey, DeviceId device)
    {
        using var key = Open();
        using var agreement = KeyRequest.Agreement(key);
        return EnvelopeKeys.Derive(agreement, headquartersKey, device, Generation);
    }

    /// <summary>Whether a certificate is for this key.</summary>
    public bool Fits(X509Certificate2 certificate)
    {
        using var key = Open();
        return certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo());
    }
}
