using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;

namespace Fleet.Updates.Apt;

/// <summary>A key of a ring, and what its owner says of it: until when it holds, whether it may sign, whether it is revoked. Only what the owner signed counts.</summary>
internal sealed class SigningIdentity
{
    private const int MinRsaBits = 2048;

    private readonly PgpPublicKey _primary;
    private readonly Lazy<Standing> _standing;

    // The library checks an RSA key anew for each signature, which takes its time: only what is asked for is looked into.
    private SigningIdentity(PgpPublicKey key, PgpPublicKey primary, Func<Standing> standing) =>
        (Key, _primary, _standing) = (key, primary, new Lazy<Standing>(() => Looked(standing)));

    public PgpPublicKey Key { get; }

    public string Fingerprint => Convert.ToHexString(Key.GetFingerprint());

    /// <summary>A ring's primary key and its subkeys.</summary>
    public static IEnumerable<SigningIdentity> Of(PgpPublicKeyRing ring)
    {
        var key = ring.GetPublicKey();
        var primary = new SigningIdentity(key, key, () => StandingOf(key));
        return ring.GetPublicKeys().Where(k => !k.IsMasterKey).Select(k => new SigningIdentity(k, key, () => StandingOf(k, primary))).Prepend(primary);
    }

    /// <summary>The ring without others' signatures, pictures and the subkeys that are not among the wanted.</summary>
    public static PgpPublicKeyRing Slimmed(PgpPublicKeyRing ring, IReadOnlySet<long> wanted)
    {
        var key = ring.GetPublicKey();
        foreach (var picture in key.GetUserAttributes().ToList())
            key = PgpPublicKey.RemoveCertification(key, picture) ?? key;
        foreach (var id in key.GetUserIds().ToList())
            foreach (var foreign in key.GetSignaturesForId(id).Where(s => s.KeyId != key.KeyId).ToList())
                key = PgpPublicKey.RemoveCertification(key, id, foreign) ?? key;
        ring = PgpPublicKeyRing.InsertPublicKey(ring, key);
        return ring.GetPublicKeys().Where(k => !k.IsMasterKey && !wanted.Contains(k.KeyId)).ToList().Aggregate(ring, PgpPublicKeyRing.RemovePublicKey);
    }

    /// <summary>Null: it may sign.</summary>
    public string? Problem(DateTimeOffset now)
    {
        if (Key.CreationTime > now.UtcDateTime.AddDays(1) || _primary.CreationTime > now.UtcDateTime.AddDays(1))
            return $"was made at {Key.CreationTime:u}, ahead of this clock";
        var standing = _standing.Value;
        return standing.Dead ?? standing.CannotSign ?? (standing.Expires <= now.UtcDateTime ? $"expired at {standing.Expires:u}" : null);
    }

    private static Standing Looked(Func<Standing> standing)
    {
        try
        {
            return standing();
        }
        catch (Exception wrong) when (Keyring.IsUnreadable(wrong))
        {
            return new Standing($"can't be read: {wrong.Message}", null, null);
        }
    }

    private static Standing StandingOf(PgpPublicKey primary)
    {
        var self = Newest(SelfSignatures(primary));
        var dead = IsRevoked(primary, primary) ? "is revoked" : self is null ? "is not signed by itself" : null;
        return new Standing(dead, dead is null && !MaySign(self!) ? "may not sign" : Weakness(primary), Expiry(primary, self));
    }

    private static Standing StandingOf(PgpPublicKey subkey, SigningIdentity primary)
    {
        var above = primary._standing.Value;
        var binding = Newest(subkey.GetSignaturesOfType(PgpSignature.SubkeyBinding).Where(s => s.KeyId == primary.Key.KeyId).Select(s => (s, Holds(s, primary.Key, () => s.VerifyCertification(primary.Key, subkey)))));
        var never = above.Dead is not null ? $"is a subkey of {primary.Fingerprint}, which {above.Dead}"
            : binding is null ? "is not bound to its primary key"
            : IsRevoked(subkey, primary.Key) ? "is revoked"
            : !MaySign(binding) ? "may not sign"
            : Weakness(subkey) ?? (IsBoundBack(binding, primary.Key, subkey) ? null : "does not say itself that it is a subkey");
        return new Standing(never, null, Earlier(above.Expires, Expiry(subkey, binding)));
    }

