using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.TestSupport;

/// <summary>A repository in a folder, as a network folder or a vendor's server has it: <c>metadata/</c>, <c>targets/</c>, and <c>blobs/</c> by hash. Its keys live as long as this.</summary>
public sealed class FolderRepository
{
    private readonly Dictionary<string, SigningKey> _keys = RoleNames.TopLevel.ToDictionary(r => r, _ => SigningKey.NewEd25519());
    private readonly RepositoryWriter _writer;
    private readonly TimeProvider _clock;
    private readonly string _blobs;

    public FolderRepository(string folder, TimeProvider? clock = null)
    {
        (Folder, _clock) = (folder, clock ?? TimeProvider.System);
        _blobs = Directory.CreateDirectory(Path.Combine(folder, "blobs")).FullName;
        _writer = new RepositoryWriter(folder);
        var now = _clock.GetUtcNow();
        var signers = _keys.ToDictionary(k => k.Key, k => new Signers(new Dictionary<string, TufKey> { [k.Value.Id] = k.Value.Public }, Threshold: 1));
        FirstRoot = MetadataDocument.Sign(_writer.DraftRoot(now, signers), _keys[RoleNames.Root]);
        _writer.PublishRoot(now, FirstRoot);
        List([]);
    }

    public string Folder { get; }

    public byte[] FirstRoot { get; }

    public ulong Timestamp => (ulong)_writer.TimestampVersion;

    public string PathOf(BlobHash hash) => Path.Combine(_blobs, hash.Value);

    /// <summary>Signs all anew, also roots, as an operator does before they expire.</summary>
    public void Renew()
    {
        _writer.PublishRoot(_clock.GetUtcNow(), MetadataDocument.Sign(_writer.DraftRoot(_clock.GetUtcNow(), new Dictionary<string, Signers>()), _keys[RoleNames.Root]));
        List([.. _writer.TargetsOf(RoleNames.Targets)!.Files.Values]);
    }

    /// <summary>Publishes a package, and answers what its manifest is called.</summary>
    public async Task<BlobHash> Publish(string name, string version, InstallKind kind, params IReadOnlyList<(string Path, byte[] Content)> files)
    {
        var manifest = new PackageManifest(name, version, kind, [.. files.Select(f => new PackageFile(f.Path, 0b111_101_101, f.Content.Length, Keep(f.Content)))]).ToBytes();
        await List(PackageTarget.PathOf(name, version), manifest);
        return Keep(manifest);
    }

    /// <summary>Lists the delta to a version's file from an older one, and answers what it is called.</summary>
    public async Task<BlobHash> PublishDelta(string name, string version, byte[] older, byte[] newer)
    {
        var delta = ZstdDelta.Make(older, newer);
        var list = new PackageDeltas(name, version, [new FileDelta(BlobHash.Over(older), BlobHash.Over(newer), BlobHash.Over(delta), delta.Length)]).ToBytes();
        await List(PackageTarget.DeltasOf(name, version), list);
        Keep(list);
        return Keep(delta);
    }

    /// <summary>Puts content where it is found by its hash, and answers that.</summary>
    public BlobHash Keep(byte[] content)
    {
        var hash = BlobHash.Over(content);
        File.WriteAllBytes(PathOf(hash), content);
        return hash;
    }

    /// <summary>Lists a file and puts it among the targets, where any TUF client looks for it.</summary>
    public async Task List(string path, byte[] content)
    {
        var target = await _writer.AddTargetAsync(path, new MemoryStream(content));
        List([.. _writer.TargetsOf(RoleNames.Targets)!.Files.Values.Where(f => f.Path != path), target]);
    }

    private void List(IReadOnlyList<TargetFile> files)
    {
        var now = _clock.GetUtcNow();
        var draft = _writer.Draft(now, RoleNames.Targets, files);
        _writer.Publish(now, new OnlineKeys([_keys[RoleNames.Snapshot]], [_keys[RoleNames.Timestamp]]), draft with { Content = MetadataDocument.Sign(draft.Content, _keys[RoleNames.Targets]) });
    }
}
