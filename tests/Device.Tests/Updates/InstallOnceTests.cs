using Fleet.Contracts.Agents;
using Fleet.Device.Installs;
using Fleet.Device.Tests.Installs;
using Fleet.Updates.Packages;

namespace Fleet.Device.Tests.Updates;

/// <summary>Packages whose installation can't be repeated: deb and script.</summary>
public sealed class InstallOnceTests : IAsyncLifetime
{
    private static readonly ProgramEnd Good = new(0, "", "");

    private DeviceAtPoint _at = null!;

    public async Task InitializeAsync() => _at = await DeviceAtPoint.Start();

    public async Task DisposeAsync() => await _at.DisposeAsync();

    [Fact]
    public async Task A_script_is_run_once_a_version_and_is_told_which()
    {
        var log = Path.Combine(_at.Device.Folder, "runs");
        var first = await Script("1", $"echo $FLEET_PACKAGE $FLEET_VERSION >> {log}");
        _at.Want(first);
        await _at.Device.RunUntil("tune", PackageStep.Installed);
        // A restart, and the same by another rollout.
        var again = first.Clone();
        again.Rollout = "r2";
        _at.Want(again);
        await _at.Device.RunUntil("tune", s => s.Rollout == "r2");
        _at.Want(await Script("2", $"#!/bin/sh\necho $FLEET_PACKAGE $FLEET_VERSION >> {log}"));
        await _at.Device.RunUntil("tune", s => s is { Step: PackageStep.Installed, InstalledVersion: "2" });

        Assert.Equal(["tune 1", "tune 2"], File.ReadAllLines(log));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_at.Device.Folder, "updates", "unpacked")));
    }

    [Fact]
    public async Task A_script_that_fails_says_its_last_words_and_is_not_run_again_by_itself()
    {
        var log = Path.Combine(_at.Device.Folder, "runs");
        _at.Want(await Script("1", $"echo x >> {log}; echo no such disk >&2; exit 4"));
        var status = await _at.Device.RunUntil("tune", PackageStep.Failed);
        // A restart with the same wish changes nothing; another version is tried.
        await _at.Device.RunUntil("tune", PackageStep.Failed);
        _at.Want(await Script("2", "exit 0"));

        await _at.Device.RunUntil("tune", PackageStep.Installed);

        Assert.Equal("install.sh ended with 4: no such disk", status.Detail);
        Assert.Equal(["x"], File.ReadAllLines(log));
    }

    [Fact]
    public async Task A_script_that_the_machine_went_down_in_is_not_run_again()
    {
        var programs = new FakePrograms(_ => null);
        _at.Device.Programs = programs;
        _at.Want(await Script("1", "exit 0"));
        await _at.Device.RunUntil("tune", PackageStep.Installing);

        var status = await _at.Device.RunUntil("tune", PackageStep.Failed);

        Assert.Single(programs.Started);
        Assert.Contains("was interrupted", status.Detail);
        Assert.Equal("", status.InstalledVersion);
    }

    [Fact]
    public async Task Debian_packages_are_installed_in_one_call_and_looked_at_after_it()
    {
        var programs = new FakePrograms(start => start.File == "dpkg" ? Good : Looked(start));
        _at.Device.Programs = programs;
        _at.Want(await Deb());

        await _at.Device.RunUntil("cups", PackageStep.Installed);

        var dpkg = programs.Started[0];
        Assert.Equal(["-i", "cups.deb", "libcups.deb"], dpkg.Arguments.SkipWhile(a => a != "-i"));
        Assert.Equal("noninteractive", dpkg.Environment["DEBIAN_FRONTEND"]);
        Assert.Equal(4, programs.Started.Count(s => s.File is "dpkg-deb" or "dpkg-query"));
    }

    [Fact]
    public async Task Debian_packages_that_the_machine_went_down_in_are_looked_for()
    {
        _at.Device.Programs = new FakePrograms(_ => null);
        _at.Want(await Deb());
        await _at.Device.RunUntil("cups", PackageStep.Installing);
        var programs = new FakePrograms(Looked);
        _at.Device.Programs = programs;

        var status = await _at.Device.RunUntil("cups", s => s.Step != PackageStep.Installing);

        Assert.Equal((PackageStep.Installed, "1"), (status.Step, status.InstalledVersion));
        Assert.DoesNotContain(programs.Started, s => s.File == "dpkg");
    }

    [Fact]
    public async Task While_somebody_else_installs_dpkg_is_tried_again()
    {
        var calls = 0;
        _at.Device.Programs = new FakePrograms(start => start.File != "dpkg" ? Looked(start) : calls++ > 0 ? Good : new ProgramEnd(2, "", "dpkg: error: dpkg frontend lock was locked by another process"));
        _at.Want(await Deb());

        await _at.Device.RunUntil("cups", PackageStep.Installed);

        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task Dpkg_that_ends_well_without_the_version_is_a_failure()
    {
        _at.Device.Programs = new FakePrograms(start => start.File == "dpkg-query" ? new ProgramEnd(0, "config-files\t2.4\n", "") : start.File == "dpkg" ? Good : Looked(start));
        _at.Want(await Deb());

        Assert.Equal("dpkg ended well, and cups 2.4 is not installed", (await _at.Device.RunUntil("cups", PackageStep.Failed)).Detail);
    }

    [Fact]
    public async Task A_package_without_what_its_kind_needs_fails_before_anything_is_begun()
    {
        var programs = new FakePrograms(_ => Good);
        _at.Device.Programs = programs;
        _at.Want(await _at.Repository.Add("cups", "1", InstallKind.Deb, ("readme.txt", "x")));

        Assert.Equal("it holds no .deb file", (await _at.Device.RunUntil("cups", PackageStep.Failed)).Detail);
        Assert.Empty(programs.Started);
    }

    private static ProgramEnd Looked(ProgramStart start) => start.File switch
    {
        "dpkg-deb" => new ProgramEnd(0, $"{Path.GetFileNameWithoutExtension(start.Arguments[^1])}\t2.4", ""),
        "dpkg-query" => new ProgramEnd(0, "installed\t2.4\n", ""),
        _ => throw new InvalidOperationException($"{start.File} is run"),
    };

    private Task<WantedPackage> Script(string version, string text) => _at.Repository.Add("tune", version, InstallKind.Script, ("install.sh", text));

    private Task<WantedPackage> Deb() => _at.Repository.Add("cups", "1", InstallKind.Deb, ("cups.deb", "one"), ("libcups.deb", "two"));
}
