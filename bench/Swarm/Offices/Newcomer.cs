using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.NatLab.Fleets;
using Fleet.Swarm.Identities;

namespace Fleet.Swarm.Offices;

/// <summary>A device on its way into the fleet: a real enrolment, which the office's gateway carries.</summary>
internal sealed class Newcomer(string name, JoinToken token)
{
    private static readonly Reach Nowhere = new([], [], GatewayOnly: false);

    private PendingEnrolment? _pending;
    private EnrolRequest? _request;

    /// <summary>Names the request on the link.</summary>
    public string Name => name;

    /// <summary>The same at each call, so that a repeat spends the token once.</summary>
    public EnrolRequest Request()
    {
        _pending ??= PendingEnrolment.Begin(token, JoinKind.Agent, name, new MadeUpMachine(name).Fingerprint, Nowhere);
        return _request ??= _pending.ToRequest();
    }

    /// <summary>Takes headquarters' answer; null where it was altered on its way.</summary>
    public SavedDevice? Joined(Enrolled reply)
    {
        if (!EnrolmentProof.Matches(EnrolmentProof.ForReply(token.Secret, Request(), reply), reply.Proof.Span))
            return null;
        return Fresh(reply.Id, name, _pending!.Key.PrivateKey);
    }

    /// <summary>A device that has heard nothing yet.</summary>
    public static SavedDevice Fresh(string id, string name, byte[] key) =>
        new(id, name, key, Applied: 0, KeepsLine: false, Reported: 0, EffectiveSettings.From(DeviceOptions.Default, Nowhere, desired: null).All);
}
