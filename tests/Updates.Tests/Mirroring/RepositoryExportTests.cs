using Fleet.Contracts.Storage;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Deltas;
using Fleet.Updates.Fetching;
using Fleet.Updates.Mirroring;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Mirroring;

/// <summary>From a repository in one folder to a copy in another, and from there into a mirror that reaches nothing else.</summary>
public sealed class RepositoryExportTests : IDisposable
{
    private static readonly byte[] Program = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 7))];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fleet-export-");
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly FolderRepository _repository;

    public RepositoryExportTests() => _repository = new FolderRepository(PathOf("headquarters"), _clock);

    private string Disk => PathOf("disk");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_mirror_that_reaches_nothing_else_fills_itself_from_the_folder()
    {
        var manifest = await Publish("till", "2.0", Program);
        await Export();

        var (mirror, blobs) = Mirror();
        await mirror.Refresh([OnDisk], Now, (long)_repository.Timestamp, default);
        await mirror.BringPackage("till", "2.0", manifest, _ => [OnDisk.Content], default);

        Assert.All(mirror.ContentOf(manifest), hash => Assert.True(blobs.Contains(hash)));
        Assert.Equal(2, mirror.ContentOf(manifest).Count());
    }

    [Fact]
    public async Task Any_client_of_the_repository_finds_the_list_of_a_package_among_the_targets()
    {
        var manifest = await Publish("till", "2.0", Program);
        await Export();
        var (trust, metadata) = (new MetadataDirectory(PathOf("client")), new FolderSource(Path.Combine(Disk, "metadata")));
        TufClient.Begin(trust, _repository.FirstRoot, Now);
        var client = new TufClient(metadata, new FolderSource(Path.Combine(Disk, "targets")), trust, _clock);

        await client.RefreshAsync(Now);
        await using var list = await client.DownloadAsync((await client.FindAsync(PackageTarget.PathOf("till", "2.0")))!, PathOf("list"));

        Assert.Equal(manifest, BlobHash.Over(await File.ReadAllBytesAsync(PathOf("list"))));
    }

    [Fact]
    public async Task Metadata_that_aged_on_the_way_is_taken_from_headquarters_and_content_from_the_folder()
    {
        var manifest = await Publish("till", "2.0", Program);
        await Export();
        _clock.Advance(TimeSpan.FromDays(3650));
        _repository.Renew();

        var (mirror, _) = Mirror();
        var (source, failures) = await mirror.Refresh([OnDisk, AtHeadquarters], Now, (long)_repository.Timestamp, default);
        await mirror.BringPackage("till", "2.0", manifest, _ => [OnDisk.Content], default);

        Assert.Equal((AtHeadquarters.Name, 1), (source.Name, failures.Count));
    }

    [Fact]
    public async Task An_export_that_was_cut_goes_on_where_it_ended_and_names_nothing_before_all_is_there()
    {
        await Publish("till", "2.0", Program, [.. "notes"u8]);
        var lost = _repository.PathOf(BlobHash.Over("notes"u8));
        File.Move(lost, lost + ".away");

        var cut = await Assert.ThrowsAsync<MirrorException>(() => Export());
        var named = File.Exists(Path.Combine(Disk, "metadata", "timestamp.json"));
        File.Move(lost + ".away", lost);
        var fetched = await Export();

        Assert.Contains("till 2.0, file f1: ", Assert.Single(cut.Failures), StringComparison.Ordinal);
        Assert.False(named);
        Assert.Equal("notes".Length, fetched);
        Assert.True(File.Exists(Path.Combine(Disk, "metadata", "timestamp.json")));
    }

    [Fact]
    public async Task What_the_disk_changed_is_brought_again_and_nothing_else()
    {
        await Publish("till", "2.0", Program, [.. "notes"u8]);
        await Export();
        var damaged = Path.Combine(Disk, "blobs", BlobHash.Over("notes"u8).Value[..2], BlobHash.Over("notes"u8).Value);
        await File.WriteAllTextAsync(damaged, "NOTES");

        Assert.Equal("notes".Length, await Export());
        Assert.Equal("notes", await File.ReadAllTextAsync(damaged));
        Assert.Equal(0, await Export());
    }

    [Fact]
    public async Task Deltas_go_along_and_packages_that_were_not_asked_for_stay_away()
    {
        var newer = Program.Select((b, i) => i == 1000 ? (byte)~b : b).ToArray();
        await Publish("till", "1.0", Program);
        await Publish("till", "2.0", newer);
        var delta = await _repository.PublishDelta("till", "2.0", Program, newer);
        await Publish("office-suite", "1.0", [.. "the suite"u8]);

        await Export("till");

        Assert.True(await Has(delta));
        Assert.False(await Has(BlobHash.Over("the suite"u8)));
    }

    [Fact]
    public async Task A_disk_without_room_is_told_before_anything_is_brought_in_vain()
    {
        await Publish("till", "2.0", Program);
        var export = new RepositoryExport(Disk, Pace.Default, _clock, _ => 100_000);

        var full = await Assert.ThrowsAsync<StorageException>(async () => await export.Bring(await export.Plan(AtHeadquarters, _ => true, default), default));

        Assert.Contains("195.3 KiB are still to come, and 97.7 KiB of them do not fit", full.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_with_another_repository_is_left_alone()
    {
        await Publish("till", "2.0", Program);
        await Export();
        var other = new FolderRepository(PathOf("other"), _clock);

        var refused = await Assert.ThrowsAsync<IOException>(() => new RepositoryExport(Disk, Pace.Default, _clock).Plan(RepositorySource.OfFolder(other.Folder), _ => true, default));
        var none = await Assert.ThrowsAsync<TufException>(() => new RepositoryExport(Disk, Pace.Default, _clock).Plan(RepositorySource.OfFolder(Directory.CreateDirectory(PathOf("empty/metadata")).Parent!.FullName), _ => true, default));

        Assert.Contains("choose another folder", refused.Message, StringComparison.Ordinal);
        Assert.Contains("has no repository", none.Message, StringComparison.Ordinal);
    }

    private DateTimeOffset Now => _clock.GetUtcNow();

    private RepositorySource AtHeadquarters => RepositorySource.OfFolder(_repository.Folder);

    private RepositorySource OnDisk => RepositorySource.OfFolder(Disk);

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private Task<BlobHash> Publish(string name, string version, params byte[][] files) => _repository.Publish(name, version, InstallKind.Archive, [.. files.Select((f, i) => ($"f{i}", f))]);

    private async Task<bool> Has(BlobHash hash)
    {
        await using var found = await OnDisk.Content.Open(hash, 0, default);
        return found is not null;
    }

    /// <returns>Bytes that came.</returns>
    private async Task<long> Export(params string[] packages)
    {
        var export = new RepositoryExport(Disk, Pace.Default, _clock);
        await export.Bring(await export.Plan(AtHeadquarters, p => packages.Length == 0 || packages.Contains(p.Name), default), default);
        return export.Fetched;
    }

    private (Mirror, BlobStore) Mirror()
    {
        var blobs = new BlobStore(PathOf("content"), BlobStoreOptions.Default, _clock, _ => long.MaxValue / 2);
        var fetcher = new BlobFetcher(blobs, _ => true, new Budget(_clock), Pace.Default, _clock);
        var mirror = new Mirror(PathOf("mirror"), blobs, fetcher, new DeltaBuilder(blobs, fetcher, 1 << 20), Pace.Default, _clock);
        mirror.Begin(_repository.FirstRoot);
        return (mirror, blobs);
    }
}
