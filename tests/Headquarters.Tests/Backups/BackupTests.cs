using Fleet.Backups;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Backups;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Transport;
using Fleet.Updates.Content;
using Fleet.Updates.Packages;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.Backups;

public sealed class BackupTests : IDisposable
{
    private const string Passphrase = "correct horse battery";
    private const int Before = 30;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("fleet-backup-");

    private string Archive => Path.Combine(_root.FullName, "fleet.backup");

    private string Data => Path.Combine(_root.FullName, "restored");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _root.Delete(recursive: true);
    }

    [SkippableTheory]
    [InlineData(StorageProvider.Sqlite, StorageProvider.PostgreSql)]
    [InlineData(StorageProvider.PostgreSql, StorageProvider.Sqlite)]
    public async Task What_is_backed_up_while_devices_report_is_restored_equal_at_the_cut(StorageProvider from, StorageProvider to)
    {
        var target = await Target(to);
        await using var company = await TestCompany.Start(from, snapshotEvery: 10, Leeds, York);
        var (till, content) = (await company.EnrolDevice(Leeds, "till-1"), new byte[300_000]);
        Random.Shared.NextBytes(content);
        await using var updates = await Updates(company);
        await Publish(updates, content);
        for (ulong version = 1; version <= Before; version++)
            await company.Report(till, Leeds, till.Report(version, events: [version]));
        using var traffic = new CancellationTokenSource();
        var reporting = Task.Run(() => Reports(company, till, traffic.Token));

        await Back(company, updates, from);
        await traffic.CancelAsync();
        var acknowledged = await reporting;
        var (manifest, rows) = Content();
        List<string> said = [];
        await HeadquartersNode.Restore(Data, Archive, Passphrase, target, new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance, said.Add);

        Assert.True(acknowledged > Before, "devices reported meanwhile");
        Assert.Contains(said, s => s.Contains(manifest.JournalHash, StringComparison.Ordinal));
        var restored = target.Storage.Provider == StorageProvider.Sqlite ? (IJournalStore)new JournalFile(Path.Combine(Data, "journal.db")) : new JournalDatabase(new PostgresDatabase(target.Storage));
        using var digest = JournalDigest.Of(new JournalRows(restored));
        Assert.Equal(manifest.Owners, digest.Twins().Select(t => new BackupOwner(t.PersistenceId, t.Events, t.Snapshots, t.Hash)));
        // Nothing within an owner's events is missing.
        foreach (var owner in rows.GroupBy(r => r.PersistenceId))
            Assert.Equal(owner.Count(), owner.Max(r => r.SequenceNr) - owner.Min(r => r.SequenceNr) + 1);
        await using var node = await HeadquartersNode.Start(Data, target, new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance);
        await using var shown = target.Storage.Provider == StorageProvider.Sqlite ? ReadModelStore.Sqlite(Path.Combine(Data, "read-model.db")) : await ReadModelStore.PostgreSql(new PostgresDatabase(target.Storage));
        var device = await new ReadModelQueries(shown, TimeProvider.System).Device(till.Id);
        Assert.InRange(device!.Report!.Version, (ulong)Before, acknowledged);
        Assert.Equal(File.ReadAllBytes(Path.Combine(company.Data, "identity", "authority.key")), File.ReadAllBytes(Path.Combine(Data, "identity", "authority.key")));
        using var blob = new BlobStore(Path.Combine(Data, "updates", "content"), target.Updates.Content, TimeProvider.System).Open(BlobHash.Over(content));
        Assert.Equal(content.Length, blob!.Length);
    }

    [Fact]
    public async Task A_target_that_is_not_empty_and_a_wrong_passphrase_leave_everything_as_it_was()
    {
        await using var company = await TestCompany.Start(StorageProvider.Sqlite, 1000, Leeds);
        await using (var updates = await Updates(company))
            await Back(company, updates, StorageProvider.Sqlite);
        var options = await Target(StorageProvider.Sqlite);

        Assert.Contains("passphrase", (await Assert.ThrowsAsync<BackupException>(() => Restore(options, "another passphrase"))).Message, StringComparison.Ordinal);
        Assert.Contains("--passphrase-file", (await Assert.ThrowsAsync<BackupException>(() => Restore(options, null))).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));
        Directory.CreateDirectory(Data);
        await File.WriteAllTextAsync(Path.Combine(Data, "precious"), "unharmed");
        Assert.Contains("not empty", (await Assert.ThrowsAsync<StorageException>(() => Restore(options, Passphrase))).Message, StringComparison.Ordinal);

        Assert.Equal("unharmed", await File.ReadAllTextAsync(Path.Combine(Data, "precious")));
        Assert.Single(Directory.GetFileSystemEntries(Data));
    }

    [SkippableFact]
    public async Task A_database_that_holds_a_journal_is_not_written_over()
    {
        var options = await Target(StorageProvider.PostgreSql);
        await using var company = await TestCompany.Start(options.Storage, 1000, Leeds);
        await using var updates = await Updates(company);
        await Back(company, updates, StorageProvider.PostgreSql);

        var refused = await Assert.ThrowsAsync<StorageException>(() => Restore(options, Passphrase));

        Assert.Contains("there is a journal already", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Data));
    }

    [Fact]
    public async Task Of_two_backups_at_once_the_second_is_refused()
    {
        await using var company = await TestCompany.Start(StorageProvider.Sqlite, 1000, Leeds);
        await using var updates = await Updates(company);
        using var maker = Maker(company, updates, StorageProvider.Sqlite);
        using var slow = new SlowStream();
        var first = Task.Run(() => maker.Make(slow, null, withContent: true, default));
        await slow.Written;

        var refusal = await maker.Make(Stream.Null, null, withContent: true, default);
        slow.GoOn();

        Assert.Contains("another backup", refusal!.Detail, StringComparison.Ordinal);
        Assert.Null(await first);
        Assert.Null(await maker.Make(Stream.Null, null, withContent: true, default));
    }

    private static async Task<ulong> Reports(TestCompany company, Machine till, CancellationToken stop)
    {
        ulong version = Before;
        while (!stop.IsCancellationRequested)
        {
            version++;
            await company.Report(till, Leeds, till.Report(version, events: [version]));
        }

        return version;
    }

    private Task Restore(HeadquartersOptions options, string? passphrase) =>
        HeadquartersNode.Restore(Data, Archive, passphrase, options, new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance, _ => { });

    private (BackupManifest Manifest, List<JournalRow> Rows) Content()
    {
        List<JournalRow> rows = [];
        using var backup = BackupReader.Open(Archive);
        var manifest = backup.Read(Passphrase, (name, entry) =>
        {
            if (name == JournalEntry.Name)
                rows.AddRange(JournalEntry.Read(entry).Events);
        });
        return (manifest, rows);
    }

    private async Task Back(TestCompany company, TenantRepository updates, StorageProvider provider)
    {
        using var maker = Maker(company, updates, provider);
        await using var file = File.Create(Archive);
        Assert.Null(await maker.Make(file, Passphrase, withContent: true, default));
    }

    private static BackupMaker Maker(TestCompany company, TenantRepository updates, StorageProvider provider) =>
        new(company.Data, provider, company.Journal, updates, null, "1.2.3", TimeProvider.System, NullLogger<BackupMaker>.Instance);

    private static Task<TenantRepository> Updates(TestCompany company) =>
        TenantRepository.Open(Path.Combine(company.Data, "updates"), HeadquartersOptions.Load(null, []).Updates, company.Authority, TimeProvider.System, NullLoggerFactory.Instance);

    private static async Task Publish(TenantRepository updates, byte[] content)
    {
        var hash = BlobHash.Over(content);
        Assert.Null(await updates.Content.Take(hash, new MemoryStream(content), 0, content.Length, default));
        Assert.Null((await updates.Publish(new PackageManifest("tills", "1.0", InstallKind.Archive, [new PackageFile("till", 0b110_100_100, content.Length, hash)]), default)).Refusal);
    }

    private static async Task<HeadquartersOptions> Target(StorageProvider provider) => HeadquartersOptions.Load(null,
        [.. ((string[])["web", "cluster", "gateway", "push", "links", "updates"]).SelectMany(p => (string[])[$"{p}.bind=127.0.0.1", $"{p}.port=0"]), "metrics.port=0"]) with
    { Storage = provider == StorageProvider.Sqlite ? StorageOptions.Sqlite : await TestStorage.PostgresOptions() };

    /// <summary>Takes the first write and then waits.</summary>
    private sealed class SlowStream : MemoryStream
    {
        private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _goOn = new();

        public Task Written => _written.Task;

        public void GoOn() => _goOn.Set();

        public override void Write(byte[] buffer, int offset, int count)
        {
            _written.TrySetResult();
            _goOn.Wait();
            base.Write(buffer, offset, count);
        }

        public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray(), 0, buffer.Length);

        protected override void Dispose(bool disposing)
        {
            _goOn.Dispose();
            base.Dispose(disposing);
        }
    }
}
