using System.Text;
using Fleet.Updates.Tuf;
using Fleet.Updates.Tuf.Client;
using Fleet.Updates.Tuf.Repository;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Tuf.Client;

public sealed class TufClientTests : IDisposable
{
    private static readonly byte[] Content = [.. "what a device installs"u8];

    private readonly TestRepository _repository = new();
    private readonly TestStore _store = new();
    private readonly FakeTimeProvider _clock = new(TestRepository.Noon);
    private readonly DirectoryInfo _downloads = Directory.CreateTempSubdirectory("fleet-tuf-");
    private readonly TestSource _metadata;
    private readonly TestSource _targets;

    public TufClientTests()
    {
        _metadata = new TestSource(_repository, "metadata");
        _targets = new TestSource(_repository, "targets");
        TufClient.Begin(_store, _repository.Files["metadata/1.root.json"], TestRepository.Noon);
    }

    private string Path => System.IO.Path.Combine(_downloads.FullName, "file");

    public void Dispose() => _downloads.Delete(recursive: true);

    [Fact]
    public async Task A_refresh_asks_for_four_files_and_the_next_only_for_what_is_new()
    {
        await Refreshed();
        Assert.Equal(["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"], _metadata.Asked);
        Assert.Equal(["root.json", "snapshot.json", "targets.json", "timestamp.json"], _store.Names.Order());

        _metadata.Asked.Clear();
        await Refreshed();
        Assert.Equal(["2.root.json", "timestamp.json"], _metadata.Asked);
    }

    [Fact]
    public async Task The_received_bytes_are_stored()
    {
        _repository.Files["metadata/timestamp.json"] = [.. " "u8, .. _repository.Current("timestamp"), .. "\n "u8];

        await Refreshed();

        Assert.Equal(_repository.Files["metadata/timestamp.json"], _store.Files["timestamp.json"]);
    }

    [Fact]
    public async Task Without_consistent_snapshots_plain_names_are_asked_for()
    {
        var target = _repository.AddTarget("a/b c.bin", Content);
        _repository.Root = _repository.Root with { ConsistentSnapshot = false };
        _repository.Publish("root", "targets", "snapshot", "timestamp");
        foreach (var role in new[] { "snapshot", "targets" })
            _repository.Files[$"metadata/{role}.json"] = _repository.Current(role);
        _repository.Files["targets/a/b%20c.bin"] = Content;

        var client = await Refreshed();
        using var file = await client.DownloadAsync(target, Path);

        Assert.Equal(["2.root.json", "3.root.json", "timestamp.json", "snapshot.json", "targets.json"], _metadata.Asked);
        Assert.Equal(["a/b%20c.bin"], _targets.Asked);
    }

