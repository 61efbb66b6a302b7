using Fleet.Updates.Tests.Tuf.Client;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Fleet.Updates.Tuf.Repository;

namespace Fleet.Updates.Tests.Tuf.Repository;

public sealed class RepositoryWriterTests : IDisposable
{
    private static readonly DateTimeOffset Noon = TestRepository.Noon;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fleet-tuf-");
    private readonly TestStore _store = new();
    private readonly SigningKey[] _rootKeys = [SigningKey.NewEd25519(), SigningKey.NewEd25519(), SigningKey.NewEcdsa()];
    private readonly SigningKey _targetsKey = SigningKey.NewEd25519();
    private OnlineKeys _online = new([SigningKey.NewEd25519()], [SigningKey.NewEd25519()]);

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task What_is_published_a_client_finds_and_downloads()
    {
        var writer = await Published("app/1.0", "one");
        var custom = StrictJson.Parse("""{"version":"1.0"}"""u8, 100);
        var second = await writer.AddTargetAsync("app/2.0", new MemoryStream([.. "two"u8]), custom);
        writer.Publish(Noon, _online, Signed(writer.Draft(Noon, "targets", [.. writer.TargetsOf("targets")!.Files.Values, second])));

        var client = await Refreshed();

        Assert.Equal("one", await Content(client, "app/1.0"));
        Assert.Equal("two", await Content(client, "app/2.0"));
        Assert.Equal("1.0", (await client.FindAsync("app/2.0"))!.Custom?.GetProperty("version").GetString());
        Assert.Equal((2, 2, 2), Versions(client));
    }

    [Fact]
    public async Task Delegated_roles_sign_for_themselves()
    {
        var writer = await Published("app", "one");
        var team = SigningKey.NewEcdsa();
        var file = await writer.AddTargetAsync("team/tool", new MemoryStream([.. "tool"u8]));
        var delegations = new Delegations([new DelegatedRole("team", TestRepository.Signers([team]), Terminating: true, ["team/*"])]);
        var draft = writer.Draft(Noon, "team", [file]);
        var targets = Signed(writer.Draft(Noon, "targets", writer.TargetsOf("targets")!.Files.Values, delegations));

        Refused(TufFault.Unsigned, () => writer.Publish(Noon, _online, targets, Signed(draft)));
        Refused(TufFault.Unsigned, () => writer.Publish(Noon, _online, Signed(draft, team)));
        writer.Publish(Noon, _online, targets, Signed(draft, team));

        Assert.Equal("tool", await Content(await Refreshed(), "team/tool"));
        // The team goes on without the targets key.
        writer.Publish(Noon, _online, Signed(writer.Draft(Noon, "team", []), team));
        Assert.Null(await (await Refreshed()).FindAsync("team/tool"));
    }

    [Fact]
    public async Task Bins_divide_many_files_among_roles()
    {
        var writer = await Published("app", "one");
        var bins = new SuccinctRoles(TestRepository.Signers([_targetsKey]), BitLength: 3, "bin");
        var files = new List<TargetFile>();
        for (var i = 0; i < 40; i++)
            files.Add(await writer.AddTargetAsync($"file{i}", new MemoryStream([(byte)i])));
        var roles = files.GroupBy(f => bins.BinOf(f.Path).Name).Select(b => Signed(writer.Draft(Noon, b.Key, b))).ToList();

        writer.Publish(Noon, _online, [.. roles, Signed(writer.Draft(Noon, "targets", [], new Delegations([], bins)))]);

        var client = await Refreshed();
        foreach (var file in files)
            Assert.Equal(file.Hashes.Naming, (await client.FindAsync(file.Path))?.Hashes.Naming);
        Assert.Null(await client.FindAsync("app"));
    }

