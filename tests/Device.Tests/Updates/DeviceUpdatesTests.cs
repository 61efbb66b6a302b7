using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Installs;
using Fleet.Device.Tests.Installs;
using Fleet.Device.Updates;
using Fleet.TestSupport;
using Fleet.Updates.Packages;

namespace Fleet.Device.Tests.Updates;

public sealed class DeviceUpdatesTests : IDisposable
{
    private readonly FakeHeadquarters _headquarters = new();
    private readonly PackageRepository _repository = new();
    private readonly UpdatedDevice _device;

    public DeviceUpdatesTests() => _device = new UpdatedDevice(_headquarters);

    public void Dispose()
    {
        _device.Dispose();
        _repository.Dispose();
        _headquarters.Dispose();
    }

    [Fact]
    public async Task What_headquarters_wants_is_brought_from_the_distribution_point_and_installed()
    {
        await using var point = await Start("gw1");
        _device.Want(_repository, [("gw1.leeds", point.Address)], await Till("1"));

        var status = await _device.RunUntil("till", PackageStep.Installed);

        Assert.Equal(("1", "1", "", "r1"), (status.WantedVersion, status.InstalledVersion, status.Detail, status.Rollout));
        Assert.Equal("program 1", Installed("till"));
        Assert.Empty(Directory.GetFiles(Path.Combine(_device.Folder, "updates", "content", "blobs"), "*", SearchOption.AllDirectories));
        Assert.Contains(_headquarters.Reports.SelectMany(r => r.Events), e => e is { Kind: "package-installed", Text: "till 1" });
    }

    [Fact]
    public async Task Another_version_comes_beside_the_old_and_a_package_that_is_named_no_more_stays()
    {
        await using var point = await Start("gw1");
        _device.Want(_repository, [("gw1.leeds", point.Address)], await Till("1"));
        await _device.RunUntil("till", PackageStep.Installed);
        _device.Want(_repository, [("gw1.leeds", point.Address)], await Till("2"));
        await _device.RunUntil("till", s => s is { Step: PackageStep.Installed, InstalledVersion: "2" });

        _device.Want(_repository, [("gw1.leeds", point.Address)]);
        var status = await _device.RunUntil("till", s => s.WantedVersion.Length == 0);

        Assert.Equal(("2", PackageStep.Installed), (status.InstalledVersion, status.Step));
        Assert.Equal("program 2", Installed("till"));
    }

    [Fact]
    public async Task A_distribution_point_that_lies_is_beaten_by_one_that_does_not_and_is_named()
    {
        await using var liar = await Start("gw1");
        await using var honest = await Start("gw2");
        liar.Instead = path => path == PathOf("program 1") || path == PathOf("program 2") ? "program X"u8.ToArray() : null;
        // Both orders, as two devices have them: the liar is asked first by one of them.
        _device.Want(_repository, [("gw1.leeds", liar.Address), ("gw2.leeds", honest.Address)], await Till("1"));
        await _device.RunUntil("till", PackageStep.Installed);
        _device.Want(_repository, [("gw2.leeds", liar.Address), ("gw1.leeds", honest.Address)], await Till("2"));
        await _device.RunUntil("till", s => s is { Step: PackageStep.Installed, InstalledVersion: "2" });

        Assert.Equal("program 2", Installed("till"));
        var lie = Assert.Single(_headquarters.Reports.SelectMany(r => r.Events).DistinctBy(e => e.Number), e => e.Kind == SourceIncidents.LyingSource);
        Assert.Contains(liar.Address, lie.Text);
        Assert.Contains("bin/till of till", lie.Text);
    }

    [Fact]
    public async Task A_frozen_source_is_passed_over_and_named_where_there_is_no_other()
    {
        var frozen = _repository.Freeze();
        await using var point = await RepositoryServer.Start(frozen, _headquarters.Authority, PeerIdentity.Of(new NodeId("gw1.leeds")));
        await using var fresh = await Start("gw2");
        var wanted = await Till("1");
        _device.Want(_repository, [("gw1.leeds", point.Address)], wanted);

        var stuck = await _device.RunUntil("till", s => s.Detail.Length > 0);
        _device.Want(_repository, [("gw1.leeds", point.Address), ("gw2.leeds", fresh.Address)], wanted);
        await _device.RunUntil("till", PackageStep.Installed);

        Assert.Equal(PackageStep.Fetching, stuck.Step);
        Assert.Contains($"gw1.leeds at {point.Address} is frozen: timestamp: version 1 where 2 is published", stuck.Detail);
        Directory.Delete(frozen, recursive: true);
    }

    [Fact]
    public async Task A_mirror_that_lags_for_a_moment_is_waited_for_and_headquarters_sends_no_copy()
    {
        await using var point = await Start("gw1");
        await using var headquarters = await RepositoryServer.Start(_repository.Folder, _headquarters.Authority, PeerIdentity.Headquarters);
        var before = File.ReadAllBytes(Path.Combine(_repository.Folder, "metadata", "timestamp.json"));
        var looks = 0;
        point.Instead = path => path == "metadata/timestamp.json" && looks++ == 0 ? before : null;
        _device.Want(_repository, [("gw1.leeds", point.Address)], await Till("1"));
        _headquarters.Desired!.HeadquartersUpdateAddresses.Add(headquarters.Address);

        await _device.RunUntil("till", PackageStep.Installed);

        Assert.Equal(2, looks);
        Assert.Empty(headquarters.Asked);
    }

