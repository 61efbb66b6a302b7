using Fleet.Backups;
using Fleet.Headquarters.Backups;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Settings;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.Backups;

public sealed class ScheduledBackupsTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("fleet-scheduled-");
    private readonly FakeTimeProvider _clock = new(Noon);
    private TestCompany _company = null!;
    private TenantRepository _updates = null!;

    private string Folder => Path.Combine(_root.FullName, "backups");

    private string Passphrase => Path.Combine(_root.FullName, "passphrase");

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(Passphrase, "correct horse battery\n");
        _company = await TestCompany.Start(StorageProvider.Sqlite, 1000, Leeds);
        _updates = await TenantRepository.Open(Path.Combine(_company.Data, "updates"), HeadquartersOptions.Load(null, []).Updates, _company.Authority, TimeProvider.System, NullLoggerFactory.Instance);
    }

    public async Task DisposeAsync()
    {
        await _updates.DisposeAsync();
        await _company.DisposeAsync();
        _root.Delete(recursive: true);
    }

    [Fact]
    public async Task They_are_made_when_due_read_again_and_kept_by_number()
    {
        await using var backups = Backups("backups.count=2");

        Assert.True(await backups.MakeDue(default));
        Assert.False(await backups.MakeDue(default));
        _clock.Advance(TimeSpan.FromHours(14));
        Assert.True(await backups.MakeDue(default));
        Assert.False(await backups.MakeDue(default));
        _clock.Advance(TimeSpan.FromDays(3));
        Assert.True(await backups.MakeDue(default));

        Assert.Equal(["fleet-20260305-020000.backup", "fleet-20260302-020000.backup"], backups.Stored().Select(b => b.Name));
        Assert.Equal(2, Directory.GetFileSystemEntries(Folder).Length);
        Assert.Equal(Noon.AddDays(4).AddHours(14), backups.Next(backups.Stored()));
        Assert.Null(backups.Problem(backups.Stored()));
        using var read = BackupReader.Open(Path.Combine(Folder, "fleet-20260305-020000.backup"));
        Assert.Contains(read.Read("correct horse battery", (_, _) => { }).Owners, o => o.PersistenceId == "office-leeds");
    }

    [Fact]
    public async Task Those_that_are_too_old_go_but_never_the_newest_and_nothing_that_is_somebody_elses()
    {
        Directory.CreateDirectory(Folder);
        foreach (var name in (string[])["fleet-20250101-020000.backup", "fleet-20250102-020000.backup", "fleet-mine.backup", "notes.txt"])
            await File.WriteAllTextAsync(Path.Combine(Folder, name), "x");
        await using var backups = Backups();

        Assert.Equal(["fleet-20250101-020000.backup"], backups.Options.Surplus(backups.Stored(), Noon).Select(b => b.Name));
        Assert.True(await backups.MakeDue(default));

        Assert.Equal(["fleet-20260301-120000.backup", "fleet-mine.backup", "notes.txt"], Directory.GetFiles(Folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task One_that_fails_is_told_and_tried_again_after_a_while()
    {
        await using var backups = Backups();
        await File.WriteAllTextAsync(Folder, "a file where the folder should be");

        Assert.False(await backups.MakeDue(default));
        Assert.Contains("failed", backups.Problem(backups.Stored()), StringComparison.Ordinal);
        File.Delete(Folder);
        Assert.False(await backups.MakeDue(default));
        _clock.Advance(TimeSpan.FromMinutes(10));

        Assert.True(await backups.MakeDue(default));
        Assert.Null(backups.Problem(backups.Stored()));
    }

    [Fact]
    public async Task A_node_whose_work_it_is_not_makes_none_and_sees_one_that_is_missed()
    {
        await using var backups = Backups(mine: false);

        Assert.False(await backups.MakeDue(default));
        Assert.Null(backups.Problem(backups.Stored()));
        _clock.Advance(TimeSpan.FromHours(2));

        Assert.Contains("was due at 2026-03-01", backups.Problem(backups.Stored()), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_would_make_none_stop_the_start_and_are_all_named()
    {
        var wrong = Assert.Throws<SettingsException>(() => HeadquartersOptions.Load(null, [$"backups.folder={Folder}", "backups.schedule=soon", "backups.time-zone=Mars"]));

        foreach (var key in (string[])["fleet.backups.schedule", "fleet.backups.time-zone", "fleet.backups.passphrase-file"])
            Assert.Contains(key, wrong.Message, StringComparison.Ordinal);
        Assert.Contains("can't be read", Assert.Throws<SettingsException>(() => HeadquartersOptions.Load(null, [$"backups.folder={Folder}", $"backups.passphrase-file={Folder}"])).Message, StringComparison.Ordinal);
    }

    private ScheduledBackups Backups(params string[] sets) => Backups(mine: true, sets);

    private ScheduledBackups Backups(bool mine, params string[] sets) => new(
        HeadquartersOptions.Load(null, [$"backups.folder={Folder}", $"backups.passphrase-file={Passphrase}", .. sets]).Backups,
        new BackupMaker(_company.Data, StorageProvider.Sqlite, _company.Journal, _updates, null, "1.2.3", _clock, NullLogger<BackupMaker>.Instance),
        () => mine, HeadquartersMeter.Unheard, _clock, NullLogger<ScheduledBackups>.Instance);
}
