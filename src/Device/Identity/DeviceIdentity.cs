using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;

namespace Fleet.Device.Identity;

/// <summary>Who a device is, as headquarters enrolled it. Immutable: a renewal step makes the next one.</summary>
/// <param name="Authority">Headquarters' CA, DER: the only trust anchor.</param>
/// <param name="HeadquartersKey">Headquarters' public key for envelopes, SubjectPublicKeyInfo DER.</param>
/// <param name="Current">The key that seals and that TLS shows.</param>
/// <param name="Previous">The key before, kept until headquarters acknowledged a report that <paramref name="Current"/> sealed.</param>
/// <param name="Next">A key whose certificate has been asked for.</param>
public sealed record DeviceIdentity(
    DeviceId Device, OfficeId Office, byte[] Authority, byte[] HeadquartersKey, DeviceKey Current, DeviceKey? Previous, DeviceKey? Next, Reach Reach)
{
    /// <summary>Certificates are renewed when this part of their life is over.</summary>
    private const double RenewAfter = 2.0 / 3;

    /// <summary>Which peers this device trusts.</summary>
    public PeerTrust Trust(TimeProvider clock) => new(X509CertificateLoader.LoadCertificate(Authority), clock, PeerTrust.FieldTolerance);

    /// <summary>The envelope keys of a generation; null where this device has no such key (any more).</summary>
    public EnvelopeKeys? KeysOf(uint generation) =>
        new[] { Current, Previous, Next }.FirstOrDefault(k => k?.Generation == generation)?.Share(HeadquartersKey, Device);

    /// <summary>Whether it is time for another certificate.</summary>
    /// <param name="now">Headquarters' time as far as it is known: this machine's clock may be wrong by days.</param>
    public bool RenewalDue(DateTimeOffset now)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(Current.Certificate!);
        var (from, to) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return now.UtcDateTime >= from + (to - from) * RenewAfter;
    }

    /// <summary>A fresh key is made, to be certified.</summary>
    public DeviceIdentity WithNext() => this with { Next = DeviceKey.Fresh(Current.Generation + 1) };

    /// <summary>Headquarters certified the next key: it is the current one from now on.</summary>
    /// <param name="chain">DER, leaf first.</param>
    /// <param name="problem">Why the certificate can't be taken; then null is returned.</param>
    public DeviceIdentity? Renewed(IReadOnlyList<byte[]> chain, uint generation, TimeProvider clock, out string problem)
    {
        if (Next is null || generation != Next.Generation || chain.Count == 0)
        {
            problem = $"headquarters sent a certificate for key generation {generation}, which was not asked for";
            return null;
        }

        using var leaf = X509CertificateLoader.LoadCertificate(chain[0]);
        if (!Next.Fits(leaf))
        {
            problem = "headquarters sent a certificate for another key than the one asked for";
            return null;
        }

        if (Trust(clock).Check(leaf, out problem) != PeerIdentity.Of(Device))
        {
            problem = problem.Length > 0 ? problem : $"headquarters sent a certificate that does not name device {Device}";
            return null;
        }

        return this with { Current = Next with { Certificate = chain[0], CertificateRequest = null }, Previous = Current, Next = null };
    }

    /// <summary>Headquarters acknowledged a report of the current key: the one before is of no more use.</summary>
    public DeviceIdentity Settled() => this with { Previous = null };
}
