using Fleet.Contracts.Storage;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Offices;
using Microsoft.Data.Sqlite;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.Cluster;

public sealed class StorageMoveTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("fleet-move-");

    private string Data => Path.Combine(_root.FullName, "data");

    [SkippableFact]
    public async Task A_journal_goes_to_PostgreSQL_and_back_with_every_row_and_position_as_it_was()
    {
        var postgres = await TestStorage.PostgresOptions();
        var before = await Filled();
        var said = new List<string>();

        await Move(StorageProvider.PostgreSql, postgres, said);

        var there = new JournalRows(new JournalDatabase(new PostgresDatabase(postgres)));
        Assert.Equal(before, Described(there));
        Assert.Contains(said, s => s.Contains("fleet.storage.provider = postgresql", StringComparison.Ordinal));
        Assert.Contains(said, s => s.Contains("office-leeds: ", StringComparison.Ordinal) && s.Contains(before.Twins.Single(t => t.PersistenceId == "office-leeds").Hash, StringComparison.Ordinal));
        Assert.Contains("moved to PostgreSQL", await new JournalFile(Path.Combine(Data, "journal.db")).Prepare(), StringComparison.Ordinal);
        await using (var storage = await TestStorage.On(postgres))
            Assert.Equal(3, (await new ReadModelQueries(storage.ReadModel, TimeProvider.System).OfficeEvents(Leeds, PageRequest.First)).Total);

        await Move(StorageProvider.Sqlite, postgres, said);

        Assert.Equal(before, Described(new JournalRows(new JournalFile(Path.Combine(Data, "journal.db")))));
        Assert.Contains("moved to SQLite", await new JournalDatabase(new PostgresDatabase(postgres)).Prepare(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_goes_on_after_a_move_goes_on_behind_what_was_moved()
    {
        var postgres = await TestStorage.PostgresOptions();
        var before = await Filled();
        await Move(StorageProvider.PostgreSql, postgres, []);

        await using var company = await TestCompany.Start(postgres, 1000);
        await company.Token(Leeds, JoinKind.Agent);

        await ReadModelShows(async () => (await company.ReadModel.OfficeEvents(Leeds, PageRequest.First)).Total == 4, "the old history and the new event");
        Assert.True((await company.ReadModel.OfficeEvents(Leeds, PageRequest.First)).Items[0].Position > before.LastPosition);
    }

    [SkippableFact]
    public async Task A_move_that_was_interrupted_is_refused_by_a_start_and_begun_anew_by_the_command()
    {
        var postgres = await TestStorage.PostgresOptions();
        var before = await Filled();
        var target = new JournalDatabase(new PostgresDatabase(postgres));
        await target.BeginMove(default);
        new JournalRows(target).Write([new JournalRow { Ordering = 1, PersistenceId = "office-half", SequenceNr = 1 }], [], 1, _ => { });

        Assert.Contains("move-storage", await target.Prepare(), StringComparison.Ordinal);
        await Move(StorageProvider.PostgreSql, postgres, []);

        Assert.Null(await target.Prepare());
        Assert.Equal(before, Described(new JournalRows(target)));
    }

    [SkippableFact]
    public async Task A_database_that_holds_a_journal_is_not_written_over_and_nothing_is_half_used()
    {
        var postgres = await TestStorage.PostgresOptions();
        var before = await Filled();
        await using (await TestCompany.Start(postgres, 1000, York))
        {
        }

        var refused = await Assert.ThrowsAsync<StorageException>(() => Move(StorageProvider.PostgreSql, postgres, []));
        using (var directory = DataDirectory.Open(Data, "headquarters"))
            Assert.Contains("move-storage", (await Assert.ThrowsAsync<StorageException>(() => HeadquartersStorage.Open(directory, postgres, _ => { }))).Message, StringComparison.Ordinal);

        Assert.Contains("there is a journal already", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Described(new JournalRows(new JournalFile(Path.Combine(Data, "journal.db")))));
    }

    [Fact]
    public void A_changed_byte_or_order_changes_the_hash()
    {
        JournalRow[] rows = [new() { Ordering = 1, PersistenceId = "a", SequenceNr = 1, Message = [1, 2], Manifest = "x" }, new() { Ordering = 2, PersistenceId = "a", SequenceNr = 2, Message = [3] }];

        var hashes = new[]
        {
            rows,
            [rows[0] with { Message = [1, 3] }, rows[1]],
            [rows[0] with { Message = [1], Manifest = "\u0002x" }, rows[1]],
            [rows[0] with { Ordering = 2 }, rows[1] with { Ordering = 3 }],
            [rows[0], rows[1] with { Deleted = true }],
        }.Select(HashOf).ToList();

        Assert.Equal(hashes.Count, hashes.Distinct().Count());
        Assert.Equal(hashes[0], HashOf(rows));
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _root.Delete(recursive: true);
    }

    private static string HashOf(JournalRow[] rows)
    {
        using var digest = new JournalDigest();
        Assert.Equal(rows.Length, digest.Over(rows).Count());
        return digest.Twins().Single().Hash;
    }

    private static Description Described(JournalRows rows)
    {
        using var digest = JournalDigest.Of(rows);
        return new Description(digest.Twins(), rows.LastPosition());
    }

    private Task Move(StorageProvider to, StorageOptions postgres, List<string> said) => HeadquartersNode.MoveStorage(Data, to, postgres, said.Add);

    // A headquarters with snapshots, deleted events and a history, in the data directory.
    private async Task<Description> Filled()
    {
        using (var directory = DataDirectory.Open(Data, "headquarters"))
        {
            await using var company = await TestCompany.Start(TestStorage.In(Data), 10, [Leeds]);
            using var till = await company.EnrolDevice(Leeds, "till-1");
            for (ulong version = 1; version <= 40; version++)
                await company.Report(till, Leeds, till.Report(version, events: [version]));
            await ReadModelShows(async () => (await company.Events()).OfType<DeviceEventRecorded>().Count() < 40, "old events deleted");
            await ReadModelShows(async () => (await company.ReadModel.DeviceEvents(till.Id, PageRequest.First)).Items.Count(e => e.Number > 0) >= 40, "the read model has followed");
        }

        SqliteConnection.ClearAllPools();
        return Described(new JournalRows(new JournalFile(Path.Combine(Data, "journal.db"))));
    }

    private sealed record Description(IReadOnlyList<TwinDigest> Twins, long LastPosition)
    {
        public bool Equals(Description? other) => other is not null && LastPosition == other.LastPosition && Twins.SequenceEqual(other.Twins);

        public override int GetHashCode() => HashCode.Combine(LastPosition, Twins.Count);
    }
}
