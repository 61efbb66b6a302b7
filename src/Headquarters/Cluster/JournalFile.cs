using Fleet.Messages.Serialization;
using Microsoft.Data.Sqlite;

namespace Fleet.Headquarters.Cluster;

/// <summary>The SQLite file with journal and snapshots. Carries a format number, so that a program too old for it leaves it alone.</summary>
public sealed class JournalFile(string path)
{
    /// <summary>Raise it when an older program must not read what this one writes.</summary>
    private const int Format = 1;

    public string ConnectionString { get; } = $"Data Source={path}";

    /// <summary>Makes the file ready for use, or says why it can't be used; then nothing in it was touched.</summary>
    public string? Prepare()
    {
        try
        {
            if (File.Exists(path) && Problem() is { } problem)
                return problem;
            using var connection = new SqliteConnection(ConnectionString);
            connection.Open();
            Run(connection, "PRAGMA journal_mode=WAL");
            Run(connection, $"PRAGMA user_version={Format}");
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
        var format = Convert.ToInt32(Run(connection, "PRAGMA user_version"), System.Globalization.CultureInfo.InvariantCulture);
        if (format > Format)
            return $"the journal {path} has format {format} and this version of Fleet reads up to {Format}: start the newer version, or restore a backup made by this one";
        return UnknownManifest(connection) is { } unknown
            ? $"the journal {path} holds '{unknown}', which this version of Fleet does not know: start the newer version, or restore a backup made by this one"
            : null;
    }

    // A format number can be forgotten in a release; a kind of event that is not in the table can't be missed.
    private static string? UnknownManifest(SqliteConnection connection)
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
                if (!manifests.IsDBNull(0) && !Manifests.All.ContainsKey(manifests.GetString(0)))
                    return manifests.GetString(0);
        }

        return null;
    }

    private static object? Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
