using System.Text;
using Fleet.Device.Installs;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;

namespace Fleet.Device.Tests.Installs;

public sealed class ArchiveInstallerTests : IDisposable
{
    private static readonly CancellationToken Now = CancellationToken.None;

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-archive-").FullName;
    private readonly BlobStore _content;
    private string? _problem;
    private int _checks;

    public ArchiveInstallerTests() => _content = new BlobStore(Path.Combine(_directory, "content"), new BlobStoreOptions(1 << 30, 0, TimeSpan.FromDays(7)), TimeProvider.System);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_version_is_unpacked_switched_to_checked_and_the_one_before_is_kept()
    {
        await Install("1");
        await Install("2");
        var state = await Install("3");

        Assert.Equal(("3", null, null), (state.Current, state.Pending, state.Refused));
        AssertWhole("3");
        Assert.Equal(["2", "3"], Directory.GetDirectories(Path.Combine(Package, "versions")).Select(Path.GetFileName).Order());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(Package, "current", "bin", "till")));
    }

    [Fact]
    public async Task One_that_does_not_work_is_taken_back_and_not_tried_again()
    {
        await Install("1");
        _problem = "it does not answer";
        var refused = await Install("2");
        var checks = _checks;
        await Install("2");
        _problem = null;
        var next = await Install("3");

        Assert.Equal(("1", new RefusedArchive("2", "it does not answer")), (refused.Current, refused.Refused));
        Assert.Equal(checks + 1, _checks);
        Assert.Equal(("3", null), (next.Current, next.Refused));
        AssertWhole("3");
    }

    [Fact]
    public async Task The_first_version_that_does_not_work_leaves_nothing_behind()
    {
        _problem = "no";
        var state = await Install("1");

        Assert.Null(state.Current);
        Assert.Equal((false, 0), (Directory.Exists(Path.Combine(Package, "current")), Directory.GetDirectories(Path.Combine(Package, "versions")).Length));
    }

    [Fact]
    public async Task Content_that_is_missing_changes_nothing_for_anybody()
    {
        await Install("1");
        var state = await Installer().Install(new PackageManifest("till", "2", InstallKind.Archive, [new PackageFile("x", 0, 3, BlobHash.Over("not here"u8))]), Now);

        Assert.Equal(("1", "the content of x is not here"), (state.Current, state.Refused?.Why));
        AssertWhole("1");
    }

    [Fact]
    public async Task A_check_that_takes_the_machine_down_is_not_begun_for_ever()
    {
        await Install("1");
        var manifest = await Manifest("2");
        for (var crash = 0; crash < ArchivePlan.MostChecks; crash++)
            await Assert.ThrowsAsync<PowerLoss>(() => new ArchiveInstaller(Package, _content, (_, _) => throw new PowerLoss()).Install(manifest, Now));

        var state = await Installer().Install(manifest, Now);

        Assert.Equal(("1", "its check did not end 3 times", 0), (state.Current, state.Refused?.Why, _checks - 1));
        AssertWhole("1");
    }

    [Fact]
    public async Task What_was_begun_and_is_wanted_no_more_is_cleaned_away()
    {
        await Install("1");
        var cut = new ArchiveInstaller(Package, _content, (_, _) => Task.FromResult<string?>(null), what =>
        {
            if (what.StartsWith("write", StringComparison.Ordinal))
                throw new PowerLoss();
        });
        await Assert.ThrowsAsync<PowerLoss>(async () => await cut.Install(await Manifest("2"), Now));

        Assert.Equal(("1", null), ((await Install("1")).Current, Installer().State.Pending));
        AssertWhole("1");
    }

    [Fact]
    public async Task Wanted_again_after_another_the_refused_one_is_tried_anew()
    {
        await Install("1");
        _problem = "no";
        await Install("2");
        _problem = null;
        await Install("1");
        Assert.Equal("2", (await Install("3", "2")).Current);
    }

    /// <summary>Power is lost at any step, again and again, of upgrades that go well and that do not.</summary>
    [Fact]
    public async Task Power_loss_at_any_point_leaves_the_old_or_the_new_never_between()
    {
        var lost = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var package = Path.Combine(_directory, $"seed-{seed}");
            await Installer(package).Install(await Manifest("1"), Now);
            var manifest = await Manifest("2");
            var works = seed % 2 == 0;
            while (true)
            {
                var left = random.Next(1, 14);
                var installer = new ArchiveInstaller(package, _content, (path, _) => Task.FromResult(works ? null : "it does not work"), _ =>
                {
                    AssertWhole(package, "1", "2");
                    if (--left == 0)
                        throw new PowerLoss();
                });
                try
                {
                    var state = await installer.Install(manifest, Now);
                    Assert.Equal((works ? "2" : "1", null), (state.Current, state.Pending));
                    break;
                }
                catch (PowerLoss)
                {
                    lost++;
                    AssertWhole(package, "1", "2");
                }
            }

            AssertWhole(package, works ? "2" : "1");
        }

        Assert.True(lost > 200, $"power was lost {lost} times");
    }

    private string Package => Path.Combine(_directory, "package");

    private ArchiveInstaller Installer(string? package = null) => new(package ?? Package, _content, (path, _) =>
    {
        _checks++;
        return Task.FromResult(_problem);
    });

    private async Task<ArchiveState> Install(params string[] versions)
    {
        var state = ArchiveState.None;
        foreach (var version in versions)
            state = await Installer().Install(await Manifest(version), Now);
        return state;
    }

    private void AssertWhole(string version) => AssertWhole(Package, version);

    private static void AssertWhole(string package, params string[] versions)
    {
        var found = File.ReadAllText(Path.Combine(package, "current", "VERSION"));
        Assert.Contains(found, versions);
        Assert.Equal(Program(found), File.ReadAllBytes(Path.Combine(package, "current", "bin", "till")));
    }

    private static byte[] Program(string version) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"program {version}\n", 100)));

    private async Task<PackageManifest> Manifest(string version) => new("till", version, InstallKind.Archive,
    [
        await Keep("VERSION", 0b110_100_100, Encoding.UTF8.GetBytes(version)),
        await Keep("bin/till", 0b101_000_000, Program(version)),
    ]);

    private async Task<PackageFile> Keep(string path, int mode, byte[] content)
    {
        var hash = BlobHash.Over(content);
        if (!_content.Contains(hash))
        {
            using var part = _content.Begin(hash, content.Length, _ => true);
            await part.Write(content, Now);
            part.Commit();
        }

        return new PackageFile(path, mode, content.Length, hash);
    }

    private sealed class PowerLoss : Exception;
}
