using Fleet.Contracts.Storage;
using Microsoft.Data.Sqlite;

namespace Fleet.Office.Storage;

/// <summary>
/// Opens an SQLite file of the data directory. Write-ahead log with synchronous=NORMAL: what was committed survives a killed process; a power cut may
/// take the last moments, which devices and headquarters make up for. The file is this process's alone, as the data directory is, so the log's index needs
/// no shared memory (https://sqlite.org/wal.html#noshm): one open file less each.
/// </summary>
internal static class SqliteFile
{
    private const int Corrupt = 11;
    private const int NotADatabase = 26;

    /// <param name="version">The format this program writes; a file of a newer one is refused.</param>
    /// <param name="schema">Creates the tables where they are missing.</param>
    /// <exception cref="StorageException">Newer, damaged or not writable.</exception>
    public static SqliteConnection Open(string path, int version, string schema)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            Run(connection, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 8388608;");
            var found = Number(connection, "PRAGMA user_version;");
            if (found > version)
                throw new StorageException($"{path} was written by a newer version (format {found}; this one knows {version}); run that version");
            Run(connection, $"{schema} PRAGMA user_version = {version};");
            return connection;
        }
        catch (SqliteException fault)
        {
            connection.Dispose();
            throw new StorageException(fault.SqliteErrorCode is Corrupt or NotADatabase
                ? $"{path} is damaged ({fault.Message}); delete it: devices and headquarters make up for what it held"
                : $"{path} can't be used: {fault.Message}");
        }
        catch (StorageException)
        {
            connection.Dispose();
            throw;
        }
    }

    public static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)(command.ExecuteScalar() ?? 0L);
    }

    /// <summary>All of the work or none of it.</summary>
    public static void InOneGo(SqliteConnection connection, Action work)
    {
        Run(connection, "BEGIN IMMEDIATE");
        try
        {
            work();
            Run(connection, "COMMIT");
        }
        catch
        {
            Run(connection, "ROLLBACK");
            throw;
        }
    }

    /// <summary>A command to be run many times; parameters are set by their order of naming.</summary>
    public static SqliteCommand Prepare(SqliteConnection connection, string sql, params string[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in parameters)
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        return command;
    }

    public static SqliteCommand With(this SqliteCommand command, params object?[] values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        return command;
    }
}
