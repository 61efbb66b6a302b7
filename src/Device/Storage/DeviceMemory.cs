using System.Collections.Concurrent;

namespace Fleet.Device.Storage;

/// <summary>A device's files in memory: gone with the object. An object handed to a second runtime is a restart.</summary>
public sealed class DeviceMemory : IDeviceStorage
{
    // The device's rounds and its updates write different files at one time.
    private readonly ConcurrentDictionary<string, byte[]> _files = [];

    public byte[]? Read(string name) => _files.GetValueOrDefault(name);

    public void Replace(string name, ReadOnlySpan<byte> content) => _files[name] = content.ToArray();

    public void Append(string name, ReadOnlySpan<byte> content) => _files[name] = [.. Read(name) ?? [], .. content];

    public void Delete(string name) => _files.TryRemove(name, out _);

    /// <summary>A copy of all files: what somebody gets who clones the machine.</summary>
    public DeviceMemory Clone()
    {
        var clone = new DeviceMemory();
        foreach (var (name, content) in _files)
            clone._files[name] = content;
        return clone;
    }
}