    [Fact]
    public async Task A_file_is_found_downloaded_once_and_handed_out_opened()
    {
        _repository.AddTarget("apps/till.bin", Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        var client = await Refreshed();
        var target = await client.FindAsync("apps/till.bin");

        using (var first = await client.DownloadAsync(target!, Path))
            Assert.Equal(Content, ReadAll(first));
        using (var second = await client.DownloadAsync(target!, Path))
            Assert.Equal(Content, ReadAll(second));

        Assert.Equal([$"apps/{target!.Hashes.Naming}.till.bin"], _targets.Asked);
        Assert.Null(await client.FindAsync("apps/other.bin"));
    }

    [Fact]
    public async Task Custom_data_comes_with_the_file()
    {
        var target = _repository.AddTarget("app", Content);
        var custom = StrictJson.Parse("""{"platform":"linux-x64","kind":["deb"]}"""u8, 1000);
        _repository.Roles["targets"] = _repository.Roles["targets"] with
        {
            Files = new Dictionary<string, TargetFile> { ["app"] = target with { Custom = custom } },
        };
        _repository.Publish("targets", "snapshot", "timestamp");

        var found = await (await Refreshed()).FindAsync("app");

        Assert.Equal("linux-x64", found?.Custom?.GetProperty("platform").GetString());
    }

    [Fact]
    public async Task Attack_01_an_unsigned_or_foreign_repository_changes_nothing()
    {
        await Refreshed();
        var before = _store.Copy();
        var foreign = new TestRepository();
        foreach (var (path, bytes) in foreign.Files)
            _repository.Files[path] = bytes;
        foreign.Publish("root", "timestamp");
        _repository.Files["metadata/2.root.json"] = foreign.Current("root");

        await Refused(TufFault.Unsigned);

        Assert.Equal(before.Files, _store.Files);
    }

    [Fact]
    public async Task Attack_01_a_file_with_other_content_leaves_nothing_behind()
    {
        var target = _repository.AddTarget("app", Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        var client = await Refreshed();
        foreach (var path in _repository.Files.Keys.Where(k => k.StartsWith("targets/", StringComparison.Ordinal)))
            _repository.Files[path] = [.. Content[..^1], (byte)'!'];

        var refusal = await Assert.ThrowsAsync<TufException>(() => client.DownloadAsync(target, Path));

        Assert.Equal(TufFault.Mismatch, refusal.Fault);
        Assert.Empty(_downloads.GetFileSystemInfos());
    }

    // CVE-2020-15163: python-tuf trusted a root later that had failed before.
    [Fact]
    public async Task Attack_03_a_refused_root_is_not_kept()
    {
        _repository.Files["metadata/2.root.json"] = TestRepository.Sign(_repository.Root with { Version = 2 }, SigningKey.NewEd25519());

        await Refused(TufFault.Unsigned);
        await Refused(TufFault.Unsigned);

        Assert.Equal(_repository.Files["metadata/1.root.json"], _store.Files["root.json"]);
    }

    [Fact]
    public async Task Attack_03_a_chain_of_roots_is_followed_to_its_end_and_no_further_than_256()
    {
        for (var i = 0; i < TufClient.MaxRootRotations + 1; i++)
            _repository.Publish("root");

        await Refused(TufFault.TooMany);

        Assert.DoesNotContain("timestamp.json", _metadata.Asked);
        Assert.Equal(_repository.Files["metadata/257.root.json"], _store.Files["root.json"]);
        Assert.Equal(258, (await Refreshed()).Trusted?.Root.Version);
    }

    // CVE-2022-29173: go-tuf compared with 0 instead of the stored version, and saved before it compared.
    [Theory, InlineData("timestamp"), InlineData("snapshot"), InlineData("targets"), InlineData("team")]
    public async Task Attack_04_an_older_generation_is_refused_also_after_a_restart(string role)
    {
        _repository.Delegate("targets", "team", ["team/*"]);
        _repository.Publish("team", "team", "targets", "snapshot", "timestamp");
        await Refreshed();
        var before = _store.Copy();

        // The attacker has the keys below the root and publishes a lower version of one role.
        _repository.SetVersion(role, 0);
        _repository.Publish(role is "team" or "targets" ? [role, "snapshot", "timestamp"] : role == "snapshot" ? [role, "timestamp"] : [role]);
        await Refused(TufFault.Rollback);

        Assert.Equal(before.Files["snapshot.json"], _store.Files["snapshot.json"]);
        Assert.Equal(before.Files["targets.json"], _store.Files["targets.json"]);
    }

    [Fact]
    public async Task Attack_04_a_role_that_vanishes_from_the_snapshot_is_refused()
    {
        _repository.Delegate("targets", "team", ["team/*"]);
        _repository.Publish("team", "targets", "snapshot", "timestamp");
        await Refreshed();
        _repository.SetSnapshotFile("team", null);
        _repository.Publish("snapshot", "timestamp");

        await Refused(TufFault.Rollback);
    }

    [Fact]
    public async Task Attack_04_without_stored_state_the_version_that_headquarters_names_is_the_floor()
    {
        _repository.Publish("timestamp", "timestamp");
        await Refreshed();
        var old = _repository.Files["metadata/timestamp.json"];
        _repository.Publish("timestamp");
        _repository.Files["metadata/timestamp.json"] = old;
        _store.Delete("timestamp.json");

        var refusal = await Assert.ThrowsAsync<TufException>(() => Client().RefreshAsync(TestRepository.Noon, leastTimestamp: 4));

        Assert.Equal(TufFault.Stale, refusal.Fault);
    }

    [Theory, InlineData("root"), InlineData("timestamp"), InlineData("snapshot"), InlineData("targets"), InlineData("team")]
    public async Task Attack_05_a_frozen_mirror_is_refused_once_a_role_expires(string role)
    {
        _repository.Delegate("targets", "team", ["team/*"]);
        _repository.SetExpiry(role, TestRepository.Noon.AddHours(1));
        _repository.SetVersion("root", role == "root" ? 1 : 0);
        _repository.Publish("root", "team", "targets", "snapshot", "timestamp");
        var client = await Refreshed();
        Assert.Null(await client.FindAsync("team/app"));

        var refusal = await Assert.ThrowsAsync<TufException>(async () =>
        {
            await client.RefreshAsync(TestRepository.Noon.AddHours(1));
            await client.FindAsync("team/app");
        });

        Assert.Equal((TufFault.Expired, role), (refusal.Fault, refusal.Subject));
    }

    [Fact]
    public async Task Attack_05_one_moment_judges_the_whole_refresh()
    {
        _repository.SetExpiry("targets", TestRepository.Noon.AddSeconds(1));
        _repository.Publish("targets", "snapshot", "timestamp");
        _metadata.Lie = path =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return null;
        };

        Assert.Equal(2, (await Refreshed()).Trusted?.Targets?.Version);
    }

    [Theory, InlineData("timestamp"), InlineData("snapshot"), InlineData("timestamp", "snapshot")]
    public async Task Attack_06_after_a_fast_forward_new_keys_bring_devices_back(params string[] rotated)
    {
        _repository.SetVersion("timestamp", long.MaxValue - 1);
        _repository.SetVersion("snapshot", long.MaxValue - 1);
        _repository.SetVersion("targets", long.MaxValue - 1);
        _repository.Publish("targets", "snapshot", "timestamp");
        await Refreshed();
        Assert.Equal(long.MaxValue, TrustedVersion());

        foreach (var role in rotated)
            _repository.Rotate(role);
        foreach (var role in new[] { "timestamp", "snapshot", "targets" })
            _repository.SetVersion(role, 4);
        _repository.Publish("root", "targets", "snapshot", "timestamp");
        await Refreshed();

        Assert.Equal(5, TrustedVersion());
        Assert.DoesNotContain("recovery", _store.Names);
    }

    [Fact]
    public async Task Attack_06_a_new_key_beside_the_old_one_forgets_nothing()
    {
        _repository.Publish("timestamp");
        await Refreshed();
        _repository.SetSigners("timestamp", TestRepository.Signers([.. _repository.Keys["timestamp"], SigningKey.NewEd25519()]));
        _repository.SetVersion("timestamp", 0);
        _repository.Publish("root", "timestamp");

        await Refused(TufFault.Rollback);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Attack_07_files_of_two_generations_do_not_mix(bool promises)
    {
        _repository.Promises = promises;
        var old = _repository.Files["metadata/1.targets.json"];
        _repository.Publish("targets", "snapshot", "timestamp");
        _repository.Files["metadata/2.targets.json"] = old;

        await Refused(promises ? TufFault.Mismatch : TufFault.WrongVersion);

        Assert.DoesNotContain("targets.json", _store.Names);
    }

    [Fact]
    public async Task Attack_08_what_is_stored_stays_when_the_same_version_says_otherwise()
    {
        await Refreshed();
        var before = _store.Copy();
        _repository.AddTarget("new", Content);
        foreach (var role in new[] { "timestamp", "snapshot", "targets" })
            _repository.SetVersion(role, 0);
        _repository.Publish("targets", "snapshot", "timestamp");

        var client = await Refreshed();

        Assert.Equal(before.Files, _store.Files);
        Assert.Null(await client.FindAsync("new"));
    }

    [Theory]
    [InlineData("2.root.json", MetadataLimits.Root)]
    [InlineData("timestamp.json", MetadataLimits.Timestamp)]
    [InlineData("1.snapshot.json", MetadataLimits.Snapshot)]
    [InlineData("1.targets.json", MetadataLimits.Targets)]
    public async Task Attack_09_endless_metadata_is_cut(string file, int limit)
    {
        var endless = new EndlessStream();
        _metadata.Lie = path => path == file ? endless : null;

        await Refused(TufFault.TooLarge);

        Assert.InRange(endless.Sent, 1, limit + 65_536);
    }

    [Fact]
    public async Task Attack_09_metadata_is_cut_at_the_promised_length()
    {
        var endless = new EndlessStream();
        _metadata.Lie = path => path == "1.snapshot.json" ? endless : null;

        await Refused(TufFault.TooLarge);

        Assert.InRange(endless.Sent, 1, 65_536);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Attack_09_a_file_longer_or_shorter_than_signed_leaves_nothing_behind(bool endless)
    {
        var target = _repository.AddTarget("app", Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        var client = await Refreshed();
        _targets.Lie = _ => endless ? new EndlessStream() : new MemoryStream(Content, 0, Content.Length - 1);

        var refusal = await Assert.ThrowsAsync<TufException>(() => client.DownloadAsync(target, Path));

        Assert.Equal(endless ? TufFault.TooLarge : TufFault.Mismatch, refusal.Fault);
        Assert.Empty(_downloads.GetFileSystemInfos());
    }

    [Fact]
    public async Task Attack_09_a_file_of_the_right_hash_and_another_length_is_refused()
    {
        var target = _repository.AddTarget("app", Content);
        var client = await Refreshed();

        var refusal = await Assert.ThrowsAsync<TufException>(() => client.DownloadAsync(target with { Length = target.Length + 1 }, Path));

        Assert.Equal(TufFault.Mismatch, refusal.Fault);
    }

    [Fact]
    public async Task Attack_10_a_source_that_drips_is_given_up()
    {
        var pace = new Pace(MinimumBytes: 10, TimeSpan.FromMinutes(1));
        var dripping = new DrippingStream(() => _clock.Advance(TimeSpan.FromSeconds(7)));
        _metadata.Lie = path => path == "timestamp.json" ? dripping : null;

        var refusal = await Assert.ThrowsAsync<TufException>(() => Client(pace).RefreshAsync(TestRepository.Noon));

        Assert.Equal(TufFault.TooSlow, refusal.Fault);
        Assert.Equal(8, dripping.Sent);
    }

    [Fact]
    public async Task Attack_10_a_quick_start_buys_no_slow_end()
    {
        var asked = 0;
        var slowing = new DrippingStream(() => _clock.Advance(TimeSpan.FromSeconds(asked++ < 30 ? 0 : 7)));
        _metadata.Lie = path => path == "timestamp.json" ? slowing : null;

        var refusal = await Assert.ThrowsAsync<TufException>(() => Client(new Pace(10, TimeSpan.FromMinutes(1))).RefreshAsync(TestRepository.Noon));

        Assert.Equal(TufFault.TooSlow, refusal.Fault);
        Assert.Equal(30 + 8, slowing.Sent);
    }

    [Fact]
    public async Task Attack_10_a_source_that_keeps_its_pace_may_take_as_long_as_it_needs()
    {
        var pace = new Pace(MinimumBytes: 10, TimeSpan.FromMinutes(1));
        var timely = new DrippingStream(() => _clock.Advance(TimeSpan.FromSeconds(5.5)));
        _metadata.Lie = path => path == "timestamp.json" ? timely : null;

        var refusal = await Assert.ThrowsAsync<TufException>(() => Client(pace).RefreshAsync(TestRepository.Noon));

        Assert.Equal(TufFault.TooLarge, refusal.Fault);
    }

    [Fact]
    public async Task Attack_10_a_source_that_hangs_and_does_not_listen_is_given_up()
    {
        var silent = new SilentStream();
        _metadata.Lie = path => path == "timestamp.json" ? silent : null;
        var refresh = Client().RefreshAsync(TestRepository.Noon);
        await silent.Asked.Task;

        _clock.Advance(Pace.Default.Window);

        Assert.Equal(TufFault.TooSlow, (await Assert.ThrowsAsync<TufException>(() => refresh)).Fault);
    }

    [Theory]
    [InlineData("../../etc/x")]
    [InlineData("/etc/x")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("..\\x")]
    [InlineData("a\0b")]
    [InlineData("")]
    public async Task Attack_12_a_path_that_leads_elsewhere_is_refused_and_nothing_asked_for(string path)
    {
        var target = _repository.AddTarget(path, Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        var client = await Refreshed();

        Assert.Equal(TufFault.UnsafePath, (await Assert.ThrowsAsync<TufException>(() => client.FindAsync(path))).Fault);
        Assert.Equal(TufFault.UnsafePath, (await Assert.ThrowsAsync<TufException>(() => client.DownloadAsync(target, Path))).Fault);
        Assert.Empty(_targets.Asked);
        Assert.Empty(_downloads.GetFileSystemInfos());
    }

    [Theory]
    [InlineData("?", "1.%3F.json")]
    [InlineData("#", "1.%23.json")]
    [InlineData("/role", "1.%2Frole.json")]
    [InlineData("../role", "1...%2Frole.json")]
    [InlineData("CON", "1.CON.json")]
    [InlineData("Root", "1.Root.json")]
    [InlineData("a:b", "1.a%3Ab.json")]
    public async Task Attack_12_role_names_never_name_files(string role, string asked)
    {
        _repository.Delegate("targets", role, ["*"]);
        _repository.Publish(role, "targets", "snapshot", "timestamp");

        var client = await Refreshed();
        Assert.Null(await client.FindAsync("app"));

        Assert.Equal(asked, _metadata.Asked[^1]);
        Assert.Single(_store.Names, n => n.StartsWith("delegated-", StringComparison.Ordinal) && n.Length == "delegated-".Length + 64 + ".json".Length);
    }

    [Fact]
    public async Task Attack_12_a_link_in_the_way_of_a_download_is_not_followed()
    {
        var target = _repository.AddTarget("app", Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        var client = await Refreshed();
        var victim = System.IO.Path.Combine(_downloads.FullName, "victim");
        File.WriteAllText(victim, "mine");
        File.CreateSymbolicLink(Path + ".part", victim);

        using var file = await client.DownloadAsync(target, Path);

        Assert.Equal("mine", File.ReadAllText(victim));
        Assert.Equal(Content, ReadAll(file));
    }

    // The hole of three of four clients: a role accepted through one delegator was handed out through another that trusts other keys.
    [Fact]
    public async Task Attack_13_a_cached_role_has_no_authority_on_another_path()
    {
        _repository.Delegate("targets", "a", ["a/*"]);
        _repository.Delegate("targets", "b", ["b/*"]);
        _repository.Delegate("a", "release", ["a/*"]);
        _repository.Delegate("b", "release", ["b/*"], [SigningKey.NewEd25519()]);
        _repository.AddTarget("a/app", Content, "release");
        _repository.AddTarget("b/app", Content, "release");
        _repository.Publish("release", "a", "b", "targets", "snapshot", "timestamp");
        var client = await Refreshed();

        Assert.NotNull(await client.FindAsync("a/app"));
        Assert.Equal(TufFault.Unsigned, (await Assert.ThrowsAsync<TufException>(() => client.FindAsync("b/app"))).Fault);
        Assert.NotNull(await client.FindAsync("a/app"));
    }

    // python-tuf #660: a role was mistaken for a delegation of the same name.
    [Fact]
    public async Task Attack_13_a_role_may_be_reached_by_two_delegators_that_agree()
    {
        _repository.Delegate("targets", "a", ["a/*"]);
        _repository.Delegate("targets", "b", ["b/*"]);
        _repository.Delegate("a", "release", ["a/*"]);
        _repository.Delegate("b", "release", ["b/*"]);
        _repository.AddTarget("a/app", Content, "release");
        _repository.AddTarget("b/app", Content, "release");
        _repository.Publish("release", "a", "b", "targets", "snapshot", "timestamp");
        var client = await Refreshed();

        Assert.NotNull(await client.FindAsync("a/app"));
        Assert.NotNull(await client.FindAsync("b/app"));
        Assert.Equal(1, _metadata.Asked.Count(a => a == "1.release.json"));
    }

    [Fact]
    public async Task Stored_roles_that_no_snapshot_lists_any_more_are_deleted()
    {
        _repository.Delegate("targets", "team", ["*"]);
        _repository.Delegate("targets", "other/team", ["*"]);
        _repository.Publish("team", "other/team", "targets", "snapshot", "timestamp");
        await (await Refreshed()).FindAsync("app");
        Assert.Equal(6, _store.Names.Count);

        _repository.Rotate("snapshot");
        _repository.SetSnapshotFile("team", null);
        _repository.Publish("root", "snapshot", "timestamp");
        await Refreshed();

        Assert.Equal(5, _store.Names.Count);
    }

    [Fact]
    public async Task Attack_16_the_file_is_read_from_the_handle_that_was_verified()
    {
        var target = _repository.AddTarget("app", Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        var client = await Refreshed();

        using var file = await client.DownloadAsync(target, Path);
        File.WriteAllText(Path + ".evil", "other");
        File.Move(Path + ".evil", Path, overwrite: true);

        Assert.Equal(Content, ReadAll(file));
        // And the next caller does not take what now stands there.
        using var again = await client.DownloadAsync(target, Path);
        Assert.Equal(Content, ReadAll(again));
    }

    [Fact]
    public async Task Attack_19_power_lost_at_any_write_leaves_a_client_that_goes_on()
    {
        _repository.Delegate("targets", "team", ["*"]);
        _repository.Publish("team", "targets", "snapshot", "timestamp");
        await (await Refreshed()).FindAsync("app");
        // The worst case: a fast-forward under the old timestamp, and a recovery by a new snapshot key alone.
        _repository.SetVersion("snapshot", long.MaxValue - 1);
        _repository.Publish("snapshot", "timestamp");
        await Refreshed();
        _repository.Rotate("snapshot");
        _repository.SetVersion("snapshot", 2);
        _repository.Publish("root", "team", "targets", "snapshot", "timestamp");

        var losses = 0;
        for (var lost = true; lost; losses++)
        {
            var store = _store.Copy();
            store.PowerFor = losses;
            lost = await Record.ExceptionAsync(() => Client(store: store).RefreshAsync(TestRepository.Noon)) is PowerLossException;
            store.PowerFor = null;

            var client = Client(store: store);
            await client.RefreshAsync(TestRepository.Noon);
            Assert.Equal((3, 3), (client.Trusted!.Snapshot!.Version, client.Trusted.Targets!.Version));
        }

        // The note, the root, three deletions, timestamp, snapshot, targets.
        Assert.Equal(8 + 1, losses);
    }

    [Fact]
    public async Task Attack_21_a_source_that_lacks_a_file_is_told_and_changes_nothing_that_was_trusted()
    {
        await Refreshed();
        var before = _store.Copy();
        _repository.Publish("targets", "snapshot", "timestamp");
        _repository.Files.Remove("metadata/timestamp.json");

        var refusal = await Refused(TufFault.Missing);

        Assert.Contains("timestamp", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before.Files, _store.Files);
    }

    // APT 1.6 fell back to the next mirror without verifying what came from there.
    [Fact]
    public async Task Attack_21_the_next_source_is_verified_like_the_first()
    {
        var target = _repository.AddTarget("app", Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        var lying = new TestSource(_repository, "targets") { Lie = _ => new MemoryStream(new byte[Content.Length]) };
        await Refreshed();

        foreach (var source in new[] { lying, lying, _targets })
        {
            var client = new TufClient(_metadata, source, _store, _clock);
            await client.RefreshAsync(TestRepository.Noon);
            if (source == lying)
                Assert.Equal(TufFault.Mismatch, (await Assert.ThrowsAsync<TufException>(() => client.DownloadAsync(target, Path))).Fault);
            else
                (await client.DownloadAsync(target, Path)).Dispose();
        }

        Assert.Equal(Content, File.ReadAllBytes(Path));
    }

    [Fact]
    public async Task Attack_22_an_approval_that_was_withdrawn_is_not_replayed()
    {
        _repository.AddTarget("app", Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        await Refreshed();
        var approving = _repository.Files.ToDictionary();
        _repository.Roles["targets"] = _repository.Roles["targets"] with { Files = new Dictionary<string, TargetFile>() };
        _repository.Publish("targets", "snapshot", "timestamp");
        Assert.Null(await (await Refreshed()).FindAsync("app"));

        foreach (var (path, bytes) in approving)
            _repository.Files[path] = bytes;

        await Refused(TufFault.Rollback);
    }

    [Fact]
    public async Task After_a_refused_refresh_nothing_is_handed_out()
    {
        var target = _repository.AddTarget("app", Content);
        _repository.Publish("targets", "snapshot", "timestamp");
        var client = await Refreshed();
        _repository.Files.Remove("metadata/timestamp.json");

        await Assert.ThrowsAsync<TufException>(() => client.RefreshAsync(TestRepository.Noon));

        await Assert.ThrowsAsync<InvalidOperationException>(() => client.FindAsync("app"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.DownloadAsync(target, Path));
    }

    [Fact]
    public void A_client_begins_only_with_a_root_that_is_signed_and_keeps_a_newer_one()
    {
        _repository.Publish("root");
        var store = new TestStore();

        Assert.Throws<TufException>(() => TufClient.Begin(store, TestRepository.Sign(_repository.Root, SigningKey.NewEd25519()), TestRepository.Noon));
        Assert.Throws<TufException>(() => TufClient.Begin(store, Encoding.UTF8.GetBytes("{}"), TestRepository.Noon));
        Assert.Empty(store.Files);
        TufClient.Begin(store, _repository.Current("root"), TestRepository.Noon);
        TufClient.Begin(store, _repository.Files["metadata/1.root.json"], TestRepository.Noon);
        Assert.Equal(_repository.Current("root"), store.Files["root.json"]);
    }

    private TufClient Client(Pace? pace = null, TestStore? store = null) => new(_metadata, _targets, store ?? _store, _clock, pace);

    private async Task<TufClient> Refreshed()
    {
        var client = Client();
        await client.RefreshAsync(TestRepository.Noon);
        return client;
    }

    private async Task<TufException> Refused(TufFault fault)
    {
        var refusal = await Assert.ThrowsAsync<TufException>(() => Client().RefreshAsync(TestRepository.Noon));
        Assert.True(fault == refusal.Fault, $"{refusal.Fault}: {refusal.Message}");
        return refusal;
    }

    private long TrustedVersion() =>
        TrustedMetadata.From(_store.Files["root.json"], TestRepository.Noon).WithStoredTimestamp(_store.Files["timestamp.json"]).Timestamp!.Version;

    private static byte[] ReadAll(FileStream file)
    {
        using var content = new MemoryStream();
        file.CopyTo(content);
        return content.ToArray();
    }
}
