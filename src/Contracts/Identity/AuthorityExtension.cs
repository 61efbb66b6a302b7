using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Contracts.Identity;

/// <summary>
/// A certificate of Fleet that servers show carries its CA's certificate in this extension, so that a newcomer with nothing but the CA's pin can
/// check it at first contact. The TLS chain can't do this: .NET on Linux never sends a self-signed root, whatever the certificate context holds.
/// </summary>
public static class AuthorityExtension
{
    /// <summary>Under the arc for UUIDs (ITU-T X.667), which needs no registration.</summary>
    public const string Oid = "2.25.329800735698586629295641978511506172918";

    public static X509Extension For(X509Certificate2 authority) => new(Oid, authority.RawData, critical: false);

    /// <summary>The CA's certificate inside <paramref name="certificate"/>, or null. Worth nothing until its pin is checked.</summary>
    public static X509Certificate2? In(X509Certificate2 certificate)
    {
        if (certificate.Extensions[Oid] is not { } extension)
            return null;
        try
        {
            return X509CertificateLoader.LoadCertificate(extension.RawData);
        }
        catch (CryptographicException)
        {
            // A stranger's extension: no CA of ours.
            return null;
        }
    }
}
