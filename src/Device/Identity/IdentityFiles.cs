using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Device.Storage;
using Fleet.Device.Storage.Files;
using Google.Protobuf;

namespace Fleet.Device.Identity;

/// <summary>Keeps a <see cref="DeviceIdentity"/> in <c>identity.bin</c>: one file, so that a key and its certificate never part in a crash.</summary>
public static class IdentityFiles
{
    private const string Name = "identity.bin";

    /// <summary>The identity, or null where the device is not enrolled.</summary>
    /// <exception cref="StorageException">The file is damaged.</exception>
    public static DeviceIdentity? Load(IDeviceStorage storage)
    {
        if (storage.Read(Name) is not { } content)
            return null;
        try
        {
            var file = IdentityFile.Parser.ParseFrom(content);
            return new DeviceIdentity(new DeviceId(file.DeviceId), new OfficeId(file.OfficeId), file.Authority.ToByteArray(), file.HeadquartersKey.ToByteArray(),
                ToKey(file.Current)!, ToKey(file.Previous), ToKey(file.Next), ToReach(file.Reach));
        }
        catch (Exception fault) when (fault is InvalidProtocolBufferException or ArgumentException)
        {
            throw new StorageException($"{Name} is damaged ({fault.Message}); restore it from a backup, or enrol anew into an empty directory");
        }
    }

    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public static void Save(IDeviceStorage storage, DeviceIdentity identity) => storage.Replace(Name, new IdentityFile
    {
        DeviceId = identity.Device.Value,
        OfficeId = identity.Office.Value,
        Authority = ByteString.CopyFrom(identity.Authority),
        HeadquartersKey = ByteString.CopyFrom(identity.HeadquartersKey),
        Current = FromKey(identity.Current),
        Previous = FromKey(identity.Previous),
        Next = FromKey(identity.Next),
        Reach = FromReach(identity.Reach),
    }.ToByteArray());

    internal static ReachFile FromReach(Reach reach) =>
        new() { Gateways = { reach.Gateways }, Servers = { reach.Servers }, GatewayOnly = reach.GatewayOnly };

    internal static Reach ToReach(ReachFile? file) => new([.. file?.Gateways ?? []], [.. file?.Servers ?? []], file?.GatewayOnly ?? false);

    private static DeviceKey? ToKey(KeyFile? file) =>
        file is null ? null : new DeviceKey(file.Generation, file.PrivateKey.ToByteArray(), Bytes(file.Certificate), Bytes(file.CertificateRequest));

    private static KeyFile? FromKey(DeviceKey? key) => key is null ? null : new KeyFile
    {
        Generation = key.Generation,
        PrivateKey = ByteString.CopyFrom(key.PrivateKey),
        Certificate = ByteString.CopyFrom(key.Certificate ?? []),
        CertificateRequest = ByteString.CopyFrom(key.CertificateRequest ?? []),
    };

    private static byte[]? Bytes(ByteString bytes) => bytes.IsEmpty ? null : bytes.ToByteArray();
}
