using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.TestSupport;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Fleet.Headquarters.Tests;

/// <summary>A fresh journal and read model: files of a directory of their own, or a database of their own of this assembly's PostgreSQL.</summary>
internal sealed class TestStorage : IAsyncDisposable
{
    private readonly string _directory;
    private readonly bool _keep;
    private readonly StorageOptions _options;

    private TestStorage(StorageOptions options, PostgresDatabase? database, string? directory = null)
    {
        (_options, _keep, _directory) = (options, directory is not null, directory ?? Directory.CreateTempSubdirectory("fleet-storage-").FullName);
        Journal = database is null ? new JournalFile(JournalPath) : new JournalDatabase(database);
    }

    /// <summary>For tests that must hold on either.</summary>
    public static TheoryData<StorageProvider> Both => [StorageProvider.Sqlite, StorageProvider.PostgreSql];

    /// <summary>For tests that say nothing of storage. The variable runs all of them on the other.</summary>
    public static StorageProvider Usual { get; } = StorageOptions.ProviderOf(Environment.GetEnvironmentVariable("FLEET_TEST_STORAGE") ?? "sqlite")!.Value;

    /// <summary>Another may stand in its place before it is used.</summary>
    public IJournalStore Journal { get; set; }

    public ReadModelStore ReadModel { get; private set; } = null!;

    private string JournalPath => Path.Combine(_directory, "journal.db");

    public static async Task<TestStorage> New(StorageProvider provider)
    {
        if (provider == StorageProvider.PostgreSql)
            return await On(await PostgresOptions());
        var files = new TestStorage(StorageOptions.Sqlite, null);
        files.ReadModel = ReadModelStore.Sqlite(Path.Combine(files._directory, "read-model.db"));
        return files;
    }

    /// <summary>Files in a directory of somebody's, as headquarters names them; they stay.</summary>
    public static TestStorage In(string directory) => new(StorageOptions.Sqlite, null, directory) { ReadModel = ReadModelStore.Sqlite(Path.Combine(directory, "read-model.db")) };

    /// <summary>A fresh database of this assembly's server; skips the test where there is none.</summary>
    public static async Task<StorageOptions> PostgresOptions()
    {
        Skip.If(PrivatePostgres.Unable() is not null, PrivatePostgres.Unable());
        return new StorageOptions(StorageProvider.PostgreSql, await (await PrivatePostgres.Shared).NewDatabase(), 20, TimeSpan.FromSeconds(20));
    }

    /// <summary>On a PostgreSQL database.</summary>
    public static async Task<TestStorage> On(StorageOptions options)
    {
        var database = new PostgresDatabase(options);
        return new TestStorage(options, database) { ReadModel = await ReadModelStore.PostgreSql(database) };
    }

    /// <summary>Runs a statement in the journal's database.</summary>
    public async Task<object?> Run(string sql)
    {
        await using System.Data.Common.DbConnection connection = _options.Provider == StorageProvider.Sqlite
            ? new SqliteConnection($"Data Source={JournalPath};Pooling=false") : new NpgsqlConnection(_options.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Whether a text lies in any file of the storage or of another directory, or in a row of the database.</summary>
    public async Task<bool> Holds(string text, string besides)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        foreach (var file in new[] { _directory, besides }.SelectMany(d => Directory.GetFiles(d)))
        {
            await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var content = new byte[open.Length];
            await open.ReadExactlyAsync(content);
            if (content.AsSpan().IndexOf(bytes) >= 0)
                return true;
        }

        return _options.Provider == StorageProvider.PostgreSql && await Run($"""
            SELECT EXISTS (SELECT FROM fleet.journal WHERE position(convert_to('{text}', 'UTF8') IN message) > 0)
                OR EXISTS (SELECT FROM fleet.snapshot WHERE position(convert_to('{text}', 'UTF8') IN snapshot) > 0)
            """) is true;
    }

    public async ValueTask DisposeAsync()
    {
        await ReadModel.DisposeAsync();
        SqliteConnection.ClearAllPools();
        if (_options.Provider == StorageProvider.PostgreSql)
            NpgsqlConnection.ClearAllPools();
        if (_keep)
            return;
        // The journal plugin's last reads end after its actors: their connections may still make files while the directory goes.
        await Until.True(() => Deleted(_directory), $"{_directory} is deleted");
    }

    private static bool Deleted(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
