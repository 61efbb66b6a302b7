using System.Security.Cryptography;
using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math.EC.Rfc8032;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;

namespace Fleet.Updates.Tuf.Repository;

/// <summary>The private half of a role's key: ed25519 by default, P-256 where hardware or rules want it. At rest it is an encrypted PEM file, or sealed by its keeper.</summary>
public sealed class SigningKey
{
    /// <summary>PBKDF2-HMAC-SHA256 rounds (OWASP's number of 2023); about half a second.</summary>
    private const int Rounds = 600_000;

    private const string PemLabel = "ENCRYPTED PRIVATE KEY";

    private readonly AsymmetricKeyParameter _key;

    private SigningKey(AsymmetricKeyParameter key) => (_key, Public) = (key, PublicOf(key));

    public TufKey Public { get; }

    /// <summary>The id under which metadata lists it.</summary>
    public string Id => MetadataWriter.IdOf(Public);

    public static SigningKey NewEd25519() => new(new Ed25519PrivateKeyParameters(RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize)));

    public static SigningKey NewEcdsa()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new SigningKey(PrivateKeyFactory.CreateKey(key.ExportPkcs8PrivateKey()));
    }

    /// <exception cref="CryptographicException">The password is wrong, or this is no such key.</exception>
    public static SigningKey FromPem(string pem, string password)
    {
        try
        {
            var fields = PemEncoding.Find(pem);
            if (pem[fields.Label] != PemLabel)
                throw new CryptographicException($"a PEM file of '{pem[fields.Label]}' where '{PemLabel}' belongs");
            return new SigningKey(PrivateKeyFactory.DecryptKey(password.ToCharArray(), Convert.FromBase64String(pem[fields.Base64Data])));
        }
        catch (Exception fault) when (fault is InvalidCipherTextException or ArgumentException or IOException or InvalidCastException)
        {
            throw new CryptographicException("the password is wrong, or the key is damaged", fault);
        }
    }

    /// <summary>What <see cref="ToPkcs8"/> gave.</summary>
    /// <exception cref="CryptographicException">This is no such key.</exception>
    public static SigningKey FromPkcs8(byte[] key)
    {
        try
        {
            return new SigningKey(PrivateKeyFactory.CreateKey(key));
        }
        catch (Exception fault) when (fault is ArgumentException or IOException or InvalidCastException or SecurityUtilityException)
        {
            throw new CryptographicException("the key is damaged", fault);
        }
    }

    /// <summary>PKCS#8 (RFC 5958) in the clear, for whoever seals it by means of his own.</summary>
    public byte[] ToPkcs8() => PrivateKeyInfoFactory.CreatePrivateKeyInfo(_key).GetEncoded();

    /// <summary>PKCS#8 (RFC 5958) under PBES2 with AES-256-CBC, as <c>openssl pkcs8</c> reads it.</summary>
    public string ToPem(string password)
    {
        var sealedKey = EncryptedPrivateKeyInfoFactory.CreateEncryptedPrivateKeyInfo(NistObjectIdentifiers.IdAes256Cbc,
            PkcsObjectIdentifiers.IdHmacWithSha256, password.ToCharArray(), RandomNumberGenerator.GetBytes(16), Rounds, new SecureRandom(), _key);
        return PemEncoding.WriteString(PemLabel, sealedKey.GetEncoded()) + "\n";
    }

    public byte[] Sign(byte[] message)
    {
        if (_key is Ed25519PrivateKeyParameters ed25519)
        {
            var signature = new byte[Ed25519.SignatureSize];
            Ed25519.Sign(ed25519.GetEncoded(), 0, message, 0, message.Length, signature, 0);
            return signature;
        }

        using var ecdsa = Ecdsa(_key);
        return ecdsa.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private static TufKey PublicOf(AsymmetricKeyParameter key)
    {
        if (key is Ed25519PrivateKeyParameters ed25519)
            return new TufKey("ed25519", TufKey.Ed25519Scheme, Convert.ToHexStringLower(ed25519.GeneratePublicKey().GetEncoded()));
        using var ecdsa = Ecdsa(key);
        return new TufKey("ecdsa", TufKey.EcdsaScheme, ecdsa.ExportSubjectPublicKeyInfoPem() + "\n");
    }

    private static ECDsa Ecdsa(AsymmetricKeyParameter key)
    {
        var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(PrivateKeyInfoFactory.CreatePrivateKeyInfo(key).GetEncoded(), out _);
        return ecdsa;
    }
}
