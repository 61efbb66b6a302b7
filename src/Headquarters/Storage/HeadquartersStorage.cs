using Fleet.Contracts.Storage;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.ReadModel;

namespace Fleet.Headquarters.Storage;

/// <summary>What a headquarters keeps: journal with snapshots, and the read model made from them, in whichever kind of storage the settings name.</summary>
/// <param name="Shared">The database that several nodes share; null: one node has it all.</param>
public sealed record HeadquartersStorage(IJournalStore Journal, ReadModelStore ReadModel, PostgresDatabase? Shared = null)
{
    /// <param name="say">Told once when a server is waited for.</param>
    /// <param name="renewReadModel">The read model will be written anew, whichever version made it.</param>
    /// <exception cref="StorageException">It can't be used; the message says what to do.</exception>
    public static async Task<HeadquartersStorage> Open(DataDirectory directory, StorageOptions options, Action<string> say, bool renewReadModel = false, CancellationToken cancellation = default)
    {
        if (options.Provider == StorageProvider.Sqlite)
            return new HeadquartersStorage(new JournalFile(directory.PathOf(DataFiles.Journal)), ReadModelStore.Sqlite(directory.PathOf(DataFiles.ReadModel)));
        if (File.Exists(directory.PathOf(DataFiles.Journal)))
            throw new StorageException(
                $"fleet.storage.provider is postgresql and {directory.PathOf(DataFiles.Journal)} holds a journal: move it with 'headquarters move-storage --to postgresql', or take it away if it is of no use any more");
        var database = new PostgresDatabase(options, say);
        return new HeadquartersStorage(new JournalDatabase(database), await ReadModelStore.PostgreSql(database, renewReadModel, cancellation), database);
    }
}

/// <summary>Names in the data directory.</summary>
internal static class DataFiles
{
    public const string Journal = "journal.db";
    public const string ReadModel = "read-model.db";
    public const string ConsoleKeys = "console-keys";
    public const string Updates = "updates";

    /// <summary>What makes a data directory one of this headquarters, file by file. The administrator token itself stays where it is.</summary>
    public static IEnumerable<string> IdentityIn(string data) =>
        new[] { "identity", ConsoleKeys, AdminCredentials.HashFile }.Select(p => Path.Combine(data, p)).SelectMany(p => Directory.Exists(p) ? Directory.GetFiles(p) : [p]).Where(File.Exists).Select(f => Path.GetRelativePath(data, f));
}
