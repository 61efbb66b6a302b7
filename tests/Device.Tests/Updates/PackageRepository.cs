using System.Text;
using Fleet.Contracts.Agents;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Repository;
using Google.Protobuf;

namespace Fleet.Device.Tests.Updates;

/// <summary>A tenant's repository in a folder of its own, really signed: <c>metadata</c>, <c>targets</c> and <c>blobs</c>.</summary>
internal sealed class PackageRepository : IDisposable
{
    private readonly SigningKey _targets = SigningKey.NewEd25519();
    private readonly OnlineKeys _online = new([SigningKey.NewEd25519()], [SigningKey.NewEd25519()]);
    private readonly List<TargetFile> _files = [];
    private readonly RepositoryWriter _writer;

    public PackageRepository()
    {
        _writer = new RepositoryWriter(Folder);
        Directory.CreateDirectory(Path.Combine(Folder, "blobs"));
        var root = SigningKey.NewEd25519();
        var draft = _writer.DraftRoot(DateTimeOffset.UtcNow, new Dictionary<string, Signers>
        {
            [RoleNames.Root] = Of(root), [RoleNames.Targets] = Of(_targets), [RoleNames.Snapshot] = Of(_online.Snapshot[0]), [RoleNames.Timestamp] = Of(_online.Timestamp[0]),
        });
        FirstRoot = MetadataDocument.Sign(draft, [root]);
        _writer.PublishRoot(DateTimeOffset.UtcNow, FirstRoot);
        Publish();
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("fleet-repository-").FullName;

    public byte[] FirstRoot { get; }

    public ulong Timestamp => (ulong)_writer.TimestampVersion;

    /// <summary>Publishes a version and returns it as headquarters would want it.</summary>
    public async Task<WantedPackage> Add(string name, string version, InstallKind kind, params (string Path, string Content)[] files)
    {
        var manifest = new PackageManifest(name, version, kind, [.. files.Select(f => new PackageFile(f.Path, 0b111_101_101, f.Content.Length, Keep(f.Content)))]);
        var bytes = manifest.ToBytes();
        _files.Add(await _writer.AddTargetAsync(PackageTarget.PathOf(name, version), new MemoryStream(bytes)));
        Publish();
        return new WantedPackage { Name = name, Version = version, Kind = kind.Name(), Manifest = ByteString.FromBase64(Convert.ToBase64String(Convert.FromHexString(BlobHash.Over(bytes).Value))) };
    }

    /// <summary>Lists deltas to a version: of this older content, this newer one, and what is sent for it.</summary>
    public async Task AddDeltas(string name, string version, params (string Older, string Newer, byte[] Delta)[] deltas)
    {
        var listed = deltas.Select(d => new FileDelta(BlobHash.Over(Encoding.UTF8.GetBytes(d.Older)), BlobHash.Over(Encoding.UTF8.GetBytes(d.Newer)), BlobHash.Over(d.Delta), d.Delta.Length));
        foreach (var (_, _, delta) in deltas)
            await File.WriteAllBytesAsync(Path.Combine(Folder, "blobs", BlobHash.Over(delta).Value), delta);
        _files.Add(await _writer.AddTargetAsync(PackageTarget.DeltasOf(name, version), new MemoryStream(new PackageDeltas(name, version, [.. listed]).ToBytes())));
        Publish();
    }

    public string PathOfBlob(string content) => Path.Combine(Folder, "blobs", BlobHash.Over(Encoding.UTF8.GetBytes(content)).Value);

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

    private void Publish() => _writer.Publish(DateTimeOffset.UtcNow, _online,
        new RoleDocument(RoleNames.Targets, MetadataDocument.Sign(_writer.Draft(DateTimeOffset.UtcNow, RoleNames.Targets, _files).Content, [_targets])));

    private BlobHash Keep(string content)
    {
        File.WriteAllText(PathOfBlob(content), content);
        return BlobHash.Over(Encoding.UTF8.GetBytes(content));
    }

    private static Signers Of(SigningKey key) => new(new Dictionary<string, TufKey> { [key.Id] = key.Public }, 1);
}
