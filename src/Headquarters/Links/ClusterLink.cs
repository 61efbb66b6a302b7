using System.Net;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Fleet.Messages.Transport;

namespace Fleet.Headquarters.Links;

/// <summary>The cluster system's transport: headquarters nodes alone, so no office node, agent or stranger can join.</summary>
public static class ClusterLink
{
    public static LinkTransportSetup Setup(IByteNetwork network, CertificateAuthority authority, IPEndPoint listenAt) => new(
        network,
        PeerIdentity.HeadquartersHost,
        authority.Own,
        authority.Trust,
        (peer, _) => peer.Kind == PeerKind.Headquarters ? null : "only headquarters nodes belong to the cluster",
        listenAt,
        // A cluster of one: every address of headquarters is this node's own.
        _ => null);
}
