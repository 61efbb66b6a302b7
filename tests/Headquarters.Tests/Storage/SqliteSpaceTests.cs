using Fleet.Headquarters.Storage;
using Microsoft.Data.Sqlite;

namespace Fleet.Headquarters.Tests.Storage;

public sealed class SqliteSpaceTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("fleet-space-");

    private string Path => System.IO.Path.Combine(_root.FullName, "journal.db");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _root.Delete(recursive: true);
    }

    [Fact]
    public async Task What_deleted_rows_took_goes_back_to_the_disk_a_little_at_a_time_while_others_write()
    {
        var journal = new JournalFile(Path);
        Assert.Null(await journal.Prepare());
        journal.MakeTables();
        new JournalRows(journal).Write(Rows(4000), [], 4000, _ => { });
        journal.Finish();
        var full = journal.Size().Bytes;
        Run("DELETE FROM journal WHERE ordering > 400");
        var steps = 0;

        for (; journal.GiveBack() is > 0 and var given; steps++)
        {
            Assert.InRange(given, 1, 256);
            Run($"UPDATE journal SET created = {steps} WHERE ordering = 1");
        }

        journal.Finish();
        Assert.True(steps > 10, $"{steps} steps");
        Assert.InRange(journal.Size().Bytes, 1, full / 3);
        Assert.Equal(400, new JournalRows(journal).Count().Events);
    }

    [Fact]
    public async Task A_file_of_an_earlier_version_learns_to_give_space_back()
    {
        Run("PRAGMA journal_mode = WAL");
        Run("CREATE TABLE precious (what text)");
        Run("INSERT INTO precious VALUES ('unharmed')");
        Assert.Equal(0L, Run("PRAGMA auto_vacuum"));

        Assert.Null(await new JournalFile(Path).Prepare());

        Assert.Equal(2L, Run("PRAGMA auto_vacuum"));
        Assert.Equal("unharmed", Run("SELECT what FROM precious"));
    }

    [Fact]
    public async Task A_log_that_a_long_reader_let_grow_is_cut()
    {
        var journal = new JournalFile(Path);
        Assert.Null(await journal.Prepare());
        journal.MakeTables();
        // The log goes with the last connection, and others close those that wait in the pool.
        using var open = new SqliteConnection($"Data Source={Path};Pooling=false");
        await open.OpenAsync();
        await using var reads = open.CreateCommand();
        reads.CommandText = "SELECT count(*) FROM journal";
        Assert.Equal(0L, await reads.ExecuteScalarAsync());
        using (await new JournalRows(journal).Freeze(default))
            new JournalRows(journal).Write(Rows(8000), [], 8000, _ => { });
        Assert.True(new FileInfo(Path + "-wal").Length > 64 * 1024 * 1024);

        Assert.Equal(0, journal.GiveBack());

        Assert.Equal(0, new FileInfo(Path + "-wal").Length);
    }

    private static IEnumerable<JournalRow> Rows(int count) =>
        Enumerable.Range(1, count).Select(n => new JournalRow { Ordering = n, PersistenceId = "office-leeds", SequenceNr = n, Message = new byte[10_000], Manifest = "test", SerializerId = 1, Writer = "" });

    private object? Run(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path}");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
