using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Fleet.Headquarters.Storage;

/// <summary>
/// The space of one SQLite file: what deleted rows leave free is used again, and where that is much, given back to the disk a little at a time while others
/// read and write (https://sqlite.org/pragma.html#pragma_incremental_vacuum).
/// </summary>
internal sealed class SqliteSpace(string path)
{
    /// <summary>Pages given back in one transaction: 1 MiB, some milliseconds of the one place for writers.</summary>
    private const int Step = 256;

    /// <summary>Pages that stay free, for what comes next: 8 MiB, or a fifth of the file.</summary>
    private const int LeftFree = 2048;

    /// <summary>A write-ahead log that a long reader let grow beyond this is cut.</summary>
    private const long LongLog = 64 * 1024 * 1024;

    private const int Incremental = 2;

    private readonly string _connection = $"Data Source={path}";

    /// <summary>What went wrong with a file that was in use, and what to do, in words for an administrator.</summary>
    /// <param name="what">The file, and what it is.</param>
    public static string Say(string what, Exception fault) => fault.GetBaseException() switch
    {
        // SQLITE_FULL; SQLITE_IOERR, which is said where what lies beside the file can't grow.
        SqliteException { SqliteErrorCode: 13 } full => $"{what} can't grow: {full.Message} Make room on its disk; it goes on by itself",
        SqliteException { SqliteErrorCode: 10 } broken => $"the disk of {what} fails or is full: {broken.Message} Make room there, and see the machine's log",
        var other => other.Message,
    };

    /// <summary>Before the first table is made, or once for a file of an earlier version, which takes as long as copying it.</summary>
    public static void Prepare(SqliteConnection connection)
    {
        if (Number(connection, "PRAGMA auto_vacuum") == Incremental)
            return;
        Run(connection, $"PRAGMA auto_vacuum = {Incremental}");
        if (Number(connection, "SELECT count(*) FROM sqlite_master") == 0)
            return;
        try
        {
            Run(connection, "VACUUM");
        }
        catch (SqliteException fault) when (fault.SqliteErrorCode is 5 or 6 or 13)
        {
            // In use, or no room for the copy: the space stays in the file, to be used again, until a later start.
        }
    }

    /// <summary>Gives some of it back.</summary>
    /// <returns>Pages; 0: what is free is no more than may well be used again.</returns>
    public int GiveBack()
    {
        using var connection = new SqliteConnection(_connection);
        connection.Open();
        var (pages, free) = (Number(connection, "PRAGMA page_count"), Number(connection, "PRAGMA freelist_count"));
        var most = Math.Min(Step, free - Math.Max(LeftFree, pages / 5));
        if (most > 0 && Number(connection, "PRAGMA auto_vacuum") == Incremental)
        {
            Run(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA incremental_vacuum({most})"));
            return (int)(free - Number(connection, "PRAGMA freelist_count"));
        }

        if (Length(path + "-wal") > LongLog)
            // What is in it goes into the file while others write; then it is cut if nobody reads from it at that moment.
            Run(connection, "PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(TRUNCATE)");
        return 0;
    }

    public StorageSize Size()
    {
        using var connection = new SqliteConnection(_connection);
        connection.Open();
        return new StorageSize(Length(path) + Length(path + "-wal"), Number(connection, "PRAGMA freelist_count") * Number(connection, "PRAGMA page_size"));
    }

    private static long Length(string file) => new FileInfo(file) is { Exists: true } found ? found.Length : 0;

    private static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

/// <param name="Bytes">On the disk.</param>
/// <param name="Free">Of them what deleted rows left, for what comes next; PostgreSQL does not say.</param>
public sealed record StorageSize(long Bytes, long Free);

/// <summary>How much headquarters keeps.</summary>
/// <param name="Journal">Events and snapshots.</param>
/// <param name="ReadModel">What lists show, and histories.</param>
/// <param name="Events">Rows of the journal; one may hold many events.</param>
/// <param name="Snapshots">Of twins.</param>
public sealed record StorageSizes(StorageSize Journal, StorageSize ReadModel, long Events, long Snapshots)
{
    public static StorageSizes Of(IJournalStore journal, ReadModel.ReadModelStore readModel)
    {
        var (events, snapshots) = new JournalRows(journal).Count();
        return new StorageSizes(journal.Size(), readModel.Size(), events, snapshots);
    }
}
