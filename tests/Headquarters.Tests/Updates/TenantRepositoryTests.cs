using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Updates;
using Fleet.TestSupport;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Updates;

/// <summary>The repository on its disk, read by the client that devices have.</summary>
public sealed class TenantRepositoryTests : IDisposable
{
    private static readonly byte[] Program = Encoding.ASCII.GetBytes("the program");
    private static readonly byte[] Notes = Encoding.ASCII.GetBytes("its notes");

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-updates-").FullName;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private readonly UpdateOptions _options = HeadquartersOptions.Load(null,
        ["updates.quota=4000b", "updates.root-lifetime=12d", "updates.targets-lifetime=6d", "updates.snapshot-lifetime=2d", "updates.timestamp-lifetime=1d"]).Updates;
    private readonly CertificateAuthority _authority;

    public TenantRepositoryTests() => _authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), _clock);

    private string Path => System.IO.Path.Combine(_directory, "updates");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_published_package_is_what_a_client_finds_also_after_a_restart()
    {
        await using (var repository = await Open())
            Assert.True((await Publish(repository, "1.0", Program, Notes)).Changed);

        await using var again = await Open();

        var package = Assert.Single(again.Packages);
        Assert.Equal(("tills", "1.0", InstallKind.Archive, 2, 20), (package.Name, package.Version, package.Kind, package.Files, package.Length));
        var target = await (await Refreshed()).FindAsync("packages/tills/1.0.json");
        Assert.Equal(package.Manifest.Value, target!.Hashes.Naming);
        Assert.Equal(["file0", "file1"], again.Content.ManifestOf(package)!.Files.Select(f => f.Path));
    }

    // Every office hears of a new timestamp.
    [Fact]
    public async Task A_restart_signs_the_timestamp_anew_only_where_it_is_time()
    {
        ulong first;
        await using (var repository = await Open())
            first = repository.Timestamp;

        _clock.Advance(TimeSpan.FromHours(1));
        await using (var soon = await Open())
            Assert.Equal(first, soon.Timestamp);
        _clock.Advance(TimeSpan.FromHours(3));
        await using var later = await Open();

        Assert.Equal(first + 1, later.Timestamp);
    }

    [Fact]
    public async Task Each_publication_is_a_generation_of_its_own_and_the_same_again_is_none()
    {
        await using var repository = await Open();

        await Publish(repository, "1.0", Program);
        var first = (await Refreshed()).Trusted!.Snapshot!.Version;
        await Publish(repository, "1.1", Program, Notes);
        var same = await Publish(repository, "1.1", Program, Notes);

        Assert.Equal((first + 1, false), ((await Refreshed()).Trusted!.Snapshot!.Version, same.Changed));
        Assert.Equal(["1.1", "1.0"], repository.Packages.Select(p => p.Version));
    }

    [Fact]
    public async Task A_version_never_changes()
    {
        await using var repository = await Open();
        await Publish(repository, "1.0", Program);

        var refused = (await Publish(repository, "1.0", Notes)).Refusal!;

        Assert.Equal(RefusalCode.AlreadyExists, refused.Code);
        Assert.Contains("another version", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_withdrawn_package_is_gone_from_the_next_snapshot_and_its_content_after_a_while()
    {
        await using var repository = await Open();
        await Publish(repository, "1.0", Program);
        await Publish(repository, "1.1", Notes);
        _clock.Advance(_options.KeepUnlisted);

        Assert.Null(await repository.Withdraw("tills", "1.0", default));

        Assert.Null(await (await Refreshed()).FindAsync("packages/tills/1.0.json"));
        Assert.NotNull(await (await Refreshed()).FindAsync("packages/tills/1.1.json"));
        Assert.Equal(RefusalCode.NotFound, (await repository.Withdraw("tills", "1.0", default))!.Code);
        _clock.Advance(_options.KeepUnlisted);
        await Until.True(() => !repository.Content.Blobs.Contains(BlobHash.Over(Program)), "the content of the withdrawn package is gone");
        Assert.True(repository.Content.Blobs.Contains(BlobHash.Over(Notes)));
    }

    [Fact]
    public async Task Metadata_stays_valid_for_as_long_as_headquarters_runs()
    {
        await using var repository = await Open();
        await Publish(repository, "1.0", Program);

        // A device that asks now and then while everything expires several times.
        var store = Device();
        for (var half = 0; half < 60; half++)
        {
            _clock.Advance(TimeSpan.FromHours(12));
            await Until.True(() => TimestampExpires() - _clock.GetUtcNow() > TimeSpan.FromHours(20), "the timestamp is signed anew");
            await Client(store).RefreshAsync(_clock.GetUtcNow());
        }

        Assert.NotNull(await (await Refreshed()).FindAsync("packages/tills/1.0.json"));
    }

    [Fact]
    public async Task With_the_roots_key_away_all_goes_on_until_the_root_is_due()
    {
        var log = new CaughtLog();
        await using (var repository = await Open())
            await Publish(repository, "1.0", Program);
        var key = System.IO.Path.Combine(Path, "keys", "root.key");
        File.Move(key, key + ".safe");

        await using (var without = await Open(log))
        {
            Assert.True((await Publish(without, "1.1", Notes)).Changed);
            Assert.DoesNotContain(log.Lines, l => l.Text.Contains("root", StringComparison.Ordinal));
            _clock.Advance(_options.Lifetimes.Root * 0.6);
            await Until.True(() => log.Lines.Any(l => l.Text.Contains("root.key", StringComparison.Ordinal)), "the log asks for the key");
        }

        File.Move(key + ".safe", key);
        await using var again = await Open();
        Assert.Equal(2, (await Refreshed()).Trusted!.Root.Version);
    }

    [Theory]
    [InlineData("targets")]
    [InlineData("snapshot")]
    [InlineData("timestamp")]
    public async Task A_missing_key_is_told_and_never_made_anew(string role)
    {
        await using (await Open())
        {
        }

        File.Delete(System.IO.Path.Combine(Path, "keys", role + ".key"));

        var refused = await Assert.ThrowsAsync<StorageException>(() => Open());
        Assert.Contains($"{role}.key is missing; restore it", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_opens_for_its_role_and_its_headquarters_alone()
    {
        await using (await Open())
        {
        }

        var keys = System.IO.Path.Combine(Path, "keys");
        File.Copy(System.IO.Path.Combine(keys, "targets.key"), System.IO.Path.Combine(keys, "snapshot.key"), overwrite: true);

        Assert.Contains("snapshot.key can't be used", (await Assert.ThrowsAsync<StorageException>(() => Open())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_metadata_is_told_with_what_to_do()
    {
        await using (await Open())
        {
        }

        File.WriteAllText(System.IO.Path.Combine(Path, "metadata", "timestamp.json"), "nonsense");

        Assert.Contains("backup", (await Assert.ThrowsAsync<StorageException>(() => Open())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_transfer_goes_on_where_it_was_cut()
    {
        await using var repository = await Open();
        var hash = BlobHash.Over(Program);

        var cut = await repository.Content.Take(hash, new MemoryStream(Program[..4]), 0, Program.Length, default);
        var gap = await repository.Content.Take(hash, new MemoryStream(Program[6..]), 6, Program.Length, default);
        var rest = await repository.Content.Take(hash, new MemoryStream(Program[2..]), 2, Program.Length, default);

        Assert.Contains("only 4 of 11", cut!.Detail, StringComparison.Ordinal);
        Assert.Contains("from 4 on", gap!.Detail, StringComparison.Ordinal);
        Assert.Null(rest);
        Assert.True(repository.Content.Blobs.Contains(hash));
    }

    [Fact]
    public async Task Other_content_than_its_name_says_is_not_kept()
    {
        await using var repository = await Open();
        var hash = BlobHash.Over(Program);

        var refused = await repository.Content.Take(hash, new MemoryStream(Notes), 0, Notes.Length, default);

        Assert.Equal(RefusalCode.Invalid, refused!.Code);
        Assert.Equal((false, 0), (repository.Content.Blobs.Contains(hash), repository.Content.Blobs.LengthOfPart(hash)));
    }

    [Fact]
    public async Task What_packages_need_and_what_came_of_late_never_goes_for_an_upload()
    {
        await using var repository = await Open();
        await Publish(repository, "1.0", new byte[1500]);
        _clock.Advance(_options.KeepUnlisted / 2);
        var fresh = await Keep(repository, [1, .. new byte[999]]);

        var refused = await repository.Content.Take(BlobHash.Over(new byte[2500]), new MemoryStream(new byte[2500]), 0, 2500, default);
        _clock.Advance(_options.KeepUnlisted);
        var taken = await repository.Content.Take(BlobHash.Over(new byte[2000]), new MemoryStream(new byte[2000]), 0, 2000, default);

        Assert.Equal(RefusalCode.TooLarge, refused!.Code);
        Assert.Null(taken);
        Assert.Equal((true, false), (repository.Content.Blobs.Contains(BlobHash.Over(new byte[1500])), repository.Content.Blobs.Contains(fresh)));
    }

    [Fact]
    public async Task Nothing_is_published_over_content_that_the_disk_has_lost()
    {
        await using var repository = await Open();
        var hash = await Keep(repository, Program);
        File.Delete(Directory.EnumerateFiles(System.IO.Path.Combine(Path, "content", "blobs"), hash.Value, SearchOption.AllDirectories).Single());

        var refused = await repository.Publish(new PackageManifest("tills", "1.0", InstallKind.Archive, [new PackageFile("till", 0b110_100_100, Program.Length, hash)]), default);

        Assert.Equal(RefusalCode.NotFound, refused.Refusal!.Code);
        Assert.Empty(repository.Packages);
    }

    [Fact]
    public async Task A_manifest_that_the_disk_has_changed_is_whole_again_when_the_same_is_published()
    {
        await using var repository = await Open();
        var package = (await Publish(repository, "1.0", Program)).Package!;
        var blob = Directory.EnumerateFiles(System.IO.Path.Combine(Path, "content", "blobs"), package.Manifest.Value, SearchOption.AllDirectories).Single();
        var bytes = File.ReadAllBytes(blob);
        bytes[10] ^= 1;
        File.WriteAllBytes(blob, bytes);

        Assert.Null(repository.Content.ManifestOf(package));
        Assert.False((await Publish(repository, "1.0", Program)).Changed);

        Assert.NotNull(repository.Content.ManifestOf(package));
    }

    [Theory]
    [InlineData("../identity/authority.key")]
    [InlineData("timestamp.json.new")]
    [InlineData("..json/x.json")]
    [InlineData("none.json")]
    public async Task Nothing_but_metadata_is_served_as_such(string name)
    {
        await using var repository = await Open();

        Assert.Null(await repository.Metadata(name, default));
        Assert.NotNull(await repository.Metadata("timestamp.json", default));
    }

    private Task<TenantRepository> Open(ILoggerFactory? log = null) => TenantRepository.Open(Path, _options, _authority, _clock, log ?? NullLoggerFactory.Instance);

    private static async Task<Publication> Publish(TenantRepository repository, string version, params byte[][] files)
    {
        var hashes = new List<PackageFile>();
        foreach (var file in files)
            hashes.Add(new PackageFile($"file{hashes.Count}", 0b110_100_100, file.Length, await Keep(repository, file)));
        return await repository.Publish(new PackageManifest("tills", version, InstallKind.Archive, hashes), default);
    }

    private static async Task<BlobHash> Keep(TenantRepository repository, byte[] content)
    {
        var hash = BlobHash.Over(content);
        Assert.Null(await repository.Content.Take(hash, new MemoryStream(content), 0, content.Length, default));
        return hash;
    }

    private DateTimeOffset TimestampExpires() => System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(System.IO.Path.Combine(Path, "metadata", "timestamp.json")))
        .RootElement.GetProperty("signed").GetProperty("expires").GetDateTimeOffset();

    private MetadataDirectory Device()
    {
        var store = new MetadataDirectory(System.IO.Path.Combine(_directory, $"device-{Guid.NewGuid():n}"));
        TufClient.Begin(store, File.ReadAllBytes(System.IO.Path.Combine(Path, "metadata", "1.root.json")), _clock.GetUtcNow());
        return store;
    }

    private TufClient Client(IMetadataStore store) => new(new Folder(System.IO.Path.Combine(Path, "metadata")), new Folder(Path), store, _clock);

    private async Task<TufClient> Refreshed()
    {
        var client = Client(Device());
        await client.RefreshAsync(_clock.GetUtcNow());
        return client;
    }

    private sealed class Folder(string path) : IFileSource
    {
        public Task<Stream?> OpenAsync(string file, CancellationToken stop) =>
            Task.FromResult<Stream?>(File.Exists(System.IO.Path.Combine(path, file)) ? File.OpenRead(System.IO.Path.Combine(path, file)) : null);
    }
}
