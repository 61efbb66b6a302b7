using Fleet.Contracts.Storage;

namespace Fleet.Updates.Tuf.Client;

/// <summary>Keeps metadata files of one repository, as received, for the next refresh.</summary>
public interface IMetadataStore
{
    IReadOnlyList<string> Names { get; }

    byte[]? Read(string name);

    /// <summary>In one step: after a crash it is the old file or the new one.</summary>
    void Write(string name, byte[] content);

    void Delete(string name);
}

/// <summary>The files of a private directory, which is made where it is missing.</summary>
public sealed class MetadataDirectory : IMetadataStore
{
    private readonly string _path;

    public MetadataDirectory(string path) => _path = Directory.CreateDirectory(path).FullName;

    public IReadOnlyList<string> Names => [.. Directory.EnumerateFiles(_path).Select(f => Path.GetFileName(f))];

    public byte[]? Read(string name) => File.Exists(PathOf(name)) ? File.ReadAllBytes(PathOf(name)) : null;

    public void Write(string name, byte[] content) => DurableFile.Replace(PathOf(name), content);

    public void Delete(string name) => File.Delete(PathOf(name));

    private string PathOf(string name) => Path.Combine(_path, name);
}
