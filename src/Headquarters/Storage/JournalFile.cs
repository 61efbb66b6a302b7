using System.Globalization;
using Fleet.Messages.Serialization;
using Microsoft.Data.Sqlite;
using LinqToDbProvider = LinqToDB.ProviderName;

namespace Fleet.Headquarters.Storage;

/// <summary>The SQLite file with journal and snapshots.</summary>
public sealed class JournalFile(string path) : IJournalStore
{
    /// <summary>Behind the name of a file whose content was moved elsewhere.</summary>
    internal const string Moved = ".moved";

    // As Akka.Persistence.Sql makes them.
    private const string Tables = """
        CREATE TABLE IF NOT EXISTS journal (
            ordering INTEGER PRIMARY KEY AUTOINCREMENT,
            created bigint NOT NULL,
            deleted bit NOT NULL,
            persistence_id nvarchar(255) NOT NULL,
            sequence_number bigint NOT NULL,
            message blob NOT NULL,
            manifest nvarchar(500),
            identifier int,
            writer_uuid nvarchar(128),
            UNIQUE (persistence_id, sequence_number));
        CREATE TABLE IF NOT EXISTS snapshot (
            persistence_id nvarchar(255) NOT NULL,
            sequence_number bigint NOT NULL,
            created bigint NOT NULL,
            snapshot blob,
            manifest nvarchar(500),
            serializer_id int,
            PRIMARY KEY (persistence_id, sequence_number));
        """;

    public string ProviderName => LinqToDbProvider.SQLiteMS;

    public string ConnectionString { get; } = $"Data Source={path}";

    /// <summary>SQLite has one writer.</summary>
    public int Parallelism => 1;

    /// <summary>
    /// Nobody waits for a file: more than the processors have to do would only keep links' words waiting behind them. With 50, pongs came after 13 to 16 s in both restarts under 1,000 offices whose log was read (bench/results/2026-11-28.md).
    /// </summary>
    public int Recoveries => 3 * Environment.ProcessorCount;

    public bool MakesOwnTables => false;

    public string LastPositionSql => "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0)";

    public string SetLastPositionSql(long position) =>
        string.Create(CultureInfo.InvariantCulture, $"DELETE FROM sqlite_sequence WHERE name = 'journal'; INSERT INTO sqlite_sequence (name, seq) VALUES ('journal', {position})");

    public string FreezeSql => "BEGIN";

    // One writer, and what it has not committed is not seen.
    public Task<T> BetweenWrites<T>(Func<T> look, CancellationToken cancellation = default) => Task.FromResult(look());

    public string Say(Exception fault) => SqliteSpace.Say($"the journal {path}", fault);

    public Task<string?> Prepare(CancellationToken cancellation = default) => Task.FromResult(Prepare());

    public StorageSize Size() => new SqliteSpace(path).Size();

    public int GiveBack() => new SqliteSpace(path).GiveBack();

    // One writer: what is committed later has a later position.
    public Task<bool> HasMore(long after, long upTo, IReadOnlySet<long> read) => Task.FromResult(false);

    /// <summary>Makes the tables that else the journal's plugin makes, to be filled without it.</summary>
    internal void MakeTables()
    {
        using var connection = new SqliteConnection(ConnectionString);
        connection.Open();
        Run(connection, Tables);
    }

    /// <summary>Brings all that was written into the one file.</summary>
    internal void Finish()
    {
        using var connection = new SqliteConnection(ConnectionString);
        connection.Open();
        Run(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    }

    private string? Prepare()
    {
        try
        {
            // An empty one would be a headquarters without offices.
            if (!File.Exists(path) && File.Exists(path + Moved))
                return $"the journal {path} was moved to PostgreSQL: set fleet.storage.provider = postgresql. To go on with what it was before the move, rename {path + Moved} to {path}";
            if (File.Exists(path) && Problem() is { } problem)
                return problem;
            using var connection = new SqliteConnection(ConnectionString);
            connection.Open();
            SqliteSpace.Prepare(connection);
            Run(connection, "PRAGMA journal_mode=WAL");
            Run(connection, $"PRAGMA user_version={JournalFormat.Current}");
            return null;
        }
        catch (SqliteException fault)
        {
            return $"the journal {path} can't be used: {fault.Message} {Advice(fault)}";
        }
    }

    // SQLITE_BUSY, SQLITE_LOCKED; SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_READONLY; else SQLITE_CORRUPT, SQLITE_NOTADB and the like.
    private static string Advice(SqliteException fault) => fault.SqliteErrorCode switch
    {
        5 or 6 => "Another program has it open: stop that one",
        13 or 14 or 8 => "Make room and see that this user may write there",
        _ => "Restore the data directory from a backup",
    };

    private string? Problem()
    {
        using var connection = new SqliteConnection($"{ConnectionString};Mode=ReadOnly;Pooling=false;Default Timeout=5");
        connection.Open();
        return JournalFormat.Problem(path, Convert.ToInt32(Run(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture)) ?? JournalFormat.Problem(path, ManifestsIn(connection));
    }

    private static IEnumerable<string> ManifestsIn(SqliteConnection connection)
    {
        foreach (var table in (string[])["journal", "snapshot"])
        {
            if (Run(connection, $"SELECT name FROM sqlite_master WHERE type = 'table' AND name = '{table}'") is null)
                continue;
            using var command = connection.CreateCommand();
            var serializer = table == "journal" ? "identifier" : "serializer_id";
            command.CommandText = $"SELECT DISTINCT manifest FROM {table} WHERE {serializer} = {FleetSerializer.SerializerId}";
            using var manifests = command.ExecuteReader();
            while (manifests.Read())
                if (!manifests.IsDBNull(0))
                    yield return manifests.GetString(0);
        }
    }

    private static object? Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
