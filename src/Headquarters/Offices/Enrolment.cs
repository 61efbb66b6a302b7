using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Policies;
using Fleet.Messages.Offices;
using Google.Protobuf;
using JoinKind = Fleet.Messages.Offices.JoinKind;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// Judges newcomers: token, proof, name. A request that was answered before (same key, same token) is answered again and spends nothing.
/// </summary>
public static class Enrolment
{
    private const int MaxName = 255;

    /// <param name="newDevice">A fresh device id; taken where the newcomer is admitted.</param>
    public static EnrolmentDecision Decide(Office office, EnrolRequest request, ICertificateIssuer issuer, DeviceId newDevice, DateTimeOffset now)
    {
        if (Problem(office, request, now, out var token, out var key) is { } refusal)
            return Refused(office, request, refusal.Code, refusal.Detail, now);
        try
        {
            return token!.Kind == JoinKind.Node
                ? AdmitNode(office, request, token, key, issuer, newDevice, now)
                : AdmitAgent(office, request, token, key, issuer, newDevice, now);
        }
        catch (CryptographicException wrong)
        {
            return Refused(office, request, RefusalCode.Invalid, $"the certificate request can't be used: {wrong.Message}", now);
        }
    }

    /// <summary>A refusal before any twin could judge.</summary>
    public static EnrolReply Refusal(RefusalCode code, string detail) => new() { Refusal = new Refusal { Code = (int)code, Detail = detail } };

    /// <summary>Headquarters is overloaded: the newcomer asks again by itself.</summary>
    public static EnrolReply ComeLater(TimeSpan wait)
    {
        var later = Refusal(RefusalCode.Busy, "headquarters is overloaded now; newcomers wait so that who is there already need not");
        later.Refusal.RetryAfter = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(wait);
        return later;
    }

    private static (RefusalCode Code, string Detail)? Problem(Office office, EnrolRequest request, DateTimeOffset now, out TokenSnapshot? token, out byte[] key)
    {
        (token, key) = (null, []);
        if (request.OfficeId != office.Id.Value)
            return (RefusalCode.WrongOffice, $"token {Shown(request.TokenId)} is of office {Shown(request.OfficeId)}, and this is {office.Id}: make a token for {office.Id}, or join through a gateway of the other office");
        if (!office.IsOpen)
            return (RefusalCode.NotFound, $"there is no office {office.Id}");
        if (IdText.Problem(request.TokenId) is not null || !office.Tokens.TryGetValue(new TokenId(request.TokenId), out token))
            return (RefusalCode.NotFound, $"office {office.Id} knows no token {Shown(request.TokenId)}; ask for a new one");
        if (token.Revoked)
            return (RefusalCode.TokenRevoked, $"token {token.TokenId} was revoked; ask for a new one");
        if (token.ExpiresAt <= now)
            return (RefusalCode.TokenExpired, $"token {token.TokenId} expired at {token.ExpiresAt:u}; ask for a new one");
        // The proof before the rest: who does not know the secret learns nothing more about the token.
        if (!EnrolmentProof.Matches(EnrolmentProof.ForRequest(token.Secret.ToArray(), request), request.Proof.Span))
            return (RefusalCode.ProofFailed, $"the proof does not match token {token.TokenId}: it was mistyped, or the request was altered on its way");
        if ((int)request.Kind != (int)token.Kind)
            return (RefusalCode.WrongKind, $"token {token.TokenId} is for a {Name(token.Kind)}: {(token.Kind == JoinKind.Node ? "use it with 'office enroll', or ask for one of kind agent" : "use it with 'agent enroll', or ask for one of kind node")}");
        if (request.Name.Length is 0 or > MaxName || request.Name.Any(char.IsControl))
            return (RefusalCode.Invalid, $"a name of 1 to {MaxName} characters is needed");
        if (token.Kind == JoinKind.Node && IdText.Problem(request.Name) is { } badName)
            return (RefusalCode.Invalid, $"the node's name can't be used: {badName}");
        if (request.Machine.Length != SHA256.HashSizeInBytes)
            return (RefusalCode.Invalid, "the machine's fingerprint is missing");
        try
        {
            key = CertificateRequest.LoadSigningRequest(request.CertificateRequest.ToByteArray(), HashAlgorithmName.SHA256).PublicKey.ExportSubjectPublicKeyInfo();
        }
        catch (CryptographicException wrong)
        {
            return (RefusalCode.Invalid, $"the certificate request can't be read: {wrong.Message}");
        }

        var spent = token.Used >= token.Uses && !IsKnown(office, key);
        return spent ? (RefusalCode.TokenSpent, $"all {token.Uses} uses of token {token.TokenId} are spent; ask for a new one") : null;
    }

