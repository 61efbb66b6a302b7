using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Storage;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Messages.Transport;

namespace Fleet.Office.Identity;

/// <summary>Joins a machine as an office node, and with the same key as the device that it is too.</summary>
/// <param name="machine">The machine's fingerprint.</param>
public sealed class NodeEnrolment(EnrolmentClient client, byte[] machine)
{
    /// <summary>The host name as a node's name: what is not allowed in one is left out.</summary>
    public static string DefaultName()
    {
        var name = new string([.. Environment.MachineName.ToLowerInvariant().Split('.')[0].Where(c => char.IsAsciiLetterOrDigit(c) || c == '-')]).Trim('-');
        return IdText.Problem(name) is null ? name : "node";
    }

    /// <summary>The node whose enrolment is complete in this directory, or null.</summary>
    public static NodeIdentity? Completed(DataDirectory data)
    {
        using var device = OfficeNode.OpenDevice(data);
        return IdentityFiles.Load(device) is null ? null : NodeIdentity.Load(data);
    }

    /// <summary>Asks each server once. A repeat with the same token and name is the same enrolment, so a lost reply spends the token once.</summary>
    /// <param name="reach">Where to enrol, and how the link goes afterwards.</param>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public async Task<EnrolmentOutcome> Enrol(
        DataDirectory data, JoinToken token, string name, NodeReach reach, CancellationToken cancellation)
    {
        using var device = OfficeNode.OpenDevice(data);
        var servers = new Reach([], reach.Servers, GatewayOnly: false);
        var pending = PendingEnrolment.Load(device) is { } begun && begun.Token.Id == token.Id && begun.Name == name
            ? begun with { Reach = servers }
            : PendingEnrolment.Begin(token, JoinKind.Node, name, machine, servers);
        pending.Save(device);
        var outcome = await client.Enrol(pending, cancellation);
        switch (outcome)
        {
            case EnrolmentOutcome.Accepted { Reply: var reply } accepted:
                // The device last, because that forgets the enrolment: killed before, the node enrols again with the same key.
                var key = pending.Key with { Certificate = reply.CertificateChain[0].ToByteArray(), CertificateRequest = null };
                new NodeIdentity(reply.Id, reply.CertificateChain[^1].ToByteArray(), key, Next: null, reach.LinkAddresses, reach.Through).Save(data);
                DeviceEnrolment.Complete(device, pending, accepted);
                break;
            case EnrolmentOutcome.Refused:
                PendingEnrolment.Forget(device);
                break;
        }

        return outcome;
    }
}

/// <summary>Where a node enrols, and how its link goes afterwards; all <c>host:port</c>, in order.</summary>
/// <param name="Servers">Headquarters' port for agents, or that of a gateway of the node's office.</param>
/// <param name="Links">Headquarters' port for links; empty: the servers' hosts with the usual port, unless the link goes another way.</param>
/// <param name="Through">Link ports of the office's other nodes.</param>
/// <param name="Dmz">Headquarters dials the node.</param>
public sealed record NodeReach(IReadOnlyList<string> Servers, IReadOnlyList<string> Links, IReadOnlyList<string> Through, bool Dmz = false)
{
    public IReadOnlyList<string> LinkAddresses =>
        Links.Count > 0 || Through.Count > 0 || Dmz ? Links : [.. Servers.Select(s => $"{s[..s.LastIndexOf(':')]}:{LinkHocon.EdgePort}").Distinct()];
}
