using System.Text;
using Fleet.Contracts.Agents;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;
using Google.Protobuf;

namespace Fleet.Device.Tests.Updates;

/// <summary>A repository, the tenant's or a vendor's, in a folder of its own, really signed: <c>metadata</c>, <c>targets</c> and <c>blobs</c>.</summary>
/// <param name="folder">Null: one that is made for it.</param>
internal sealed class PackageRepository(string? folder = null, TimeProvider? clock = null) : IDisposable
{
    private readonly FolderRepository _repository = new(folder ?? Directory.CreateTempSubdirectory("fleet-repository-").FullName, clock);

    public string Folder => _repository.Folder;

    public byte[] FirstRoot => _repository.FirstRoot;

    public ulong Timestamp => _repository.Timestamp;

    /// <summary>Publishes a version, its manifest among the targets alone, and returns it as headquarters would want it.</summary>
    public async Task<WantedPackage> Add(string name, string version, InstallKind kind, params (string Path, string Content)[] files)
    {
        var manifest = new PackageManifest(name, version, kind, [.. files.Select(f => new PackageFile(f.Path, 0b111_101_101, f.Content.Length, _repository.Keep(Encoding.UTF8.GetBytes(f.Content))))]).ToBytes();
        await _repository.List(PackageTarget.PathOf(name, version), manifest);
        return new WantedPackage { Name = name, Version = version, Kind = kind.Name(), Manifest = ByteString.FromBase64(Convert.ToBase64String(Convert.FromHexString(BlobHash.Over(manifest).Value))) };
    }

    /// <summary>Lists deltas to a version: of this older content, this newer one, and what is sent for it.</summary>
    public Task AddDeltas(string name, string version, params (string Older, string Newer, byte[] Delta)[] deltas)
    {
        var listed = deltas.Select(d => new FileDelta(HashOf(d.Older), HashOf(d.Newer), _repository.Keep(d.Delta), d.Delta.Length)).ToList();
        return _repository.List(PackageTarget.DeltasOf(name, version), new PackageDeltas(name, version, listed).ToBytes());
    }

    public string PathOfBlob(string content) => _repository.PathOf(HashOf(content));

    /// <summary>A copy of it as it is now: a mirror that goes no further.</summary>
    public string Freeze()
    {
        var frozen = Directory.CreateTempSubdirectory("fleet-repository-").FullName;
        foreach (var file in Directory.GetFiles(Folder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(frozen, Path.GetRelativePath(Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return frozen;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static BlobHash HashOf(string content) => BlobHash.Over(Encoding.UTF8.GetBytes(content));
}
