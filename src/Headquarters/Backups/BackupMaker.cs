using System.Diagnostics;
using Fleet.Backups;
using Fleet.Contracts;
using Fleet.Headquarters.Api;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Updates;
using Fleet.Updates.Content;

namespace Fleet.Headquarters.Backups;

/// <summary>
/// Makes backups of this headquarters while it serves. The journal is read as it was at one moment; what else belongs to a headquarters is read after that, so
/// that everything the journal names is there. One at a time. Thread-safe.
/// </summary>
/// <param name="directory">The data directory.</param>
/// <param name="settingsFile">The administrator's; null: there is none.</param>
public sealed partial class BackupMaker(
    string directory, StorageProvider provider, IJournalStore journal, TenantRepository updates, string? settingsFile, string version, TimeProvider clock, ILogger<BackupMaker> log) : IDisposable
{
    private const string SpoolFile = "backup.spool";

    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Writes a backup to its end.</summary>
    /// <param name="passphrase">Null: it is not encrypted.</param>
    /// <param name="withContent">With the files of packages.</param>
    /// <returns>Why not, before anything was written; null: it is written.</returns>
    public async Task<Refusal?> Make(Stream into, string? passphrase, bool withContent, CancellationToken cancellation)
    {
        if (!await _one.WaitAsync(TimeSpan.Zero, cancellation))
            return new Refusal(RefusalCode.Busy, "another backup is being made; try again when that has ended");
        try
        {
            var began = Stopwatch.GetTimestamp();
            var manifest = await Task.Run(() => Write(into, passphrase, withContent, cancellation), cancellation);
            LogMade(manifest.Events, manifest.Snapshots, manifest.CutPosition, Stopwatch.GetElapsedTime(began).TotalSeconds, manifest.JournalHash);
            return null;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<BackupManifest> Write(Stream into, string? passphrase, bool withContent, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        using var spool = new Spool(into, Path.Combine(directory, SpoolFile));
        using var writer = new BackupWriter(spool, version, now, passphrase);
        using var digest = new JournalDigest();
        long last;
        using (var rows = await new JournalRows(journal).Freeze(cancellation))
        {
            last = rows.LastPosition;
            writer.Add(JournalEntry.Name, entry => JournalEntry.Write(entry, last, digest.Over(Until(rows.Events(), cancellation)), digest.Over(rows.Snapshots())));
        }

        spool.LetThrough();
        foreach (var file in DataFiles.IdentityIn(directory))
            writer.Add(BackupFiles.NameOf(file), await File.ReadAllBytesAsync(Path.Combine(directory, file), cancellation));
        if (settingsFile is not null)
            writer.Add(BackupFiles.Settings, await File.ReadAllBytesAsync(settingsFile, cancellation));
        var (files, content) = await updates.Copy(cancellation);
        foreach (var (name, bytes) in files)
            writer.Add(BackupFiles.NameOf(Path.Combine(DataFiles.Updates, name)), bytes);
        List<string> leftOut = [];
        foreach (var hash in withContent ? content : [])
            if (!Add(writer, hash, cancellation))
                leftOut.Add(hash.Value);

        var manifest = new BackupManifest(version, now, provider == StorageProvider.Sqlite ? "sqlite" : "postgresql", JournalFormat.Current, digest.LastPosition, last, digest.Events, digest.Snapshots,
            digest.Whole(), [.. digest.Twins().Select(t => new BackupOwner(t.PersistenceId, t.Events, t.Snapshots, t.Hash))], withContent, leftOut, []);
        writer.Finish(manifest);
        return manifest;
    }

    /// <returns>False: the disk has lost it.</returns>
    private bool Add(BackupWriter writer, BlobHash hash, CancellationToken cancellation)
    {
        using var blob = Open(hash);
        if (blob is null)
            return false;
        var sound = true;
        writer.Add(BackupFiles.NameOf(hash), entry =>
        {
            entry.Write(BitConverter.GetBytes(blob.Length));
            try
            {
                for (long at = 0; at < blob.Length;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var piece = blob.Read(at);
                    entry.Write(piece.Span);
                    at += piece.Length;
                }
            }
            catch (BlobDamagedException)
            {
                // It is there as far as it was sound; whoever restores sees that it is not whole.
                sound = false;
            }
        });
        return sound;
    }

    private BlobReader? Open(BlobHash hash)
    {
        try
        {
            return updates.Content.Blobs.Open(hash);
        }
        catch (BlobDamagedException)
        {
            return null;
        }
    }

    private static IEnumerable<JournalRow> Until(IEnumerable<JournalRow> rows, CancellationToken cancellation)
    {
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return row;
        }
    }

    [LoggerMessage(LogLevel.Information, "A backup was made: {Events} events and {Snapshots} snapshots up to position {Position}, in {Seconds:0.0} s; journal SHA-256 {Hash}")]
    private partial void LogMade(long events, long snapshots, long position, double seconds, string hash);
}
