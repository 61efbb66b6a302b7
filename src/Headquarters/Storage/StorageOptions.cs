using Akka.Configuration;
using Fleet.Messages.Settings;
using Npgsql;

namespace Fleet.Headquarters.Storage;

/// <summary>Where a headquarters keeps journal, snapshots and read model.</summary>
public enum StorageProvider
{
    /// <summary>Files in the data directory.</summary>
    Sqlite = 1,

    /// <summary>One database of a PostgreSQL server, which several nodes share.</summary>
    PostgreSql = 2,
}

/// <summary>Block <c>fleet.storage</c>.</summary>
/// <param name="ConnectionString">PostgreSQL's, with the password; empty on SQLite.</param>
/// <param name="MaxConnections">Connections that this node opens to PostgreSQL at most.</param>
/// <param name="WaitForServer">How long a start waits for a PostgreSQL server that is not up yet.</param>
public sealed record StorageOptions(StorageProvider Provider, string ConnectionString, int MaxConnections, TimeSpan WaitForServer)
{
    private const string Key = "storage.connection-string";

    public static StorageOptions Sqlite { get; } = new(StorageProvider.Sqlite, "", 30, TimeSpan.FromMinutes(1));

    public static StorageOptions From(Config fleet, Problems problems)
    {
        var provider = ProviderOf(problems.Text(fleet, "storage.provider"));
        if (provider is null && !problems.Told("storage.provider"))
            problems.Add("fleet.storage.provider", $"must be sqlite or postgresql, not '{fleet.GetString("storage.provider")}'");
        return new StorageOptions(
            provider ?? StorageProvider.Sqlite,
            provider == StorageProvider.PostgreSql ? Checked(problems.Optional(fleet, Key), problems.Optional(fleet, "storage.password-file"), "fleet.storage", problems) : "",
            problems.Number(fleet, "storage.max-connections", 6, 1000),
            problems.Positive(fleet, "storage.wait-for-server"));
    }

    /// <summary>The same with another PostgreSQL database, where one is named.</summary>
    /// <exception cref="SettingsException">It can't be read, or none is named anywhere.</exception>
    public StorageOptions At(string? connectionString, string? passwordFile)
    {
        var problems = new Problems();
        var checkedString = Checked(connectionString ?? ConnectionString, passwordFile ?? "", "--", problems);
        problems.ThrowIfAny();
        return this with { Provider = StorageProvider.PostgreSql, ConnectionString = checkedString };
    }

    /// <summary>As the settings and the command line name it; null: no such.</summary>
    public static StorageProvider? ProviderOf(string name) => name switch
    {
        "sqlite" => StorageProvider.Sqlite,
        "postgresql" => StorageProvider.PostgreSql,
        _ => null,
    };

    /// <summary>A connection string with its password, which may lie in a file of its own.</summary>
    /// <param name="path">Whose settings these are, for the mistakes.</param>
    public static string Checked(string connectionString, string passwordFile, string path, Problems problems)
    {
        try
        {
            var parts = new NpgsqlConnectionStringBuilder(connectionString);
            if (string.IsNullOrEmpty(parts.Host) || string.IsNullOrEmpty(parts.Database))
                problems.Add($"{path}.connection-string", "must name host and database, such as \"Host=db.example;Username=fleet;Database=fleet\"");
            if (passwordFile.Length > 0)
                parts.Password = File.ReadAllText(passwordFile).TrimEnd('\r', '\n');
            return parts.ToString();
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException)
        {
            // What can't be read may hold the password: it is not shown.
            problems.Add($"{path}.connection-string", $"is no connection string of PostgreSQL: {fault.Message}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{path}.password-file", $"can't be read: {fault.Message}");
        }

        return "";
    }
}
