using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Contracts.Identity;

/// <summary>The key pair of a machine (ECDSA P-256) and what is made with it: certificate requests and the self-signed certificate of the first contact.</summary>
public static class KeyRequest
{
    public static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>A PKCS#10 request (DER). The subject is not used: headquarters decides the name.</summary>
    public static byte[] For(ECDsa key) => new CertificateRequest("CN=fleet", key, HashAlgorithmName.SHA256).CreateSigningRequest();

    /// <summary>The certificate with which a machine that has none yet makes the TLS connection for Enrol; it proves possession of the key and nothing else.</summary>
    public static X509Certificate2 SelfSigned(ECDsa key, TimeProvider clock)
    {
        var request = new CertificateRequest("CN=fleet enrolment", key, HashAlgorithmName.SHA256);
        var now = clock.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-7), now.AddDays(7));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Another's public key for key agreement.</summary>
    /// <param name="key">SubjectPublicKeyInfo, DER.</param>
    /// <exception cref="CryptographicException">It is no P-256 key.</exception>
    public static ECDiffieHellman PublicAgreement(ReadOnlySpan<byte> key)
    {
        var other = ECDiffieHellman.Create();
        try
        {
            other.ImportSubjectPublicKeyInfo(key, out _);
            return other.KeySize == 256 ? other : throw new CryptographicException($"a P-256 key is needed, this one has {other.KeySize} bits");
        }
        catch
        {
            other.Dispose();
            throw;
        }
    }

    /// <summary>The same key for key agreement (envelopes).</summary>
    public static ECDiffieHellman Agreement(ECDsa key) => ECDiffieHellman.Create(key.ExportParameters(includePrivateParameters: true));
}
