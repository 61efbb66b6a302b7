using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Identity;

/// <summary>Headquarters' own CA and envelope key. Thread-safe.</summary>
public sealed class CertificateAuthority : ICertificateIssuer
{
    /// <summary>How far certificates are backdated: peers' clocks are rarely more off.</summary>
    public static readonly TimeSpan Backdating = TimeSpan.FromMinutes(5);

    private const int MaximumRequestBytes = 8 * 1024;

    private readonly IdentityFiles _files;
    private readonly IdentityOptions _options;
    private readonly TimeProvider _clock;
    private readonly DerivedKeys _keys = new(DerivedKeys.Usual);
    private readonly ConcurrentBag<ECDiffieHellman> _agreements = [];
    private readonly Lock _gate = new();
    private readonly Dictionary<PeerIdentity, X509Certificate2> _own = [];

    private CertificateAuthority(IdentityFiles files, IdentityOptions options, TimeProvider clock)
    {
        (_files, _options, _clock) = (files, options, clock);
        EnvelopePublicKey = files.EnvelopeKey.ExportSubjectPublicKeyInfo();
        Trust = new PeerTrust(files.Authority, clock, ClockTolerance: TimeSpan.Zero);
    }

    public X509Certificate2 Authority => _files.Authority;

    /// <summary>What an administrator must know of the CA's end; null while that is more than a year away.</summary>
    public string? EndsSoon() => Authority.NotAfter.ToUniversalTime() is var end && end - _clock.GetUtcNow() <= TimeSpan.FromDays(365)
        ? $"the CA runs out at {end:u}, and no certificate outlives it: set up another headquarters and enrol every node and agent there before"
        : null;

    public byte[] EnvelopePublicKey { get; }

    /// <summary>Which certificates headquarters takes for genuine.</summary>
    public PeerTrust Trust { get; }

    /// <summary>Opens the identity in <c>DIR/identity/</c>, or makes it at the first start.</summary>
    /// <exception cref="IdentityException">The files are damaged, foreign or can't be used.</exception>
    public static CertificateAuthority OpenOrCreate(string dataDirectory, IdentityOptions options, TimeProvider clock) =>
        new(IdentityFiles.OpenOrCreate(dataDirectory, clock), options, clock);

    /// <summary>
    /// Headquarters' own certificate with its key, for every port it listens on. Its key lives in memory alone; past two thirds of its life the
    /// next caller gets a new one, so servers ask at each connection.
    /// </summary>
    public X509Certificate2 Own() => OwnAs(PeerIdentity.Headquarters);

    /// <summary>The same under the name by which the other headquarters nodes know this one.</summary>
    public X509Certificate2 OwnAs(PeerIdentity headquarters)
    {
        lock (_gate)
        {
            if (!_own.TryGetValue(headquarters, out var own) || _clock.GetUtcNow() >= own.NotBefore.ToUniversalTime() + (own.NotAfter - own.NotBefore) * (2.0 / 3))
                _own[headquarters] = own = IssueOwn(headquarters);
            return own;
        }
    }

    public IssuedCertificate Issue(PeerIdentity identity, ReadOnlyMemory<byte> certificateRequest, uint generation)
    {
        if (certificateRequest.Length > MaximumRequestBytes)
            throw new CryptographicException($"a certificate request of {certificateRequest.Length} bytes is over the limit of {MaximumRequestBytes}");
        // Loading checks the request's signature: who asks has the key.
        var request = CertificateRequest.LoadSigningRequest(certificateRequest.ToArray(), HashAlgorithmName.SHA256);
        using var key = request.PublicKey.GetECDsaPublicKey() ?? throw new CryptographicException("the request's key is no elliptic-curve key");
        if (key.ExportParameters(false).Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value)
            throw new CryptographicException("the request's key is not on P-256");
        using var certificate = Sign(identity, request.PublicKey);
        var record = new CertificateRecord(certificate.SerialNumber, request.PublicKey.ExportSubjectPublicKeyInfo(), generation, certificate.NotAfter.ToUniversalTime());
        return new IssuedCertificate(record, [certificate.RawData, Authority.RawData]);
    }

    public EnvelopeKeys KeysFor(DeviceId device, CertificateRecord certificate)
    {
        if (_keys.Find(device, certificate.Serial) is { } known)
            return known;
        // One native key is not for several threads at once: each takes one that is free.
        if (!_agreements.TryTake(out var own))
            own = CopyOfEnvelopeKey();
        try
        {
            var keys = EnvelopeKeys.Derive(own, certificate.PublicKey.Span, device, certificate.Generation);
            _keys.Keep(certificate.Serial, keys);
            return keys;
        }
        finally
        {
            _agreements.Add(own);
        }
    }

    public bool HasKeysFor(DeviceId device, CertificateRecord certificate) => _keys.Find(device, certificate.Serial) is not null;

    public byte[] OpenSecret(string purpose, ReadOnlySpan<byte> secret)
    {
        lock (_gate)
            return NodeSecret.Open(_files.EnvelopeKey, purpose, secret);
    }

    private ECDiffieHellman CopyOfEnvelopeKey()
    {
        lock (_gate)
            return ECDiffieHellman.Create(_files.EnvelopeKey.ExportParameters(includePrivateParameters: true));
    }

    private X509Certificate2 IssueOwn(PeerIdentity headquarters)
    {
        using var key = KeyRequest.NewKey();
        using var certificate = Sign(headquarters, new PublicKey(key));
        using var whole = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    private X509Certificate2 Sign(PeerIdentity identity, PublicKey key)
    {
        // The subject is for people; programs read the one alternative name.
        var request = new CertificateRequest(new X500DistinguishedName($"CN=fleet {identity.Kind.ToString().ToLowerInvariant()}"), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(identity.LogicalHost);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyAgreement, critical: true));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var uses = new OidCollection { new("1.3.6.1.5.5.7.3.2") };
        if (identity.Kind != PeerKind.Device)
        {
            uses.Add(new Oid("1.3.6.1.5.5.7.3.1"));
            request.CertificateExtensions.Add(AuthorityExtension.For(Authority));
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(uses, critical: false));

        var serial = RandomNumberGenerator.GetBytes(16);
        // Positive and of full length in DER (RFC 5280, 4.1.2.2).
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        var now = _clock.GetUtcNow();
        var notAfter = now + _options.CertificateLifetime;
        lock (_gate)
        {
            return request.Create(
                Authority.SubjectName, X509SignatureGenerator.CreateForECDsa(_files.AuthorityKey), now - Backdating,
                notAfter < Authority.NotAfter.ToUniversalTime() ? notAfter : Authority.NotAfter.ToUniversalTime(), serial);
        }
    }
}
