using System.Security.Cryptography;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Storage;
using Fleet.Device.Identity;
using Fleet.Device.Storage;
using Fleet.Device.Storage.Files;
using Google.Protobuf;

namespace Fleet.Device.Enrolment;

/// <summary>
/// An enrolment that is under way. It is on disk before the first byte is sent and the request never changes, so that a repeat after a lost
/// reply or a crash is the same to headquarters and spends the token once.
/// </summary>
public sealed record PendingEnrolment(JoinToken Token, JoinKind Kind, string Name, DeviceKey Key, byte[] Machine, Reach Reach)
{
    private const string FileName = "enrolment.bin";

    /// <summary>Makes the key and the request of a new enrolment.</summary>
    /// <param name="name">Node: the name inside the office. Agent: the name people see.</param>
    /// <param name="machine">The machine's fingerprint.</param>
    public static PendingEnrolment Begin(JoinToken token, JoinKind kind, string name, byte[] machine, Reach reach) =>
        new(token, kind, name, DeviceKey.Fresh(generation: 1), machine, reach);

    /// <summary>The request, with its proof.</summary>
    public EnrolRequest ToRequest()
    {
        var request = new EnrolRequest
        {
            TokenId = Token.Id.Value,
            OfficeId = Token.Office.Value,
            Kind = Kind,
            Name = Name,
            CertificateRequest = ByteString.CopyFrom(Key.CertificateRequest!),
            Machine = ByteString.CopyFrom(Machine),
        };
        request.Proof = ByteString.CopyFrom(EnrolmentProof.ForRequest(Token.Secret, request));
        return request;
    }

    /// <summary>Who this machine is now as a device.</summary>
    /// <exception cref="CryptographicException">The reply is not what headquarters would send.</exception>
    public DeviceIdentity Completed(Enrolled reply)
    {
        if (reply.CertificateChain.Count < 2)
            throw new CryptographicException("the reply has no certificate chain");
        var device = new DeviceId(Kind == JoinKind.Node ? reply.DeviceId : reply.Id);
        string[] gateways = [.. Reach.Gateways, .. reply.Gateways.SelectMany(g => g.Addresses)];
        return new DeviceIdentity(device, new OfficeId(reply.OfficeId), reply.CertificateChain[^1].ToByteArray(), reply.HeadquartersKey.ToByteArray(),
            Key with { Certificate = reply.CertificateChain[0].ToByteArray(), CertificateRequest = null }, Previous: null, Next: null,
            Reach with { Gateways = [.. gateways.Distinct(StringComparer.OrdinalIgnoreCase)] });
    }

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public void Save(IDeviceStorage storage) => storage.Replace(FileName, new EnrolmentFile
    {
        Token = Token.ToText(),
        Kind = (int)Kind,
        Name = Name,
        PrivateKey = ByteString.CopyFrom(Key.PrivateKey),
        CertificateRequest = ByteString.CopyFrom(Key.CertificateRequest!),
        Machine = ByteString.CopyFrom(Machine),
        Reach = IdentityFiles.FromReach(Reach),
    }.ToByteArray());

    /// <summary>The enrolment under way, or null where there is none.</summary>
    /// <exception cref="StorageException">The file is damaged.</exception>
    public static PendingEnrolment? Load(IDeviceStorage storage)
    {
        if (storage.Read(FileName) is not { } content)
            return null;
        try
        {
            var file = EnrolmentFile.Parser.ParseFrom(content);
            if (!JoinToken.TryParse(file.Token, out var token, out var problem))
                throw new StorageException($"{FileName} is damaged: {problem}");
            var key = new DeviceKey(1, file.PrivateKey.ToByteArray(), Certificate: null, file.CertificateRequest.ToByteArray());
            return new PendingEnrolment(token, (JoinKind)file.Kind, file.Name, key, file.Machine.ToByteArray(), IdentityFiles.ToReach(file.Reach));
        }
        catch (InvalidProtocolBufferException fault)
        {
            throw new StorageException($"{FileName} is damaged ({fault.Message}); delete it and enrol again");
        }
    }

    /// <summary>It is over: answered, or given up.</summary>
    public static void Forget(IDeviceStorage storage) => storage.Delete(FileName);
}
