using System.Text;
using Fleet.Backups;
using Fleet.Headquarters.Storage;

namespace Fleet.Headquarters.Backups;

/// <summary>
/// Journal and snapshots as one entry of a backup: the format, the last position, then every row behind a byte 1, events before snapshots, each kind ended by a
/// byte 0. Numbers are little endian; texts and bytes have their length before them, -1 where there is nothing.
/// </summary>
internal static class JournalEntry
{
    public const string Name = "journal";

    private const int Buffer = 128 * 1024;
    private const byte Row = 1;
    private const byte End = 0;

    public static void Write(Stream entry, long lastPosition, IEnumerable<JournalRow> events, IEnumerable<SnapshotRow> snapshots)
    {
        // Not disposed: the entry is its owner's.
        var to = new BinaryWriter(new BufferedStream(entry, Buffer), Encoding.UTF8);
        to.Write(JournalFormat.Current);
        to.Write(lastPosition);
        foreach (var row in events)
        {
            to.Write(Row);
            to.Write(row.Ordering);
            to.Write(row.Created);
            to.Write(row.Deleted);
            Put(to, row.PersistenceId);
            to.Write(row.SequenceNr);
            Put(to, row.Message);
            Put(to, row.Manifest);
            to.Write(row.SerializerId ?? -1);
            Put(to, row.Writer);
        }

        to.Write(End);
        foreach (var row in snapshots)
        {
            to.Write(Row);
            Put(to, row.PersistenceId);
            to.Write(row.SequenceNr);
            to.Write(row.Created);
            Put(to, row.Snapshot);
            Put(to, row.Manifest);
            to.Write(row.SerializerId ?? -1);
        }

        to.Write(End);
        to.Flush();
    }

    /// <summary>Reads it back: first the events to their end, then the snapshots.</summary>
    /// <exception cref="BackupException">Of a newer version.</exception>
    public static (long LastPosition, IEnumerable<JournalRow> Events, IEnumerable<SnapshotRow> Snapshots) Read(Stream entry)
    {
        var from = new BinaryReader(new BufferedStream(entry, Buffer), Encoding.UTF8);
        if (from.ReadInt32() is var format && format > JournalFormat.Current)
            throw new BackupException($"its journal has format {format} and this version of Fleet reads up to {JournalFormat.Current}: restore it with the version that made it, or a newer one");
        return (from.ReadInt64(), Events(from), Snapshots(from));
    }

    private static IEnumerable<JournalRow> Events(BinaryReader from)
    {
        while (from.ReadByte() == Row)
            yield return new JournalRow
            {
                Ordering = from.ReadInt64(),
                Created = from.ReadInt64(),
                Deleted = from.ReadBoolean(),
                PersistenceId = Text(from) ?? "",
                SequenceNr = from.ReadInt64(),
                Message = Bytes(from) ?? [],
                Manifest = Text(from),
                SerializerId = Number(from),
                Writer = Text(from),
            };
    }

    private static IEnumerable<SnapshotRow> Snapshots(BinaryReader from)
    {
        while (from.ReadByte() == Row)
            yield return new SnapshotRow
            {
                PersistenceId = Text(from) ?? "",
                SequenceNr = from.ReadInt64(),
                Created = from.ReadInt64(),
                Snapshot = Bytes(from),
                Manifest = Text(from),
                SerializerId = Number(from),
            };
    }

    private static void Put(BinaryWriter to, byte[]? bytes)
    {
        to.Write(bytes?.Length ?? -1);
        to.Write(bytes ?? []);
    }

    private static void Put(BinaryWriter to, string? text) => Put(to, text is null ? null : Encoding.UTF8.GetBytes(text));

    private static byte[]? Bytes(BinaryReader from) => from.ReadInt32() is >= 0 and var length ? from.ReadBytes(length) : null;

    private static string? Text(BinaryReader from) => Bytes(from) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private static int? Number(BinaryReader from) => from.ReadInt32() is var number && number == -1 ? null : number;
}
