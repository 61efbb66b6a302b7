using Fleet.Contracts.Storage;

namespace Fleet.Device.Storage;

/// <summary>
/// The few small files in which a device keeps itself. On disk: <see cref="DeviceDirectory"/>; in memory, for load generators and
/// labs with thousands of devices in one process: <see cref="DeviceMemory"/>.
/// </summary>
public interface IDeviceStorage
{
    /// <summary>The file's content, or null where there is none.</summary>
    byte[]? Read(string name);

    /// <summary>Replaces the file in one step: after a crash at any moment it is the old one or the new one, whole.</summary>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    void Replace(string name, ReadOnlySpan<byte> content);

    /// <summary>Adds to the end of the file and returns when that is safe; a crash meanwhile may leave a part of it.</summary>
    /// <exception cref="StorageException">The disk is full or not writable.</exception>
    void Append(string name, ReadOnlySpan<byte> content);

    void Delete(string name);
}
