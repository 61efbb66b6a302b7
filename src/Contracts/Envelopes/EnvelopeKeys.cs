using System.Security.Cryptography;
using System.Text;
using Fleet.Contracts.Identity;

namespace Fleet.Contracts.Envelopes;

/// <summary>
/// The keys that one device and headquarters share for one key generation: HKDF-SHA256 (RFC 5869) over the ECDH P-256 secret of both,
/// one AES-256 key a direction, one MAC key for content hashes and one for wake signals. Carriers have none of them.
/// </summary>
public sealed class EnvelopeKeys
{
    private EnvelopeKeys(DeviceId device, uint generation, byte[] up, byte[] down, byte[] mac, byte[] wake) =>
        (Device, Generation, Up, Down, Mac, Wake) = (device, generation, up, down, mac, wake);

    public DeviceId Device { get; }

    public uint Generation { get; }

    internal byte[] Up { get; }

    internal byte[] Down { get; }

    internal byte[] Mac { get; }

    internal byte[] Wake { get; }

    /// <summary>Derives the keys from one side's private and the other side's public key.</summary>
    /// <param name="own">This side's P-256 key.</param>
    /// <param name="peer">The other side's public key, SubjectPublicKeyInfo DER.</param>
    /// <param name="device">Whose envelopes these are.</param>
    /// <param name="generation">Which of the device's keys: 1 at enrolment, one more at each renewal.</param>
    /// <exception cref="CryptographicException">The peer's key is no P-256 key.</exception>
    public static EnvelopeKeys Derive(ECDiffieHellman own, ReadOnlySpan<byte> peer, DeviceId device, uint generation)
    {
        using var other = KeyRequest.PublicAgreement(peer);
        using var key = other.PublicKey;
        var secret = own.DeriveRawSecretAgreement(key);
        byte[] Key(string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32,
            salt: Encoding.UTF8.GetBytes("fleet envelopes 1"), info: Encoding.UTF8.GetBytes($"{purpose} {device} {generation}"));
        var keys = new EnvelopeKeys(device, generation, Key("up"), Key("down"), Key("mac"), Key("wake"));
        CryptographicOperations.ZeroMemory(secret);
        return keys;
    }
}
