using Fleet.Contracts;
using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Policies;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Headquarters.Installs;

/// <summary>Makes what goes down to the node: the operator's credentials and the token, sealed for its key alone.</summary>
internal static class InstallOrders
{
    /// <param name="kept">The credentials as the request sealed them for headquarters itself.</param>
    /// <exception cref="EnvelopeException">They were not sealed for this headquarters.</exception>
    public static InstallAgent Of(Office office, AgentInstallBegun begun, ReadOnlyMemory<byte> kept, JoinToken token, OfficeOptions options, ICertificateIssuer issuer)
    {
        var open = MessagePackSerializer.Deserialize<InstallSecret>(issuer.OpenSecret(InstallRules.KeptSecret, kept.Span), Codec.Options);
        var secret = MessagePackSerializer.Serialize(open with { JoinToken = token.ToText() }, Codec.Options);
        return new InstallAgent(begun.InstallId, begun.Address, begun.Port, begun.HostKey,
            NodeSecret.Seal(office.Nodes[begun.NodeId].Certificates[^1].PublicKey.Span, Messages.Link.Installs.Secret, secret),
            [.. office.Gateways.SelectMany(g => DesiredState.AddressOf(g).Addresses)], options.HeadquartersAddresses);
    }
}
