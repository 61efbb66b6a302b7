using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Fleet.Gateway.Service;

/// <summary>Who is at the other end of a connection; judged once, in its TLS handshake.</summary>
/// <param name="Identity">A device of Fleet's CA, or null: a newcomer with a self-signed certificate.</param>
/// <param name="ValidUntil">A connection may outlive its certificate; its calls may not.</param>
public sealed record ConnectedPeer(PeerIdentity? Identity, DateTimeOffset ValidUntil)
{
    private static readonly object Key = new();

    public void AttachTo(BaseConnectionContext connection) => ((ConnectionContext)connection).Items[Key] = this;

    /// <summary>The peer of a call's connection, or null where its handshake admitted nobody.</summary>
    public static ConnectedPeer? Of(HttpContext call) =>
        call.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Key, out var peer) == true ? (ConnectedPeer?)peer : null;

    /// <summary>Whether a certificate is signed by its own key, as that of a newcomer is.</summary>
    public static bool IsSelfSigned(X509Certificate2 certificate)
    {
        if (!certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData))
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        // The newcomer's clock may be wrong, and nothing rests on this certificate but the connection itself.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(certificate);
    }
}