    [Fact]
    public async Task An_offline_root_is_signed_elsewhere_and_merged()
    {
        var writer = await Published("app", "one");
        await Refreshed();
        var rootKeys = new[] { _rootKeys[1], _rootKeys[2], SigningKey.NewEd25519() };
        var draft = writer.DraftRoot(Noon, new Dictionary<string, Signers> { ["root"] = TestRepository.Signers(rootKeys, 2) });
        var (here, there) = (MetadataDocument.Sign(draft, rootKeys[0]), MetadataDocument.Sign(draft, rootKeys[1]));

        Refused(TufFault.Unsigned, () => writer.PublishRoot(Noon, draft));
        Refused(TufFault.Unsigned, () => writer.PublishRoot(Noon, here));
        Assert.Throws<FormatException>(() => MetadataDocument.Merge(here, writer.DraftRoot(Noon.AddDays(1), new Dictionary<string, Signers>())));
        writer.PublishRoot(Noon, MetadataDocument.Merge(here, there));

        var client = await Refreshed();
        Assert.Equal(2, client.Trusted!.Root.Version);
        Assert.Equal(rootKeys.Select(k => k.Public.Identity).Order(), client.Trusted.Root.Roles["root"].Identities.Order());
    }

    [Fact]
    public async Task Keys_that_are_taken_away_are_replaced_in_every_role()
    {
        var writer = await Published("app", "one");
        await Refreshed();
        _online = new OnlineKeys([SigningKey.NewEd25519()], [SigningKey.NewEd25519()]);
        writer.PublishRoot(Noon, MetadataDocument.Sign(writer.DraftRoot(Noon, Online()), _rootKeys));

        writer.Publish(Noon, _online);

        Assert.Equal((2, 2, 1), Versions(await Refreshed()));
    }

    [Fact]
    public async Task A_renewal_writes_a_timestamp_and_in_time_a_snapshot()
    {
        var writer = await Published("app", "one");

        writer.Publish(Noon.AddHours(12), _online);
        Assert.Equal((2, 1, 1), Versions(await Refreshed(Noon.AddHours(30))));

        writer.Publish(Noon.AddDays(4), _online);
        Assert.Equal((3, 2, 1), Versions(await Refreshed(Noon.AddDays(4))));
    }

    [Fact]
    public async Task What_clients_would_refuse_is_not_written()
    {
        var writer = await Published("app", "one");
        var before = Listing();
        var good = Signed(writer.Draft(Noon, "targets", []));

        Refused(TufFault.Unsigned, () => writer.Publish(Noon, _online, writer.Draft(Noon, "targets", [])));
        Refused(TufFault.Unsigned, () => writer.Publish(Noon, _online, Signed(writer.Draft(Noon, "nobody", []))));
        Refused(TufFault.Unsigned, () => writer.Publish(Noon, _online with { Timestamp = [_targetsKey] }, good));
        Refused(TufFault.Unsigned, () => writer.Publish(Noon, _online with { Snapshot = [] }, good));
        Refused(TufFault.Expired, () => writer.Publish(Noon.AddDays(90), _online, good));
        Refused(TufFault.Expired, () => writer.Publish(Noon.AddDays(400), _online));
        Refused(TufFault.WrongVersion, () => writer.PublishRoot(Noon, TestRepository.Sign(writer.Root! with { Version = 3 }, _rootKeys)));
        writer.Publish(Noon, _online, good);
        Refused(TufFault.WrongVersion, () => writer.Publish(Noon, _online, good));
        await Assert.ThrowsAsync<TufException>(() => writer.AddTargetAsync("../app", new MemoryStream()));

        Assert.Equal(["metadata/2.snapshot.json", "metadata/2.targets.json"], Listing().Except(before));
    }

    [Fact]
    public async Task Attack_19_a_publication_that_fails_before_its_timestamp_is_seen_by_nobody()
    {
        var writer = await Published("app", "one");
        var obstacle = Directory.CreateDirectory(Path.Combine(_directory.FullName, "metadata", "2.snapshot.json"));
        var targets = Signed(writer.Draft(Noon, "targets", []));

        Assert.ThrowsAny<SystemException>(() => writer.Publish(Noon, _online, targets));
        Assert.True(File.Exists(Path.Combine(_directory.FullName, "metadata", "2.targets.json")));
        Assert.Equal("one", await Content(await Refreshed(), "app"));

        obstacle.Delete();
        writer.Publish(Noon, _online, targets);
        Assert.Null(await (await Refreshed()).FindAsync("app"));
    }

