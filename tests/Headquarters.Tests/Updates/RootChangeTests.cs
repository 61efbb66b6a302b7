using Fleet.Contracts;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Updates;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Fleet.Updates.Tuf.Repository;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Updates;

/// <summary>Who signs the repository changes, and a client that knew it before follows.</summary>
public sealed class RootChangeTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-roots-").FullName;
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 4, 12, 0, 0, TimeSpan.Zero));
    private readonly CertificateAuthority _authority;
    private readonly UpdateOptions _options = HeadquartersOptions.Load(null, []).Updates;

    public RootChangeTests() => _authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), _clock);

    private string Updates => Path.Combine(_directory, "updates");

    private string RootKey => Path.Combine(Updates, "keys", "root.key");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(RoleNames.Timestamp)]
    [InlineData(RoleNames.Snapshot)]
    [InlineData(RoleNames.Targets)]
    [InlineData(RoleNames.Root)]
    public async Task An_old_client_follows_a_key_that_was_rotated_also_behind_a_restart(string role)
    {
        MetadataDirectory device;
        string before;
        await using (var repository = await Open())
        {
            await Publish(repository, "1.0");
            device = Device();
            await Refresh(device);
            before = Assert.Single(repository.Keys.Root.Roles[role].Keys).Key;

            Assert.Null(await repository.Rotate(role, default));

            Assert.NotEqual(before, Assert.Single(repository.Keys.Root.Roles[role].Keys).Key);
            Assert.NotNull(await (await Refresh(device)).FindAsync("packages/tills/1.0.json"));
        }

        await using var again = await Open();
        await Publish(again, "1.1");
        Assert.NotNull(await (await Refresh(device)).FindAsync("packages/tills/1.1.json"));
        Assert.Equal(RoleNames.TopLevel.Count(), again.Keys.AtHand.Count);
    }

    [Fact]
    public async Task With_the_roots_key_away_a_rotation_is_refused_and_says_what_to_do()
    {
        await using var repository = await Open();
        File.Move(RootKey, RootKey + ".safe");

        var refused = (await repository.Rotate(RoleNames.Targets, default))!;

        Assert.Equal(RefusalCode.NotAllowed, refused.Code);
        Assert.Contains(RootKey, refused.Detail, StringComparison.Ordinal);
        Assert.Contains("fleet update root export --rotate targets", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(1, repository.Keys.Root.Version);
    }

    [Fact]
    public async Task A_root_moves_to_a_key_of_its_own_and_what_that_signs_is_followed()
    {
        await using var repository = await Open();
        await Publish(repository, "1.0");
        var device = Device();
        await Refresh(device);
        var offline = SigningKey.NewEd25519();

        var moved = await repository.DraftRoot([], offline.Public, default);
        Assert.Contains("root", (await repository.TakeRoot(moved, default))!.Detail, StringComparison.Ordinal);
        Assert.Null(await repository.TakeRoot(MetadataDocument.Sign(moved, offline), default));

        Assert.False(File.Exists(RootKey));
        var next = await repository.DraftRoot([RoleNames.Targets, RoleNames.Snapshot], null, default);
        Assert.Empty(MetadataDocument.SignersOf(next));
        Assert.NotNull(await repository.TakeRoot(next, default));
        Assert.Null(await repository.TakeRoot(MetadataDocument.Sign(next, offline), default));
        await Publish(repository, "1.1");
        var client = await Refresh(device);
        Assert.Equal(3, client.Trusted!.Root.Version);
        Assert.NotNull(await client.FindAsync("packages/tills/1.1.json"));
    }

    [Fact]
    public async Task A_key_that_was_to_come_when_headquarters_stopped_is_taken_once_the_root_trusts_it()
    {
        byte[] draft;
        await using (var repository = await Open())
            draft = await repository.DraftRoot([RoleNames.Targets], null, default);
        // It stopped when the root was written, and nothing else yet.
        File.WriteAllBytes(Path.Combine(Updates, "metadata", "2.root.json"), draft);

        await using var again = await Open();
        await Publish(again, "1.0");

        Assert.NotNull(await (await Refresh(Device())).FindAsync("packages/tills/1.0.json"));
    }

    [Fact]
    public async Task A_root_that_headquarters_could_not_go_on_with_is_refused_and_changes_nothing()
    {
        await using var repository = await Open();
        var draft = await repository.DraftRoot([], null, default);
        var (root, stranger) = (MetadataDocument.ReadRoot(draft), SigningKey.NewEd25519());
        var foreign = root.Roles.ToDictionary(r => r.Key, r => r.Key == RoleNames.Timestamp ? new Signers(new Dictionary<string, TufKey> { [stranger.Id] = stranger.Public }, 1) : r.Value);

        var lost = await repository.TakeRoot(MetadataDocument.Unsigned(root with { Roles = foreign }), default);
        var late = await repository.TakeRoot(MetadataDocument.Unsigned(root with { Version = 5 }), default);
        var nonsense = await repository.TakeRoot([1, 2, 3], default);

        Assert.Contains("--rotate timestamp", lost!.Detail, StringComparison.Ordinal);
        Assert.Contains("export the next root again", late!.Detail, StringComparison.Ordinal);
        Assert.Contains("no root", nonsense!.Detail, StringComparison.Ordinal);
        Assert.Equal(1, repository.Keys.Root.Version);
    }

    private Task<TenantRepository> Open() => TenantRepository.Open(Updates, _options, _authority, _clock, NullLoggerFactory.Instance);

    private static async Task Publish(TenantRepository repository, string version)
    {
        var content = System.Text.Encoding.ASCII.GetBytes($"program {version}");
        var hash = BlobHash.Over(content);
        Assert.Null(await repository.Content.Take(hash, new MemoryStream(content), 0, content.Length, default));
        Assert.Null((await repository.Publish(new PackageManifest("tills", version, InstallKind.Archive, [new PackageFile("till", 0b110_100_100, content.Length, hash)]), default)).Refusal);
    }

    private MetadataDirectory Device()
    {
        var store = new MetadataDirectory(Path.Combine(_directory, $"device-{Guid.NewGuid():n}"));
        TufClient.Begin(store, File.ReadAllBytes(Path.Combine(Updates, "metadata", "1.root.json")), _clock.GetUtcNow());
        return store;
    }

    private async Task<TufClient> Refresh(IMetadataStore store)
    {
        var client = new TufClient(new Folder(Path.Combine(Updates, "metadata")), new Folder(Updates), store, _clock);
        await client.RefreshAsync(_clock.GetUtcNow());
        return client;
    }

    private sealed class Folder(string path) : IFileSource
    {
        public Task<Stream?> OpenAsync(string file, CancellationToken stop) =>
            Task.FromResult<Stream?>(File.Exists(Path.Combine(path, file)) ? File.OpenRead(Path.Combine(path, file)) : null);
    }
}
