using System.Globalization;
using Fleet.Backups;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Storage;
using Fleet.Updates.Content;
using Microsoft.Data.Sqlite;

namespace Fleet.Headquarters.Backups;

/// <summary>Makes a headquarters of a backup, in a fresh data directory or with an empty database: all of it, or nothing that a start would take.</summary>
internal sealed class BackupRestore(BackupReader backup, string? passphrase, DataDirectory directory, HeadquartersOptions options, TimeProvider clock, Action<string> say)
{
    private readonly string _updates = options.Updates.IsShared ? options.Updates.Directory : directory.PathOf(DataFiles.Updates);
    private int _damaged;

    /// <param name="kind">Of the data directory.</param>
    /// <param name="path">Missing or empty.</param>
    /// <exception cref="BackupException">The file can't be used.</exception>
    /// <exception cref="StorageException">The target can't be; it is as it was.</exception>
    public static async Task Run(string path, string kind, string file, string? passphrase, HeadquartersOptions options, TimeProvider clock, Action<string> say, CancellationToken cancellation)
    {
        using var backup = BackupReader.Open(file);
        say($"{file}: made at {backup.Header.MadeAt.ToString("u", CultureInfo.InvariantCulture)} by Fleet {backup.Header.Version}; checking all of it");
        backup.CheckPassphrase(passphrase);
        backup.CheckWhole();
        await DataDirectory.Fill(path, kind, directory => new BackupRestore(backup, passphrase, directory, options, clock, say).Fill(cancellation));
    }

    private async Task Fill(CancellationToken cancellation)
    {
        if (options.Updates.IsShared && Directory.Exists(_updates) && Directory.EnumerateFileSystemEntries(_updates).Any())
            throw new StorageException($"{_updates} (fleet.updates.directory) is not empty: name an empty one, or move it away");
        IJournalStore target;
        if (options.Storage.Provider == StorageProvider.PostgreSql)
        {
            var database = new JournalDatabase(new PostgresDatabase(options.Storage, say));
            await database.BeginMove(cancellation);
            Write(target = database);
            await database.EndMove(cancellation);
        }
        else
        {
            var file = new JournalFile(directory.PathOf(DataFiles.Journal));
            if (await file.Prepare(cancellation) is { } problem)
                throw new StorageException(problem);
            file.MakeTables();
            Write(target = file);
            file.Finish();
            SqliteConnection.ClearAllPools();
        }

        if (await target.Prepare(cancellation) is { } unusable)
            throw new StorageException(unusable);
    }

    private void Write(IJournalStore target)
    {
        var rows = new JournalRows(target);
        var blobs = new Lazy<BlobStore>(() => new BlobStore(Path.Combine(_updates, BackupFiles.Content), options.Updates.Content, clock));
        var manifest = backup.Read(passphrase, (name, entry) =>
        {
            if (name == JournalEntry.Name)
            {
                var (last, events, snapshots) = JournalEntry.Read(entry);
                rows.Write(events, snapshots, last, _ => { });
            }
            else if (BackupFiles.ContentOf(name) is { } hash)
                Take(blobs.Value, hash, entry);
            else if (BackupFiles.UpdateOf(name) is { } update)
                Put(Path.Combine(_updates, update), entry);
            else if (BackupFiles.IsOwn(name))
                Put(directory.PathOf(name), entry);
        });

        using var digest = JournalDigest.Of(rows);
        if (digest.Whole() != manifest.JournalHash || rows.LastPosition() != manifest.LastPosition)
            throw new StorageException("what was written is not what is in the backup: the disk or the memory of one of the machines is damaged");
        say(string.Create(CultureInfo.InvariantCulture,
            $"the journal is the same: {digest.Events} events up to position {digest.LastPosition}, {digest.Snapshots} snapshots, of {digest.Twins().Count} owners, SHA-256 {digest.Whole()}"));
        if (!manifest.WithContent)
            say("the files of packages are not in the backup: publish the packages again, and what devices do not have yet comes then");
        else if (Math.Max(manifest.LeftOut.Count, _damaged) > 0)
            say($"{Math.Max(manifest.LeftOut.Count, _damaged)} files of packages had been lost by the disk when it was made: publish the packages again");
    }

    private void Take(BlobStore blobs, BlobHash hash, Stream entry)
    {
        var length = new byte[sizeof(long)];
        entry.ReadExactly(length);
        try
        {
            using var part = blobs.Begin(hash, BitConverter.ToInt64(length), _ => true);
            var piece = new byte[128 * 1024];
            while (entry.Read(piece) is > 0 and var read)
                part.Write(piece.AsMemory(0, read), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            if (part.Written == part.Length)
                part.Commit();
            else
                _damaged++;
        }
        catch (InvalidDataException)
        {
            _damaged++;
        }
    }

    private static void Put(string path, Stream entry)
    {
        using var content = new MemoryStream();
        entry.CopyTo(content);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.Replace(path, content.ToArray());
    }
}