    [Fact]
    public async Task A_file_that_was_on_its_way_in_when_the_power_went_is_cleared_away()
    {
        var incoming = Path.Combine(_directory.FullName, "incoming");
        await Published("app", "one");
        Assert.Empty(Directory.GetFiles(incoming));
        File.WriteAllText(Path.Combine(incoming, "half"), "ha");

        _ = new RepositoryWriter(_directory.FullName);

        Assert.False(File.Exists(Path.Combine(incoming, "half")));
    }

    [Fact]
    public async Task Old_versions_are_deleted_and_roots_are_not()
    {
        var writer = await Published("app", "one");
        for (var i = 0; i < 20; i++)
        {
            writer.Publish(Noon, _online, Signed(writer.Draft(Noon, "targets", [])));
            writer.PublishRoot(Noon, MetadataDocument.Sign(writer.DraftRoot(Noon, new Dictionary<string, Signers>()), _rootKeys));
        }

        var files = Directory.GetFiles(Path.Combine(_directory.FullName, "metadata")).Select(f => Path.GetFileName(f)).ToList();
        Assert.Equal((10, 10, 21), (Count("snapshot"), Count("targets"), Count("root")));
        await Refreshed();

        int Count(string role) => files.Count(f => f.EndsWith($".{role}.json", StringComparison.Ordinal));
    }

    private async Task<RepositoryWriter> Published(string path, string content)
    {
        var writer = new RepositoryWriter(_directory.FullName);
        var roles = new Dictionary<string, Signers>(Online())
        {
            ["root"] = TestRepository.Signers(_rootKeys, 2),
            ["targets"] = TestRepository.Signers([_targetsKey]),
        };
        var root = MetadataDocument.Sign(writer.DraftRoot(Noon, roles), _rootKeys[..2]);
        writer.PublishRoot(Noon, root);
        var file = await writer.AddTargetAsync(path, new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)));
        writer.Publish(Noon, _online, Signed(writer.Draft(Noon, "targets", [file])));
        TufClient.Begin(_store, root, Noon);
        return writer;
    }

    private Dictionary<string, Signers> Online() =>
        new() { ["snapshot"] = TestRepository.Signers(_online.Snapshot), ["timestamp"] = TestRepository.Signers(_online.Timestamp) };

    private RoleDocument Signed(RoleDocument draft, SigningKey? key = null) =>
        draft with { Content = MetadataDocument.Sign(draft.Content, key ?? _targetsKey) };

    private async Task<TufClient> Refreshed(DateTimeOffset? now = null)
    {
        var client = new TufClient(new FolderSource(_directory, "metadata"), new FolderSource(_directory, "targets"), _store, TimeProvider.System);
        await client.RefreshAsync(now ?? Noon);
        return client;
    }

    private async Task<string> Content(TufClient client, string path)
    {
        var target = await client.FindAsync(path);
        using var file = await client.DownloadAsync(target!, Path.Combine(_directory.FullName, "downloaded"));
        using var reader = new StreamReader(file);
        return await reader.ReadToEndAsync();
    }

    private static (long Timestamp, long Snapshot, long Targets) Versions(TufClient client) =>
        (client.Trusted!.Timestamp!.Version, client.Trusted.Snapshot!.Version, client.Trusted.Targets!.Version);

    private List<string> Listing() =>
        [.. _directory.GetFiles("*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_directory.FullName, f.FullName)).Order()];

    private static void Refused(TufFault fault, Action act)
    {
        var refusal = Assert.Throws<TufException>(act);
        Assert.True(fault == refusal.Fault, $"{refusal.Fault}: {refusal.Message}");
    }

    private sealed class FolderSource(DirectoryInfo directory, string folder) : IFileSource
    {
        public Task<Stream?> OpenAsync(string path, CancellationToken stop)
        {
            var file = Path.Combine(directory.FullName, folder, Uri.UnescapeDataString(path));
            return Task.FromResult<Stream?>(File.Exists(file) ? File.OpenRead(file) : null);
        }
    }
}
