using System.Text;
using Org.BouncyCastle.Bcpg;
using Org.BouncyCastle.Bcpg.OpenPgp;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;

namespace Fleet.TestSupport.Apt;

/// <summary>A maker's OpenPGP key, which signs as gpg does.</summary>
public sealed class TestKey
{
    private readonly PgpSecretKeyRing _ring;
    private readonly PgpSecretKey _signing;
    private readonly PgpPublicKeyRing _public;
    private readonly bool _revoked;

    private TestKey(PgpKeyRingGenerator rings, long? subkey = null, bool revoked = false)
    {
        (_ring, _public, _revoked) = (rings.GenerateSecretKeyRing(), rings.GeneratePublicKeyRing(), revoked);
        _signing = subkey is { } id ? _ring.GetSecretKey(id) : _ring.GetSecretKey();
    }

    public static TestKey EdDsa(DateTimeOffset made, TimeSpan? validFor = null, bool revoked = false) => new(Rings(Ed25519(made), validFor), revoked: revoked);

    public static TestKey Rsa(DateTimeOffset made, int bits = 2048)
    {
        var maker = new RsaKeyPairGenerator();
        maker.Init(new RsaKeyGenerationParameters(BigInteger.ValueOf(65537), new SecureRandom(), bits, 12));
        return new TestKey(Rings(new PgpKeyPair(PublicKeyAlgorithmTag.RsaGeneral, maker.GenerateKeyPair(), made.UtcDateTime), null));
    }

    /// <summary>Signs with a subkey, as archives do.</summary>
    public static TestKey WithSubkey(DateTimeOffset made)
    {
        var (rings, subkey) = (Rings(Ed25519(made), null), Ed25519(made));
        var flags = new PgpSignatureSubpacketGenerator();
        flags.SetKeyFlags(true, PgpKeyFlags.CanSign);
        rings.AddSubKey(subkey, flags.Generate(), null, HashAlgorithmTag.Sha256, HashAlgorithmTag.Sha256);
        return new TestKey(rings, subkey.KeyId);
    }

    public byte[] Public
    {
        get
        {
            if (!_revoked)
                return _public.GetEncoded();
            var key = _public.GetPublicKey();
            var signer = new PgpSignatureGenerator(key.Algorithm, HashAlgorithmTag.Sha256);
            signer.InitSign(PgpSignature.KeyRevocation, Private(_ring.GetSecretKey()));
            return PgpPublicKeyRing.InsertPublicKey(_public, PgpPublicKey.AddCertification(key, signer.GenerateCertification(key))).GetEncoded();
        }
    }

    public byte[] ArmoredPublic => Armored(Public);

    /// <summary>A file like <c>gpg --clearsign</c> makes it.</summary>
    public byte[] ClearSign(string text, DateTimeOffset at, HashAlgorithmTag hash = HashAlgorithmTag.Sha512)
    {
        var lines = text.TrimEnd('\n').Split('\n');
        var canonical = string.Join("\r\n", lines.Select(l => l.TrimEnd(' ', '\t', '\r')));
        var signature = Encoding.ASCII.GetString(Armored(Sign(Encoding.UTF8.GetBytes(canonical), PgpSignature.CanonicalTextDocument, at, hash)));
        return Encoding.UTF8.GetBytes($"-----BEGIN PGP SIGNED MESSAGE-----\nHash: {hash.ToString().ToUpperInvariant()}\n\n{string.Join('\n', lines.Select(l => l.StartsWith('-') ? "- " + l : l))}\n{signature}");
    }

    /// <summary>A file like <c>gpg --armor --detach-sign</c> makes it.</summary>
    public byte[] Detached(byte[] content, DateTimeOffset at) => Armored(Sign(content, PgpSignature.BinaryDocument, at, HashAlgorithmTag.Sha512));

    private byte[] Sign(byte[] content, int kind, DateTimeOffset at, HashAlgorithmTag hash)
    {
        var signer = new PgpSignatureGenerator(_signing.PublicKey.Algorithm, hash);
        signer.InitSign(kind, Private(_signing));
        var packets = new PgpSignatureSubpacketGenerator();
        packets.SetSignatureCreationTime(true, at.UtcDateTime);
        packets.SetIssuerKeyID(false, _signing.KeyId);
        signer.SetHashedSubpackets(packets.Generate());
        signer.Update(content);
        return signer.Generate().GetEncoded();
    }

    private static PgpPrivateKey Private(PgpSecretKey key) => key.ExtractPrivateKey([]);

    private static PgpKeyRingGenerator Rings(PgpKeyPair primary, TimeSpan? validFor)
    {
        var packets = new PgpSignatureSubpacketGenerator();
        packets.SetKeyFlags(true, PgpKeyFlags.CanSign | PgpKeyFlags.CanCertify);
        if (validFor is { } valid)
            packets.SetKeyExpirationTime(true, (long)valid.TotalSeconds);
        return new PgpKeyRingGenerator(PgpSignature.PositiveCertification, primary, "Vendor <vendor@example.org>", SymmetricKeyAlgorithmTag.Null, HashAlgorithmTag.Sha256, (char[])[], true, packets.Generate(), null, new SecureRandom());
    }

    private static PgpKeyPair Ed25519(DateTimeOffset made)
    {
        var maker = new Ed25519KeyPairGenerator();
        maker.Init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        return new PgpKeyPair(PublicKeyAlgorithmTag.EdDsa_Legacy, maker.GenerateKeyPair(), made.UtcDateTime);
    }

    private static byte[] Armored(byte[] packets)
    {
        using var text = new MemoryStream();
        using (var armor = new ArmoredOutputStream(text))
            armor.Write(packets);
        return text.ToArray();
    }
}
