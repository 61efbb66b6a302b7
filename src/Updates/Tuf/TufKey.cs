using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Fleet.Updates.Tuf;

/// <summary>A public key as metadata lists it. One that can't be used (unknown scheme, damaged, weak) is kept and verifies nothing.</summary>
/// <param name="Type">The <c>keytype</c>: <c>ed25519</c>, <c>ecdsa</c> or <c>rsa</c>.</param>
/// <param name="Scheme">The signature scheme; a key signs by this one alone.</param>
/// <param name="Public">Hexadecimal for ed25519, else PEM (SubjectPublicKeyInfo).</param>
public sealed record TufKey(string Type, string Scheme, string Public)
{
    public const string Ed25519Scheme = "ed25519";
    public const string EcdsaScheme = "ecdsa-sha2-nistp256";
    public const string RsaScheme = "rsassa-pss-sha256";

    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;

    private readonly byte[]? _key = Usable(Type, Scheme, Public);

    /// <summary>
    /// The same for every way to write the same key, or null where it can't be used. Thresholds count these, never key ids: metadata may list one
    /// key under many ids (GHSA-3633-5h82-39pq).
    /// </summary>
    public string? Identity => _key is null ? null : Convert.ToHexString(_key);

    public bool Verifies(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (_key is null)
            return false;
        try
        {
            return Scheme switch
            {
                Ed25519Scheme => VerifiesEd25519(message, signature),
                EcdsaScheme => VerifiesEcdsa(message, signature),
                _ => VerifiesRsa(message, signature),
            };
        }
        catch (CryptographicException)
        {
            // A signature that is not even of the scheme's form.
            return false;
        }
    }

    private bool VerifiesEd25519(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        signature.Length == Ed25519.SignatureSize && Ed25519.Verify(signature.ToArray(), 0, _key!, 0, message.ToArray(), 0, message.Length);

    private bool VerifiesEcdsa(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(_key, out _);
        // TUF's signatures are DER; the default of .NET is not, and would just say no.
        return key.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private bool VerifiesRsa(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        using var key = RSA.Create();
        key.ImportSubjectPublicKeyInfo(_key, out _);
        return key.VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
    }

    private static byte[]? Usable(string type, string scheme, string text)
    {
        try
        {
            return (type, scheme) switch
            {
                ("ed25519", Ed25519Scheme) => UsableEd25519(text),
                // The second type is what older tools write.
                ("ecdsa" or EcdsaScheme, EcdsaScheme) => UsableEcdsa(text),
                ("rsa", RsaScheme) => UsableRsa(text),
                _ => null,
            };
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException or FormatException)
        {
            return null;
        }
    }

    // The full check refuses points of small order and second encodings, so that no key has two identities.
    private static byte[]? UsableEd25519(string text)
    {
        var key = Convert.FromHexString(text);
        return key.Length == Ed25519.PublicKeySize && Ed25519.ValidatePublicKeyFull(key, 0) ? key : null;
    }

    private static byte[]? UsableEcdsa(string text)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(FromPem(text), out _);
        var curve = key.ExportParameters(includePrivateParameters: false).Curve;
        return curve.IsNamed && curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value ? key.ExportSubjectPublicKeyInfo() : null;
    }

    private static byte[]? UsableRsa(string text)
    {
        using var key = RSA.Create();
        key.ImportSubjectPublicKeyInfo(FromPem(text), out _);
        return key.KeySize is >= MinRsaBits and <= MaxRsaBits ? key.ExportSubjectPublicKeyInfo() : null;
    }

    private static byte[] FromPem(string text)
    {
        var fields = PemEncoding.Find(text);
        return text[fields.Label] == "PUBLIC KEY" ? Convert.FromBase64String(text[fields.Base64Data]) : throw new FormatException("not a public key");
    }

    public bool Equals(TufKey? other) => other is not null && (Type, Scheme, Public) == (other.Type, other.Scheme, other.Public);

    public override int GetHashCode() => HashCode.Combine(Type, Scheme, Public);
}