    [Fact]
    public async Task Files_that_the_installed_version_has_do_not_come_again_unless_somebody_changed_them()
    {
        await using var point = await Start("gw1");
        _device.Want(_repository, [("gw1.leeds", point.Address)], await _repository.Add("till", "1", InstallKind.Archive, ("bin/till", "program 1"), ("same", "same"), ("changed", "before")));
        await _device.RunUntil("till", PackageStep.Installed);
        File.WriteAllText(Path.Combine(_device.Packages, "till", "current", "changed"), "edited");
        point.Asked.Clear();

        _device.Want(_repository, [("gw1.leeds", point.Address)], await _repository.Add("till", "2", InstallKind.Archive, ("bin/till", "program 2"), ("same", "same"), ("changed", "before")));
        await _device.RunUntil("till", s => s.InstalledVersion == "2");

        Assert.Equal(new[] { PathOf("program 2"), PathOf("before") }.Order(), point.Asked.Where(p => p == PathOf("program 2") || p == PathOf("same") || p == PathOf("before")).Order());
        Assert.Equal("before", File.ReadAllText(Path.Combine(_device.Packages, "till", "current", "changed")));
    }

    [Fact]
    public async Task Where_no_distribution_point_answers_headquarters_sends_it()
    {
        await using var headquarters = await RepositoryServer.Start(_repository.Folder, _headquarters.Authority, PeerIdentity.Headquarters);
        _device.Want(_repository, [("gw1.leeds", "127.0.0.1:1")], await Till("1"));
        _headquarters.Desired!.HeadquartersUpdateAddresses.Add(headquarters.Address);

        await _device.RunUntil("till", PackageStep.Installed);

        Assert.Contains("blobs/", string.Join(' ', headquarters.Asked));
    }

    [Fact]
    public async Task An_unhealthy_version_is_taken_back_and_tried_anew_when_another_rollout_wants_it()
    {
        await using var point = await Start("gw1");
        _device.Want(_repository, [("gw1.leeds", point.Address)], await Till("1"));
        await _device.RunUntil("till", PackageStep.Installed);
        var second = await Till("2");
        second.Parameters["health"] = "echo no drawer; exit 3";
        _device.Want(_repository, [("gw1.leeds", point.Address)], second);
        var back = await _device.RunUntil("till", PackageStep.RolledBack);
        Assert.Equal("program 1", Installed("till"));

        second = second.Clone();
        second.Rollout = "r2";
        second.Parameters["health"] = "grep -q 'program 2' bin/till";
        _device.Want(_repository, [("gw1.leeds", point.Address)], second);
        await _device.RunUntil("till", s => s is { Step: PackageStep.Installed, InstalledVersion: "2" });

        Assert.Equal(("1", "2"), (back.InstalledVersion, back.WantedVersion));
        Assert.Contains("ended with 3: no drawer; 1 is back", back.Detail);
    }

    [Fact]
    public async Task Only_the_very_content_that_headquarters_named_is_installed()
    {
        await using var point = await Start("gw1");
        var wanted = await Till("1");
        var other = wanted.Clone();
        other.Manifest = Google.Protobuf.ByteString.CopyFrom(new byte[32]);
        var missing = wanted.Clone();
        missing.Version = "9";
        var kind = wanted.Clone();
        kind.Kind = "script";
        foreach (var (wrong, why) in new[] { (other, "another hash"), (missing, "does not list packages/till/9.json"), (kind, "kind archive, where headquarters wants kind script") })
        {
            _device.Want(_repository, [("gw1.leeds", point.Address)], wrong);
            Assert.Equal(PackageStep.Fetching, (await _device.RunUntil("till", s => s.Detail.Contains(why))).Step);
        }

        Assert.False(Directory.Exists(Path.Combine(_device.Packages, "till")));
    }

    [Fact]
    public async Task Of_another_office_no_distribution_point_is_spoken_to()
    {
        await using var stranger = await RepositoryServer.Start(_repository.Folder, _headquarters.Authority, PeerIdentity.Of(new NodeId("gw1.york")));
        await using var plain = await RepositoryServer.Start(_repository.Folder);
        var wanted = await Till("1");
        _device.Want(_repository, [("gw1.leeds", stranger.Address)], wanted);

        var refused = await _device.RunUntil("till", s => s.Detail.Length > 0);
        _device.Want(_repository, [("gw1.leeds", stranger.Address), ("gw2.leeds", plain.Address)], wanted);
        await _device.RunUntil("till", PackageStep.Installed);

        Assert.Contains("node gw1.york answers there", refused.Detail);
        Assert.Empty(stranger.Asked);
    }

