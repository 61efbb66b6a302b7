using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Fleet.Updates.Apt;

/// <summary>A key of a ring, and what its owner says of it: until when it holds, whether it may sign, whether it is revoked. Only what the owner signed counts.</summary>
internal sealed class SigningIdentity
{
    private const int MinRsaBits = 2048;

    private readonly PgpPublicKey _primary;
    private readonly DateTime? _expires;
    private readonly string? _never;

    private SigningIdentity(PgpPublicKey key, PgpPublicKey primary, DateTime? expires, string? never) => (Key, _primary, _expires, _never) = (key, primary, expires, never);

    public PgpPublicKey Key { get; }

    public string Fingerprint => Convert.ToHexString(Key.GetFingerprint());

    /// <summary>A ring's primary key and its subkeys.</summary>
    public static IEnumerable<SigningIdentity> Of(PgpPublicKeyRing ring)
    {
        var primary = ring.GetPublicKey();
        var self = Newest(SelfSignatures(primary));
        var expires = Expiry(primary, self);
        var dead = IsRevoked(primary, primary) ? "is revoked" : self is null ? "is not signed by itself" : null;
        yield return new SigningIdentity(primary, primary, expires, dead ?? Weakness(primary) ?? (MaySign(self!) ? null : "may not sign"));

        foreach (var subkey in ring.GetPublicKeys().Where(k => !k.IsMasterKey))
        {
            var binding = Newest(subkey.GetSignaturesOfType(PgpSignature.SubkeyBinding).Where(s => s.KeyId == primary.KeyId && Holds(s, primary, () => s.VerifyCertification(primary, subkey))));
            // A key that only decrypts is none of ours.
            if (binding is not null && !MaySign(binding))
                continue;
            var never = dead is not null ? $"is a subkey of {Convert.ToHexString(primary.GetFingerprint())}, which {dead}"
                : binding is null ? "is not bound to its primary key"
                : IsRevoked(subkey, primary) ? "is revoked"
                : !IsBoundBack(binding, primary, subkey) ? "does not say itself that it is a subkey"
                : Weakness(subkey);
            yield return new SigningIdentity(subkey, primary, Earlier(expires, Expiry(subkey, binding)), never);
        }
    }

    /// <summary>Null: it may sign.</summary>
    public string? Problem(DateTimeOffset now) =>
        _never
        ?? (_expires <= now.UtcDateTime ? $"expired at {_expires:u}" : null)
        ?? (Key.CreationTime > now.UtcDateTime.AddDays(1) || _primary.CreationTime > now.UtcDateTime.AddDays(1) ? $"was made at {Key.CreationTime:u}, ahead of this clock" : null);

    private static string? Weakness(PgpPublicKey key) => key.Algorithm switch
    {
        PublicKeyAlgorithmTag.RsaGeneral or PublicKeyAlgorithmTag.RsaSign => key.BitStrength < MinRsaBits ? $"has {key.BitStrength} bits, less than {MinRsaBits}" : null,
        PublicKeyAlgorithmTag.EdDsa_Legacy or PublicKeyAlgorithmTag.Ed25519 or PublicKeyAlgorithmTag.Ed448 or PublicKeyAlgorithmTag.ECDsa => null,
        var other => $"is of a kind that is not accepted: {other}",
    };

    // Certifications by itself of each name that it has not taken back, and signatures on the key alone.
    private static IEnumerable<PgpSignature> SelfSignatures(PgpPublicKey primary)
    {
        foreach (var id in primary.GetUserIds())
        {
            var own = primary.GetSignaturesForId(id).Where(s => s.KeyId == primary.KeyId && Holds(s, primary, () => s.VerifyCertification(id, primary))).ToList();
            var revoked = own.Where(s => s.SignatureType == PgpSignature.CertificationRevocation).Select(s => s.CreationTime).DefaultIfEmpty(DateTime.MinValue).Max();
            foreach (var certification in own.Where(s => s.IsCertification() && s.CreationTime > revoked))
                yield return certification;
        }

        foreach (var direct in primary.GetSignaturesOfType(PgpSignature.DirectKey).Where(s => s.KeyId == primary.KeyId && Holds(s, primary, () => s.VerifyCertification(primary))))
            yield return direct;
    }

    private static bool IsRevoked(PgpPublicKey key, PgpPublicKey primary) => key.IsMasterKey
        ? key.GetSignaturesOfType(PgpSignature.KeyRevocation).Any(s => s.KeyId == primary.KeyId && Holds(s, primary, () => s.VerifyCertification(primary)))
        : key.GetSignaturesOfType(PgpSignature.SubkeyRevocation).Any(s => s.KeyId == primary.KeyId && Holds(s, primary, () => s.VerifyCertification(primary, key)));

    // Else somebody could claim another's key as a subkey of his own.
    private static bool IsBoundBack(PgpSignature binding, PgpPublicKey primary, PgpPublicKey subkey)
    {
        var lists = new[] { binding.GetHashedSubPackets(), binding.GetUnhashedSubPackets() }.Where(p => p is not null).Select(p => p.GetEmbeddedSignatures());
        foreach (var list in lists)
            for (var i = 0; i < list.Count; i++)
            {
                var back = list[i];
                back.InitVerify(subkey);
                if (back.SignatureType == PgpSignature.PrimaryKeyBinding && back.VerifyCertification(primary, subkey))
                    return true;
            }

        return false;
    }

    private static bool Holds(PgpSignature signature, PgpPublicKey by, Func<bool> verify)
    {
        try
        {
            signature.InitVerify(by);
            return verify();
        }
        catch (Exception wrong) when (wrong is PgpException or IOException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool MaySign(PgpSignature signature) =>
        signature.GetHashedSubPackets() is not { } packets || !packets.HasSubpacket(SignatureSubpacketTag.KeyFlags) || (packets.GetKeyFlags() & PgpKeyFlags.CanSign) != 0;

    private static DateTime? Expiry(PgpPublicKey key, PgpSignature? signature) =>
        signature?.GetHashedSubPackets() is { } packets && packets.HasKeyExpirationTime() && packets.GetKeyExpirationTime() is > 0 and var seconds ? key.CreationTime.AddSeconds(seconds) : null;

    private static DateTime? Earlier(DateTime? one, DateTime? other) => one is null ? other : other is null || one < other ? one : other;

    private static PgpSignature? Newest(IEnumerable<PgpSignature> signatures) => signatures.MaxBy(s => s.CreationTime);
}
