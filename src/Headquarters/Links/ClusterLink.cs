using System.Net;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Identity;
using Fleet.Messages.Transport;

namespace Fleet.Headquarters.Links;

/// <summary>The cluster system's transport: headquarters nodes alone, so no office node, agent or stranger can join.</summary>
public static class ClusterLink
{
    public static LinkTransportSetup Setup(IByteNetwork network, CertificateAuthority authority, ClusterOptions options)
    {
        var self = options.IsOneOfMany ? PeerIdentity.HeadquartersAt(options.Address) : PeerIdentity.Headquarters;
        return new(
            network,
            self.LogicalHost,
            () => authority.OwnAs(self),
            authority.Trust,
            (peer, _) => peer.ClusterAddress is not null ? null : "only headquarters nodes belong to the cluster",
            new IPEndPoint(options.Bind, options.Port),
            host => PeerIdentity.FromLogicalHost(host)?.ClusterAddress is { } address && host != self.LogicalHost ? [LinkWay.Direct(network, address)] : null);
    }
}
