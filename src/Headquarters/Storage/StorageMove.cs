using System.Globalization;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.ReadModel;
using Microsoft.Data.Sqlite;

namespace Fleet.Headquarters.Storage;

/// <summary>
/// Takes journal, snapshots and read model from one kind of storage to the other. The copy is compared with the source, twin by twin, before it may be used and
/// before the source is retired; a move that was interrupted leaves the source as it was, and is begun anew.
/// </summary>
internal static class StorageMove
{
    /// <summary>An SQLite copy that is not whole yet.</summary>
    private const string Unfinished = ".moving";

    /// <param name="to">Where it is to lie.</param>
    /// <param name="options">The PostgreSQL side.</param>
    /// <param name="say">Told how far it is.</param>
    /// <exception cref="StorageException">It can't be moved; the message says why, and the source is as it was.</exception>
    public static Task Run(DataDirectory directory, StorageProvider to, StorageOptions options, Action<string> say, CancellationToken cancellation = default) =>
        to == StorageProvider.PostgreSql ? ToPostgreSql(directory, options, say, cancellation) : ToSqlite(directory, options, say, cancellation);

    private static async Task ToPostgreSql(DataDirectory directory, StorageOptions options, Action<string> say, CancellationToken cancellation)
    {
        var file = directory.PathOf(DataFiles.Journal);
        if (!File.Exists(file))
            throw new StorageException($"there is no {file} to move");
        var source = new JournalFile(file);
        await Usable(source, cancellation);
        var database = new PostgresDatabase(options, say);
        var target = new JournalDatabase(database);
        await target.BeginMove(cancellation);
        Copy(source, target, say);
        await using (var from = ReadModelStore.Sqlite(directory.PathOf(DataFiles.ReadModel)))
        await using (var read = await ReadModelStore.PostgreSql(database, renew: true, cancellation))
            from.CopyTo(read);
        await target.EndMove(cancellation);
        SqliteConnection.ClearAllPools();
        foreach (var name in (string[])[DataFiles.Journal, DataFiles.ReadModel])
            Rename(directory.PathOf(name), directory.PathOf(name) + JournalFile.Moved);
        say($"""
            moved; what was in the data directory is kept as {DataFiles.Journal}{JournalFile.Moved}. Before the next start set
              fleet.storage.provider = postgresql
              fleet.storage.connection-string and fleet.storage.password-file as for this command
            """);
    }

    private static async Task ToSqlite(DataDirectory directory, StorageOptions options, Action<string> say, CancellationToken cancellation)
    {
        var file = directory.PathOf(DataFiles.Journal);
        if (File.Exists(file))
            throw new StorageException($"there is a {file} already: take it away if it is of no use any more");
        var database = new PostgresDatabase(options, say);
        var source = new JournalDatabase(database);
        await Usable(source, cancellation);
        foreach (var old in Directory.GetFiles(directory.Path, DataFiles.Journal + Unfinished + "*"))
            File.Delete(old);
        var target = new JournalFile(file + Unfinished);
        await Usable(target, cancellation);
        target.MakeTables();
        Copy(source, target, say);
        await using (var from = await ReadModelStore.PostgreSql(database, cancellation: cancellation))
        await using (var read = ReadModelStore.Sqlite(directory.PathOf(DataFiles.ReadModel)))
            from.CopyTo(read);
        target.Finish();
        SqliteConnection.ClearAllPools();
        Rename(file + Unfinished, file);
        await source.Retire(cancellation);
        say("""
            moved; what is in the database is kept, and refused until it is dropped. Before the next start set
              fleet.storage.provider = sqlite
            """);
    }

    private static async Task Usable(IJournalStore store, CancellationToken cancellation)
    {
        if (await store.Prepare(cancellation) is { } problem)
            throw new StorageException(problem);
    }

    private static void Copy(IJournalStore source, IJournalStore target, Action<string> say)
    {
        var (from, to) = (new JournalRows(source), new JournalRows(target));
        var (events, snapshots) = from.Count();
        say($"copying {events} events and {snapshots} snapshots");
        using var read = new JournalDigest();
        var (done, total, told) = (0L, events + snapshots, 0L);
        to.Write(read.Over(from.Events()), read.Over(from.Snapshots()), from.LastPosition(), rows =>
        {
            done += rows;
            if (done * 10 / Math.Max(1, total) is var tenth && tenth > told)
                say(string.Create(CultureInfo.InvariantCulture, $"  {done} of {total} rows ({(told = tenth) * 10} %)"));
        });

        using var written = JournalDigest.Of(to);
        var twins = read.Twins();
        if (!twins.SequenceEqual(written.Twins()) || from.LastPosition() != to.LastPosition())
            throw new StorageException("the copy is not what was read, so it is not used and all is as it was: run the command again; if it happens again, the disk or the memory of one of the machines is damaged");
        foreach (var twin in twins)
            say(string.Create(CultureInfo.InvariantCulture, $"  {twin.PersistenceId}: {twin.Events} events, {twin.Snapshots} snapshots, SHA-256 {twin.Hash}"));
        say($"the copy is the same: {written.Events} events up to position {written.LastPosition}, {written.Snapshots} snapshots, of {twins.Count} owners");
    }

    private static void Rename(string from, string to)
    {
        if (!File.Exists(from))
            return;
        // Their companions are empty by now, or belong to a database that is gone.
        foreach (var companion in (string[])["-wal", "-shm"])
            File.Delete(from + companion);
        File.Move(from, to, overwrite: true);
    }
}
