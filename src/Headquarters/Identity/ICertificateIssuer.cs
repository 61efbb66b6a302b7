using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Identity;

/// <summary>What the office twins need of headquarters' CA and envelope key.</summary>
public interface ICertificateIssuer
{
    /// <summary>The CA's certificate.</summary>
    X509Certificate2 Authority { get; }

    /// <summary>Headquarters' ECDH public key for envelopes, SubjectPublicKeyInfo DER.</summary>
    byte[] EnvelopePublicKey { get; }

    /// <summary>Issues a certificate for the key of a PKCS#10 request; the request's own names are ignored. Valid 30 days, backdated by 5 minutes.</summary>
    /// <param name="generation">The key generation to note in the record.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The request is malformed, its signature is wrong, or its key is no P-256 key.</exception>
    IssuedCertificate Issue(PeerIdentity identity, ReadOnlyMemory<byte> certificateRequest, uint generation);

    /// <summary>Reads what was sealed with <see cref="EnvelopePublicKey"/> for headquarters itself.</summary>
    /// <exception cref="EnvelopeException">Altered, of another purpose, or sealed for another headquarters.</exception>
    byte[] OpenSecret(string purpose, ReadOnlySpan<byte> secret);

    /// <summary>The envelope keys shared with a device for one of its certificates. Cached; cheap to ask again.</summary>
    EnvelopeKeys KeysFor(DeviceId device, CertificateRecord certificate);

    /// <summary>Whether those keys are there already.</summary>
    bool HasKeysFor(DeviceId device, CertificateRecord certificate);
}

/// <param name="Chain">DER, leaf first, CA last.</param>
public sealed record IssuedCertificate(CertificateRecord Record, IReadOnlyList<ReadOnlyMemory<byte>> Chain);
