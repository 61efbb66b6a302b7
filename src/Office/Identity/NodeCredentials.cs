using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Envelopes;
using Fleet.Contracts.Identity;
using Fleet.Contracts.Storage;
using Fleet.Device.Identity;

namespace Fleet.Office.Identity;

/// <summary>
/// The node's certificate as its connections show it, and its renewal: a fresh key is certified over the link and shown from the next connection on,
/// while those that are open stay open. Read from any thread; renewed by the OfficeActor alone.
/// </summary>
public sealed class NodeCredentials
{
    private readonly DataDirectory _data;
    private readonly TimeProvider _clock;
    private NodeIdentity _identity;
    private X509Certificate2 _certificate;

    public NodeCredentials(DataDirectory data, NodeIdentity identity, TimeProvider clock)
    {
        (_data, _identity, _clock) = (data, identity, clock);
        _certificate = identity.Current.ForTls();
        Trust = new PeerTrust(X509CertificateLoader.LoadCertificate(identity.Authority), clock, PeerTrust.FieldTolerance);
    }

    public PeerTrust Trust { get; }

    /// <summary>The certificate (with key) for the next connection.</summary>
    public X509Certificate2 Certificate => Volatile.Read(ref _certificate);

    /// <summary>Reads what headquarters sealed for this node.</summary>
    /// <exception cref="EnvelopeException">Altered, of another purpose, or sealed for a key that the node no longer has.</exception>
    public byte[] OpenSecret(string purpose, ReadOnlySpan<byte> secret)
    {
        using var key = Volatile.Read(ref _identity).Current.Open();
        using var agreement = KeyRequest.Agreement(key);
        return NodeSecret.Open(agreement, purpose, secret);
    }

    /// <summary>The request to send up when a renewal is due, the same until it is answered; else null.</summary>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public byte[]? RequestWhenDue()
    {
        if (!_identity.RenewalDue(_clock.GetUtcNow()))
            return null;
        if (_identity.Next is null)
            Keep(_identity with { Next = DeviceKey.Fresh(_identity.Current.Generation + 1) });
        return _identity.Next!.CertificateRequest;
    }

    /// <summary>Takes the certificate that headquarters issued; returns why it can't be taken, or null when it is in use.</summary>
    /// <param name="chain">DER, leaf first.</param>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public string? Renew(IReadOnlyList<ReadOnlyMemory<byte>> chain)
    {
        if (_identity.Next is not { } next)
            return null;
        if (chain.Count == 0)
            return "headquarters sent no certificate";
        X509Certificate2 leaf;
        try
        {
            leaf = X509CertificateLoader.LoadCertificate(chain[0].Span);
        }
        catch (System.Security.Cryptography.CryptographicException fault)
        {
            return $"headquarters sent a malformed certificate: {fault.Message}";
        }

        if (!next.Fits(leaf))
            return "headquarters sent a certificate for another key than the one asked for";
        if (Trust.Check(leaf, out var problem) != PeerIdentity.Of(_identity.NodeId))
            return problem.Length > 0 ? problem : $"headquarters sent a certificate that does not name {_identity.NodeId}";
        var renewed = next with { Certificate = leaf.RawData, CertificateRequest = null };
        Keep(_identity with { Current = renewed, Next = null });
        // The old one is not disposed: a handshake may be using it.
        Volatile.Write(ref _certificate, renewed.ForTls());
        return null;
    }

    private void Keep(NodeIdentity identity)
    {
        identity.Save(_data);
        Volatile.Write(ref _identity, identity);
    }
}
