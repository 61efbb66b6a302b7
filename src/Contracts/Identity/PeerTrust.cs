using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Fleet.Contracts.Identity;

/// <summary>
/// Decides whether a peer's certificate is of Fleet's own CA (ECDSA P-256) and valid now. System trust stores have no say.
/// </summary>
/// <param name="Authority">The CA's certificate.</param>
/// <param name="Clock">This machine's clock.</param>
/// <param name="ClockTolerance">How far this machine's clock may be off before valid certificates look early or expired.</param>
public sealed record PeerTrust(X509Certificate2 Authority, TimeProvider Clock, TimeSpan ClockTolerance)
{
    /// <summary>Agents and offices tolerate this much of their own wrong clock; headquarters, which owns the time, none.</summary>
    public static readonly TimeSpan FieldTolerance = TimeSpan.FromDays(3);

    /// <summary>The pin of a CA: SHA-256 over its SubjectPublicKeyInfo (as in RFC 7469, 2.4).</summary>
    public static byte[] PinOf(X509Certificate2 authority) => SHA256.HashData(authority.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>Finds the pinned CA among the certificates a peer presented at first contact, or inside them (<see cref="AuthorityExtension"/>); null where it is not there.</summary>
    public static X509Certificate2? FindPinned(byte[] pin, IEnumerable<X509Certificate2> presented) =>
        presented.SelectMany(c => new[] { c, AuthorityExtension.In(c) }).OfType<X509Certificate2>()
            .FirstOrDefault(c => CryptographicOperations.FixedTimeEquals(PinOf(c), pin));

    /// <summary>Returns whom the certificate names, or null and the reason why it is not trusted.</summary>
    public PeerIdentity? Check(X509Certificate2? certificate, out string problem)
    {
        if (certificate is null)
        {
            problem = "the peer showed no certificate";
            return null;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        // Times are judged below, with tolerance.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        if (!chain.Build(certificate))
        {
            problem = $"the certificate is not of this headquarters' CA: {string.Join(", ", chain.ChainStatus.Select(s => s.Status))}";
            return null;
        }

        var now = Clock.GetUtcNow();
        if (now + ClockTolerance < certificate.NotBefore.ToUniversalTime() || now - ClockTolerance > certificate.NotAfter.ToUniversalTime())
        {
            problem = $"the certificate is valid from {certificate.NotBefore.ToUniversalTime():u} to {certificate.NotAfter.ToUniversalTime():u}, and this clock says {now:u}; "
                + "check the clock, or enrol anew if the certificate ran out";
            return null;
        }

        problem = "";
        if (PeerIdentity.FromCertificate(certificate) is { } identity)
            return identity;
        problem = "the certificate names nobody of Fleet";
        return null;
    }
}