    private static string? Weakness(PgpPublicKey key) => key.Algorithm switch
    {
        PublicKeyAlgorithmTag.RsaGeneral or PublicKeyAlgorithmTag.RsaSign => key.BitStrength < MinRsaBits ? $"has {key.BitStrength} bits, less than {MinRsaBits}" : null,
        PublicKeyAlgorithmTag.EdDsa_Legacy or PublicKeyAlgorithmTag.Ed25519 or PublicKeyAlgorithmTag.Ed448 or PublicKeyAlgorithmTag.ECDsa => null,
        var other => $"is of a kind that is not accepted: {other}",
    };

    // Certifications by itself of each name that it has not taken back, and signatures on the key alone; each with a way to verify it.
    private static IEnumerable<(PgpSignature, Func<bool>)> SelfSignatures(PgpPublicKey primary)
    {
        foreach (var id in primary.GetUserIds())
        {
            var own = primary.GetSignaturesForId(id).Where(s => s.KeyId == primary.KeyId).ToList();
            var revoked = own.Where(s => s.SignatureType == PgpSignature.CertificationRevocation && Holds(s, primary, () => s.VerifyCertification(id, primary))())
                .Select(s => s.CreationTime).DefaultIfEmpty(DateTime.MinValue).Max();
            foreach (var certification in own.Where(s => s.IsCertification() && s.CreationTime > revoked))
                yield return (certification, Holds(certification, primary, () => certification.VerifyCertification(id, primary)));
        }

        foreach (var direct in primary.GetSignaturesOfType(PgpSignature.DirectKey).Where(s => s.KeyId == primary.KeyId))
            yield return (direct, Holds(direct, primary, () => direct.VerifyCertification(primary)));
    }

    private static bool IsRevoked(PgpPublicKey key, PgpPublicKey primary) => key.IsMasterKey
        ? key.GetSignaturesOfType(PgpSignature.KeyRevocation).Any(s => s.KeyId == primary.KeyId && Holds(s, primary, () => s.VerifyCertification(primary))())
        : key.GetSignaturesOfType(PgpSignature.SubkeyRevocation).Any(s => s.KeyId == primary.KeyId && Holds(s, primary, () => s.VerifyCertification(primary, key))());

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

    private static Func<bool> Holds(PgpSignature signature, PgpPublicKey by, Func<bool> verify) => () =>
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
    };

    private static bool MaySign(PgpSignature signature) =>
        signature.GetHashedSubPackets() is not { } packets || !packets.HasSubpacket(SignatureSubpacketTag.KeyFlags) || (packets.GetKeyFlags() & PgpKeyFlags.CanSign) != 0;

    private static DateTime? Expiry(PgpPublicKey key, PgpSignature? signature) =>
        signature?.GetHashedSubPackets() is { } packets && packets.HasKeyExpirationTime() && packets.GetKeyExpirationTime() is > 0 and var seconds ? key.CreationTime.AddSeconds(seconds) : null;

    private static DateTime? Earlier(DateTime? one, DateTime? other) => one is null ? other : other is null || one < other ? one : other;

    private static PgpSignature? Newest(IEnumerable<(PgpSignature Signature, Func<bool> Holds)> signatures) =>
        signatures.OrderByDescending(s => s.Signature.CreationTime).FirstOrDefault(s => s.Holds()).Signature;

    /// <param name="Dead">Why neither it nor its subkeys may sign.</param>
    /// <param name="CannotSign">Why it may not sign itself.</param>
    private sealed record Standing(string? Dead, string? CannotSign, DateTime? Expires);
}
