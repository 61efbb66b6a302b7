using Fleet.Contracts.Storage;

namespace Fleet.Device.Storage;

/// <summary>A device's files on disk, in its data directory or, for an office node's own host, in one inside the node's.</summary>
public sealed class DeviceDirectory : IDeviceStorage, IDisposable
{
    private const string Kind = "agent";
    private readonly DataDirectory _directory;

    private DeviceDirectory(DataDirectory directory) => _directory = directory;

    public string Path => _directory.Path;

    /// <inheritdoc cref="DataDirectory.Open"/>
    public static DeviceDirectory Open(string path, string kind = Kind, bool mayMake = true) => new(DataDirectory.Open(path, kind, mayMake));

    /// <inheritdoc cref="DataDirectory.Look"/>
    public static DeviceDirectory Look(string path, string kind = Kind) => new(DataDirectory.Look(path, kind));

    public byte[]? Read(string name) => _directory.Read(name);

    public void Replace(string name, ReadOnlySpan<byte> content) => _directory.Replace(name, content);

    public void Append(string name, ReadOnlySpan<byte> content) => _directory.Append(name, content);

    public void Delete(string name) => _directory.Delete(name);

    public void Dispose() => _directory.Dispose();
}
