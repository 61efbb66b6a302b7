using Fleet.Contracts.Storage;
using Fleet.Device.Identity;
using Fleet.Device.Storage;
using Fleet.Device.Sync;

namespace Fleet.Device.Enrolment;

/// <summary>What an accepted enrolment leaves in a device's storage.</summary>
public static class DeviceEnrolment
{
    /// <summary>Writes the identity, then forgets the enrolment: after a crash in between the identity counts.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The reply is not what headquarters would send.</exception>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    public static DeviceIdentity Complete(IDeviceStorage storage, PendingEnrolment pending, EnrolmentOutcome.Accepted accepted)
    {
        var identity = pending.Completed(accepted.Reply);
        // The state first: it means nothing without an identity.
        new SyncState { ReachedThrough = accepted.Through }.Save(storage);
        IdentityFiles.Save(storage, identity);
        PendingEnrolment.Forget(storage);
        return identity;
    }
}
