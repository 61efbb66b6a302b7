using System.Security.Cryptography;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Updates.Tests.Tuf;

public sealed class TufKeyTests
{
    private static readonly byte[] Message = [.. "what is signed"u8];

    // RFC 8032, 7.1: tests 1, 2, 3 and SHA(abc).
    [Theory]
    [InlineData("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    [InlineData("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    [InlineData("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704")]
    public void Ed25519_gives_the_known_answers_of_RFC_8032(string publicKey, string message, string signature)
    {
        var key = new TufKey("ed25519", "ed25519", publicKey);
        var (text, good) = (Convert.FromHexString(message), Convert.FromHexString(signature));
        byte[] bad = [.. good];
        bad[40] ^= 1;

        Assert.True(key.Verifies(text, good));
        Assert.False(key.Verifies(text, bad));
        Assert.False(key.Verifies([.. text, 0], good));
        Assert.False(key.Verifies(text, good[..63]));
    }

    public static TheoryData<string> Kinds => ["ed25519", "ecdsa"];

    [Theory, MemberData(nameof(Kinds))]
    public void What_a_key_signs_it_verifies_and_no_other_does(string kind)
    {
        var (mine, other) = (New(kind), New(kind));

        var signature = mine.Sign(Message);

        Assert.True(mine.Public.Verifies(Message, signature));
        Assert.False(other.Public.Verifies(Message, signature));
        Assert.False(mine.Public.Verifies("what is not"u8, signature));
        Assert.False(mine.Public.Verifies(Message, []));
        Assert.NotEqual(mine.Id, other.Id);
    }

    [Fact]
    public void An_ECDSA_signature_in_the_fixed_form_is_none()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var listed = new TufKey("ecdsa", TufKey.EcdsaScheme, key.ExportSubjectPublicKeyInfoPem());

        Assert.True(listed.Verifies(Message, key.SignData(Message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
        Assert.False(listed.Verifies(Message, key.SignData(Message, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)));
    }

    [Fact]
    public void RSA_PSS_is_verified_and_PKCS_1_is_not()
    {
        using var key = RSA.Create(2048);
        var listed = new TufKey("rsa", TufKey.RsaScheme, key.ExportSubjectPublicKeyInfoPem());

        Assert.True(listed.Verifies(Message, key.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)));
        Assert.False(listed.Verifies(Message, key.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
    }

    [Fact]
    public void A_key_that_can_not_be_used_has_no_identity_and_verifies_nothing()
    {
        using var short1024 = RSA.Create(1024);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        TufKey[] unusable =
        [
            new("ed25519", "ed448", new string('a', 64)),
            new("ed25519", "ed25519", "not hexadecimal"),
            new("ed25519", "ed25519", "aa"),
            // The neutral point and one of order 8: anyone can sign for them.
            new("ed25519", "ed25519", "01" + new string('0', 62)),
            new("ed25519", "ed25519", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
            new("rsa", TufKey.RsaScheme, short1024.ExportSubjectPublicKeyInfoPem()),
            new("rsa", TufKey.RsaScheme, p384.ExportSubjectPublicKeyInfoPem()),
            new("ecdsa", TufKey.EcdsaScheme, p384.ExportSubjectPublicKeyInfoPem()),
            new("ecdsa", TufKey.EcdsaScheme, p384.ExportPkcs8PrivateKeyPem()),
            new("ecdsa", TufKey.EcdsaScheme, "no PEM"),
        ];

        Assert.All(unusable, key => Assert.Null(key.Identity));
        Assert.All(unusable, key => Assert.False(key.Verifies(Message, new byte[64])));
    }

    [Fact]
    public void One_key_written_in_two_ways_has_one_identity()
    {
        var hex = SigningKey.NewEd25519().Public.Public;
        var pem = SigningKey.NewEcdsa().Public.Public;

        Assert.Equal(new TufKey("ed25519", "ed25519", hex).Identity, new TufKey("ed25519", "ed25519", hex.ToUpperInvariant()).Identity);
        Assert.Equal(new TufKey("ecdsa", TufKey.EcdsaScheme, pem).Identity, new TufKey(TufKey.EcdsaScheme, TufKey.EcdsaScheme, $"a remark\n{pem}\n").Identity);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_private_key_survives_its_encrypted_file_and_only_with_its_password(string kind)
    {
        var key = New(kind);

        var pem = key.ToPem("a good password");

        Assert.StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----", pem, StringComparison.Ordinal);
        var opened = SigningKey.FromPem(pem, "a good password");
        Assert.Equal(key.Public, opened.Public);
        Assert.True(key.Public.Verifies(Message, opened.Sign(Message)));
        Assert.Throws<CryptographicException>(() => SigningKey.FromPem(pem, "another"));
        Assert.Throws<CryptographicException>(() => SigningKey.FromPem(key.Public.Public, "a good password"));
    }

    private static SigningKey New(string kind) => kind == "ecdsa" ? SigningKey.NewEcdsa() : SigningKey.NewEd25519();
}