    private static bool IsKnown(Office office, byte[] key) =>
        office.Nodes.Values.Any(n => Holds(n.Certificates, key)) || office.Devices.Values.Any(d => Holds(d.Known.Certificates, key));

    private static EnrolmentDecision AdmitAgent(
        Office office, EnrolRequest request, TokenSnapshot token, byte[] key, ICertificateIssuer issuer, DeviceId newDevice, DateTimeOffset now)
    {
        if (office.Devices.Values.FirstOrDefault(d => Holds(d.Known.Certificates, key)) is { } known)
        {
            var again = issuer.Issue(PeerIdentity.Of(known.Id), request.CertificateRequest.Memory, known.Newest.Generation);
            return Admitted(office, request, token, issuer, known.Id.Value, known.Id, again, [new DeviceCertified(office.Id, known.Id, again.Record, now)]);
        }

        var issued = issuer.Issue(PeerIdentity.Of(newDevice), request.CertificateRequest.Memory, generation: 1);
        return Admitted(office, request, token, issuer, newDevice.Value, newDevice, issued,
        [
            new TokenUsed(office.Id, token.TokenId, newDevice.Value, now),
            new DeviceEnrolled(office.Id, newDevice, request.Name, request.Machine.Memory, issued.Record, token.TokenId, now),
        ]);
    }

    private static EnrolmentDecision AdmitNode(
        Office office, EnrolRequest request, TokenSnapshot token, byte[] key, ICertificateIssuer issuer, DeviceId newDevice, DateTimeOffset now)
    {
        var id = NodeId.Of(request.Name, office.Id);
        if (office.Nodes.TryGetValue(id, out var known))
        {
            if (!Holds(known.Certificates, key))
                return Refused(office, request, RefusalCode.AlreadyExists, $"office {office.Id} has a node {request.Name} with another key; remove it first, or choose another name", now);
            var again = issuer.Issue(PeerIdentity.Of(id), request.CertificateRequest.Memory, known.Certificates[^1].Generation);
            return Admitted(office, request, token, issuer, id.Value, known.DeviceId, again, [new NodeCertified(office.Id, id, again.Record, now)]);
        }

        var issued = issuer.Issue(PeerIdentity.Of(id), request.CertificateRequest.Memory, generation: 1);
        return Admitted(office, request, token, issuer, id.Value, newDevice, issued,
        [
            new TokenUsed(office.Id, token.TokenId, id.Value, now),
            new NodeEnrolled(office.Id, id, newDevice, issued.Record, now),
            // The node's own machine: a device that begins with the same key.
            new DeviceEnrolled(office.Id, newDevice, request.Name, request.Machine.Memory, issued.Record, token.TokenId, now),
        ]);
    }

    private static EnrolmentDecision Admitted(
        Office office, EnrolRequest request, TokenSnapshot token, ICertificateIssuer issuer, string id, DeviceId device, IssuedCertificate issued, IReadOnlyList<IOfficeEvent> events)
    {
        var enrolled = new Enrolled
        {
            Id = id,
            OfficeId = office.Id.Value,
            DeviceId = device.Value,
            HeadquartersKey = ByteString.CopyFrom(issuer.EnvelopePublicKey),
            CertificateChain = { issued.Chain.Select(c => ByteString.CopyFrom(c.Span)) },
            Gateways = { office.Gateways.Select(DesiredState.AddressOf) },
        };
        enrolled.Proof = ByteString.CopyFrom(EnrolmentProof.ForReply(token.Secret.ToArray(), request, enrolled));
        return new EnrolmentDecision(events, new EnrolReply { Enrolled = enrolled }, null);
    }

    private static EnrolmentDecision Refused(Office office, EnrolRequest request, RefusalCode code, string detail, DateTimeOffset now) =>
        new([], Refusal(code, detail), new EnrolmentRefused(office.Id, Shown(request.Name), code, detail, now));

    private static bool Holds(IReadOnlyList<CertificateRecord> certificates, byte[] key) => certificates.Any(c => c.PublicKey.Span.SequenceEqual(key));

    private static string Name(JoinKind kind) => kind == JoinKind.Node ? "node" : "device (agent)";

    private static string Shown(string text) => text.Length <= 80 ? text : text[..80] + "…";
}

/// <param name="Refusal">The refusal to log, and to journal unless too many were; null where admitted.</param>
public sealed record EnrolmentDecision(IReadOnlyList<IOfficeEvent> Events, EnrolReply Reply, EnrolmentRefused? Refusal);