    [Fact]
    public async Task Content_is_brought_before_the_maintenance_window_opens()
    {
        await using var point = await Start("gw1");
        var wanted = await Till("1");
        var opens = TimeOnly.FromDateTime(DateTime.Now).AddHours(3);
        var waiting = wanted.Clone();
        waiting.Parameters["window"] = $"{opens:HH:mm}-{opens.AddHours(1):HH:mm}";
        _device.Want(_repository, [("gw1.leeds", point.Address)], waiting);
        var status = await _device.RunUntil("till", PackageStep.Waiting);
        var brought = Blobs(point);

        _device.Want(_repository, [("gw1.leeds", point.Address)], wanted);
        await _device.RunUntil("till", PackageStep.Installed);

        Assert.Contains($"opens {DateTime.Now.AddHours(3):yyyy-MM-dd} {opens:HH:mm}", status.Detail);
        Assert.Equal((2, 2), (brought, Blobs(point)));
    }

    [Fact]
    public async Task What_came_before_the_power_was_lost_is_not_brought_again()
    {
        await using var point = await Start("gw1");
        var wanted = await Till("1");
        // The second file does not come before the cut.
        point.Instead = path => path == PathOf("1") ? throw new IOException("cut") : null;
        _device.Want(_repository, [("gw1.leeds", point.Address)], wanted);
        await _device.RunUntil("till", s => s.Detail.Length > 0);

        point.Instead = _ => null;
        await _device.RunUntil("till", PackageStep.Installed);

        Assert.Single(point.Asked, PathOf("program 1"));
    }

    [Fact]
    public async Task What_was_begun_when_the_power_was_lost_is_finished_without_any_source()
    {
        var point = await Start("gw1");
        var wanted = await Till("1");
        wanted.Parameters["health"] = "true";
        _device.Want(_repository, [("gw1.leeds", point.Address)], wanted);
        _device.Programs = new FakePrograms(_ => null);
        await _device.RunUntil("till", PackageStep.Installing);
        await point.DisposeAsync();

        _device.Programs = new Programs(TimeProvider.System);
        await _device.RunUntil("till", PackageStep.Installed);

        Assert.Equal("program 1", Installed("till"));
    }

    [Fact]
    public async Task With_its_signed_metadata_lost_a_device_is_not_led_back_behind_what_headquarters_told()
    {
        await using var point = await Start("gw1");
        var old = _repository.Freeze();
        await using var behind = await RepositoryServer.Start(old);
        _device.Want(_repository, [("gw1.leeds", point.Address)], await Till("1"));
        await _device.RunUntil("till", PackageStep.Installed);
        Directory.Delete(Path.Combine(_device.Folder, "updates", "metadata"), recursive: true);

        var wanted = await Till("2");
        _device.Want(_repository, [("gw1.leeds", behind.Address)], wanted);
        // What the document says now is lower; what was told before counts.
        _headquarters.Desired!.UpdateTimestamp = 0;
        var status = await _device.RunUntil("till", s => s.Detail.Length > 0);

        Assert.Contains("is frozen: timestamp: version 1 where 2 is published", status.Detail);
        Directory.Delete(old, recursive: true);
    }

    [Fact]
    public async Task A_full_disk_is_told_and_waited_for()
    {
        await using var point = await Start("gw1");
        var options = _device.Options;
        _device.Options = options with { Updates = options.Updates with { MinFree = long.MaxValue / 2 } };
        _device.Want(_repository, [("gw1.leeds", point.Address)], await Till("1"));
        var full = await _device.RunUntil("till", s => s.Detail.Length > 0);

        _device.Options = options;
        await _device.RunUntil("till", PackageStep.Installed);

        Assert.Equal(PackageStep.Fetching, full.Step);
        Assert.Contains("there is no room for blob", full.Detail);
    }

    [Fact]
    public async Task A_window_that_can_not_be_read_fails_with_an_example()
    {
        await using var point = await Start("gw1");
        var wanted = await Till("1");
        wanted.Parameters["window"] = "at night";
        _device.Want(_repository, [("gw1.leeds", point.Address)], wanted);

        Assert.Contains("'at night' is no maintenance window; write 22:00-05:00", (await _device.RunUntil("till", PackageStep.Failed)).Detail);
    }

    private int Blobs(RepositoryServer point) => point.Asked.Count(p => p == PathOf("1") || p == PathOf("program 1"));

    private string PathOf(string content) => $"blobs/{Path.GetFileName(_repository.PathOfBlob(content))}";

    private Task<RepositoryServer> Start(string node) =>
        RepositoryServer.Start(_repository.Folder, _headquarters.Authority, PeerIdentity.Of(new NodeId($"{node}.leeds")));

    private async Task<WantedPackage> Till(string version)
    {
        var wanted = await _repository.Add("till", version, InstallKind.Archive, ("bin/till", $"program {version}"), ("VERSION", version));
        wanted.Rollout = "r1";
        return wanted;
    }

    private string Installed(string package) => File.ReadAllText(Path.Combine(_device.Packages, package, "current", "bin", "till"));
}
