using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Packages;
using Fleet.Updates.Tests.Tuf;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Mirroring;

/// <summary>Fed from folders, which a hostile hand may change.</summary>
public sealed class MirrorTests : IDisposable
{
    private static readonly CancellationToken Always = CancellationToken.None;
    private static readonly byte[] Program = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7))];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fleet-mirror-");
    private readonly FakeTimeProvider _clock = new(TestRepository.Noon);
    private readonly TestRepository _repository = new();
    private readonly byte[] _firstRoot;
    private readonly List<string> _lies = [];
    private readonly List<byte[]> _content = [];
    private readonly BlobStore _blobs;
    private readonly Mirror _mirror;

    public MirrorTests()
    {
        _firstRoot = _repository.Current("root");
        (_blobs, _mirror) = Start();
        _mirror.Begin(_firstRoot);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task What_was_verified_is_served_and_a_client_of_the_mirror_finds_a_whole_generation()
    {
        var manifest = Publish("till", "2.0");

        var (source, failures) = await Refresh(Folder());

        Assert.Equal((Path.Combine(_directory.FullName, "source"), 0), (source.Name, failures.Count));
        Assert.Equal(_repository.Timestamp.Version, _mirror.Timestamp);
        var client = new TufClient(new Served(_mirror), new Served(_mirror), new MetadataDirectory(Path.Combine(_directory.FullName, "client")), _clock);
        TufClient.Begin(new MetadataDirectory(Path.Combine(_directory.FullName, "client")), _firstRoot, TestRepository.Noon);
        await client.RefreshAsync(TestRepository.Noon);
        Assert.Equal(manifest.Value, (await client.FindAsync(PackageTarget.PathOf("till", "2.0")))!.Hashes.Naming);
    }

    [Fact]
    public async Task A_chain_of_new_roots_is_served_from_the_first_on()
    {
        _repository.Rotate("timestamp");
        _repository.Publish("root", "timestamp");
        _repository.Publish("root");

        await Refresh(Folder());

        Assert.All(new[] { 1, 2, 3 }, version => Assert.Equal(_repository.Files[$"metadata/{version}.root.json"], _mirror.Metadata($"{version}.root.json")));
        Assert.Null(_mirror.Metadata("4.root.json"));
        Assert.Null(_mirror.Metadata("../trust/root.json"));
    }

    [Fact]
    public async Task A_package_is_brought_whole_and_nothing_twice()
    {
        var manifest = Publish("till", "2.0");
        var folder = Folder();
        await Refresh(folder);

        await _mirror.BringPackage("till", "2.0", manifest, _ => [folder.Content], Always);
        File.Delete(Path.Combine(_directory.FullName, "source", "blobs", BlobHash.Over(Program).Value));
        await _mirror.BringPackage("till", "2.0", manifest, _ => [folder.Content], Always);

        Assert.All(_mirror.ContentOf(manifest), hash => Assert.True(_blobs.Contains(hash)));
        Assert.Equal(2, _mirror.ContentOf(manifest).Count());
    }

    [Fact]
    public async Task Content_that_two_versions_have_is_known_to_be_of_both()
    {
        var (first, second) = (Publish("till", "1.0"), Publish("till", "2.0"));
        var folder = Folder();
        await Refresh(folder);

        await _mirror.BringPackage("till", "1.0", first, _ => [folder.Content], Always);
        await _mirror.BringPackage("till", "2.0", second, _ => [folder.Content], Always);
        await _mirror.BringPackage("till", "2.0", second, _ => [folder.Content], Always);

        Assert.Equal(["1.0", "2.0"], _mirror.Index.Find(BlobHash.Over(Program))!.Packages.Select(p => p.Version).Order());
    }

    [Fact]
    public async Task A_frozen_source_is_passed_over_and_named()
    {
        Publish("till", "1.0");
        var frozen = Folder("frozen");
        Publish("till", "2.0");

        var (source, failures) = await _mirror.Refresh([frozen, Folder()], TestRepository.Noon, _repository.Timestamp.Version, Always);

        Assert.Equal("source", Path.GetFileName(source.Name));
        Assert.Contains("frozen", Assert.Single(failures), StringComparison.Ordinal);
        Assert.Contains($"where {_repository.Timestamp.Version} is published", failures[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_source_forges_leaves_the_last_good_generation_served()
    {
        Publish("till", "1.0");
        await Refresh(Folder());
        var good = (_mirror.Timestamp, _mirror.Metadata("timestamp.json")!);
        _repository.Files["metadata/timestamp.json"] = "<html>log in to the hotel's network</html>"u8.ToArray();

        var fault = await Assert.ThrowsAsync<MirrorException>(() => Refresh(Folder()));

        Assert.Contains("source: timestamp", Assert.Single(fault.Failures), StringComparison.Ordinal);
        Assert.Equal(good.Timestamp, _mirror.Timestamp);
        Assert.Equal(good.Item2, _mirror.Metadata("timestamp.json"));
    }

    [Fact]
    public async Task A_source_of_another_repository_is_refused()
    {
        var other = new TestRepository();
        Write(other, "other");

        await Assert.ThrowsAsync<MirrorException>(() => Refresh(RepositorySource.OfFolder(Path.Combine(_directory.FullName, "other"))));
    }

    [Fact]
    public async Task A_changed_file_in_a_source_is_told_and_brought_from_the_next()
    {
        var manifest = Publish("till", "2.0");
        var (liar, honest) = (Folder("liar"), Folder());
        var file = Path.Combine(_directory.FullName, "liar", "blobs", BlobHash.Over(Program).Value);
        File.WriteAllBytes(file, [.. Program.Select((b, i) => i == 77 ? (byte)(b ^ 1) : b)]);
        await Refresh(honest);

        await _mirror.BringPackage("till", "2.0", manifest, _ => [liar.Content, honest.Content], Always);

        Assert.Contains("liar", Assert.Single(_lies), StringComparison.Ordinal);
        Assert.Equal(Program, _blobs.ReadAll(BlobHash.Over(Program), Program.Length));
    }

    [Fact]
    public async Task A_package_that_is_not_listed_so_is_refused_by_name()
    {
        var manifest = Publish("till", "2.0");
        var folder = Folder();
        await Refresh(folder);

        var fault = await Assert.ThrowsAsync<MirrorException>(() => _mirror.BringPackage("till", "3.0", manifest, _ => [folder.Content], Always));

        Assert.Contains("till 3.0", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_asked_and_listed_is_brought_and_what_nothing_names_is_not()
    {
        var manifest = Publish("till", "2.0");
        var folder = Folder();
        await Refresh(folder);

        Assert.Equal(ContentAnswer.Unknown, await Ask(BlobHash.Over(Program), folder));
        Assert.Equal(ContentAnswer.Here, await Ask(manifest, folder));
        Assert.Equal(ContentAnswer.Here, await Ask(BlobHash.Over(Program), folder));
        Assert.Equal(ContentAnswer.Unknown, await Ask(BlobHash.Over("else"u8), folder));
    }

    [Fact]
    public async Task A_delta_is_listed_content_and_what_it_makes_is_built_for_whoever_asks()
    {
        var (older, folder) = (Program[1..], Folder());
        var delta = ZstdDelta.Make(older, Program);
        var list = new PackageDeltas("till", "2.0", [new FileDelta(BlobHash.Over(older), BlobHash.Over(Program), BlobHash.Over(delta), delta.Length)]).ToBytes();
        var first = Publish("till", "1.0", older);
        var second = Publish("till", "2.0");
        _repository.AddTarget(PackageTarget.DeltasOf("till", "2.0"), list);
        _repository.Publish("targets", "snapshot", "timestamp");
        _content.AddRange([list, delta]);
        await Refresh(Folder());
        await _mirror.BringPackage("till", "1.0", first, _ => [folder.Content], Always);
        Assert.Equal(ContentAnswer.Here, await Ask(second, folder));
        File.Delete(Path.Combine(_directory.FullName, "source", "blobs", BlobHash.Over(Program).Value));

        Assert.Equal(ContentAnswer.Unknown, await Ask(BlobHash.Over(delta), folder));
        Assert.Equal(ContentAnswer.Here, await Ask(BlobHash.Over(list), folder));
        Assert.Equal(ContentAnswer.Here, await Ask(BlobHash.Over(delta), folder));
        Assert.Equal(ContentAnswer.Here, await Ask(BlobHash.Over(Program), folder));

        Assert.Equal(("till", "2.0"), (_mirror.Index.Find(BlobHash.Over(delta))!.Package.Name, _mirror.Index.Find(BlobHash.Over(delta))!.Package.Version));
        Assert.Equal(2, _mirror.Index.Packages.Count);
    }

    [Fact]
    public async Task After_a_restart_it_serves_and_knows_what_it_did_without_asking_anybody()
    {
        var manifest = Publish("till", "2.0");
        var folder = Folder();
        await Refresh(folder);
        await _mirror.BringPackage("till", "2.0", manifest, _ => [folder.Content], Always);

        var (blobs, again) = Start();
        again.Resume();

        Assert.Equal(_repository.Timestamp.Version, again.Timestamp);
        Assert.Equal(_mirror.Metadata("timestamp.json"), again.Metadata("timestamp.json"));
        Assert.Equal(("till", "2.0"), (again.Index.Find(BlobHash.Over(Program))!.Package.Name, again.Index.Find(BlobHash.Over(Program))!.Package.Version));
        Assert.True(blobs.Contains(BlobHash.Over(Program)));
    }

    [Fact]
    public async Task A_root_once_trusted_is_not_replaced_by_what_somebody_names_later()
    {
        _mirror.Begin(new TestRepository().Current("root"));
        Publish("till", "1.0");

        await Refresh(Folder());

        Assert.Equal(_firstRoot, _mirror.Metadata("1.root.json"));
    }

    private Task<ContentAnswer> Ask(BlobHash hash, RepositorySource source) => _mirror.Bring(hash, _ => [source.Content], TimeSpan.FromMinutes(1), Always, Always);

    private Task<(RepositorySource Source, IReadOnlyList<string> Failures)> Refresh(RepositorySource source) => _mirror.Refresh([source], TestRepository.Noon, 0, Always);

    private BlobHash Publish(string name, string version, byte[]? program = null)
    {
        program ??= Program;
        var manifest = new PackageManifest(name, version, InstallKind.Archive, [new PackageFile("bin/till", 0b111_101_101, program.Length, BlobHash.Over(program))]).ToBytes();
        _repository.AddTarget(PackageTarget.PathOf(name, version), manifest);
        _repository.Publish("targets", "snapshot", "timestamp");
        _content.AddRange([manifest, program]);
        return BlobHash.Over(manifest);
    }

    private RepositorySource Folder(string name = "source")
    {
        Write(_repository, name);
        return RepositorySource.OfFolder(Path.Combine(_directory.FullName, name));
    }

    private void Write(TestRepository repository, string name)
    {
        var (metadata, blobs) = (Path.Combine(_directory.FullName, name, "metadata"), Path.Combine(_directory.FullName, name, "blobs"));
        Directory.CreateDirectory(metadata);
        Directory.CreateDirectory(blobs);
        foreach (var (path, content) in repository.Files.Where(f => f.Key.StartsWith("metadata/", StringComparison.Ordinal)))
            File.WriteAllBytes(Path.Combine(metadata, Path.GetFileName(path)), content);
        foreach (var content in _content)
            File.WriteAllBytes(Path.Combine(blobs, BlobHash.Over(content).Value), content);
    }

    private (BlobStore, Mirror) Start()
    {
        var blobs = new BlobStore(Path.Combine(_directory.FullName, "content"), BlobStoreOptions.Default, _clock, _ => long.MaxValue / 2);
        var fetcher = new BlobFetcher(blobs, _ => true, new Budget(_clock), Pace.Default, _clock);
        fetcher.Lied += (source, _) => _lies.Add(source.Name);
        return (blobs, new Mirror(Path.Combine(_directory.FullName, "repository"), blobs, fetcher, new DeltaBuilder(blobs, fetcher, 1 << 20), Pace.Default, _clock));
    }

    private sealed class Served(Mirror mirror) : IFileSource
    {
        public Task<Stream?> OpenAsync(string path, CancellationToken stop) =>
            Task.FromResult<Stream?>(mirror.Metadata(path) is { } bytes ? new MemoryStream(bytes) : null);
    }
}
