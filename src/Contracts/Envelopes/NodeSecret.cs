using System.Security.Cryptography;
using System.Text;
using Fleet.Contracts.Identity;

namespace Fleet.Contracts.Envelopes;

/// <summary>
/// Text that only the holder of one P-256 key can read: headquarters seals passwords with a node's certified key, and with its own for its journal.
/// An ephemeral key agrees with the holder's (ECDH), HKDF-SHA256 makes an AES-256-GCM key from it, bound to both keys and to the purpose.
/// <code>ephemeral key, point as X and Y, 64 bytes | nonce, 12 | ciphertext | tag, 16</code>
/// Whoever has the public key can seal; who sealed is the connection's to prove.
/// </summary>
public static class NodeSecret
{
    private const int KeyLength = 64;
    private const int NonceLength = 12;
    private const int TagLength = 16;

    /// <param name="holder">The public key of who may read it, SubjectPublicKeyInfo DER.</param>
    /// <param name="purpose">What it is for; opens only under the same.</param>
    /// <exception cref="CryptographicException">The holder's key is no P-256 key.</exception>
    public static byte[] Seal(ReadOnlySpan<byte> holder, string purpose, ReadOnlySpan<byte> text)
    {
        using var other = KeyRequest.PublicAgreement(holder);
        using var key = other.PublicKey;
        using var ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var secret = new byte[KeyLength + NonceLength + text.Length + TagLength];
        PointOf(ephemeral).CopyTo(secret, 0);
        var nonce = secret.AsSpan(KeyLength, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(Agree(ephemeral, key, secret.AsSpan(0, KeyLength), PointOf(other), purpose), TagLength);
        cipher.Encrypt(nonce, text, secret.AsSpan(KeyLength + NonceLength, text.Length), secret.AsSpan(secret.Length - TagLength));
        return secret;
    }

    /// <param name="own">The holder's key.</param>
    /// <exception cref="EnvelopeException">Cut short, altered, of another purpose or for another key; the message is safe to log.</exception>
    public static byte[] Open(ECDiffieHellman own, string purpose, ReadOnlySpan<byte> secret)
    {
        if (secret.Length < KeyLength + NonceLength + TagLength)
            throw new EnvelopeException("the sealed text is cut short");
        var text = new byte[secret.Length - KeyLength - NonceLength - TagLength];
        try
        {
            using var ephemeral = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = secret[..(KeyLength / 2)].ToArray(), Y = secret[(KeyLength / 2)..KeyLength].ToArray() },
            });
            using var key = ephemeral.PublicKey;
            using var cipher = new AesGcm(Agree(own, key, secret[..KeyLength], PointOf(own), purpose), TagLength);
            cipher.Decrypt(secret.Slice(KeyLength, NonceLength), secret[(KeyLength + NonceLength)..^TagLength], secret[^TagLength..], text);
            return text;
        }
        catch (CryptographicException)
        {
            throw new EnvelopeException($"the sealed text can't be opened: it was altered, is no {purpose}, or is for another key");
        }
    }

    private static byte[] Agree(ECDiffieHellman own, ECDiffieHellmanPublicKey peer, ReadOnlySpan<byte> ephemeral, ReadOnlySpan<byte> holder, string purpose)
    {
        var secret = own.DeriveRawSecretAgreement(peer);
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, salt: Encoding.UTF8.GetBytes("fleet secret 1"),
            info: [.. Encoding.UTF8.GetBytes(purpose), 0, .. ephemeral, .. holder]);
        CryptographicOperations.ZeroMemory(secret);
        return key;
    }

    private static byte[] PointOf(ECDiffieHellman key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return [.. point.X!, .. point.Y!];
    }
}
