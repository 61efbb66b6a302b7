using Akka.Actor;
using Fleet.Headquarters.ReadModel;

namespace Fleet.Headquarters.Storage;

/// <summary>Reads rows past the journal's plugin, whose reading ends at the first that it can't make sense of: here such a row is named, and the next is read.</summary>
internal sealed class RowReader(IJournalStore store, ActorSystem system)
{
    private readonly JournalRows _rows = new(store);

    /// <summary>The events behind a position, in order.</summary>
    public IReadOnlyList<ReadRow> After(long position, int count) => [.. _rows.After(position, count).Select(Read)];

    /// <summary>The snapshots of each twin that can be read, by their numbers, the oldest first, and those that can't be.</summary>
    public (ILookup<string, long> Readable, IReadOnlyList<UnreadableRow> Unreadable) Snapshots()
    {
        List<(string PersistenceId, long SequenceNr)> readable = [];
        List<UnreadableRow> unreadable = [];
        // One at a time: all of them may be more than fits into memory.
        foreach (var row in _rows.Snapshots())
        {
            if (Problem(row.Snapshot, row.SerializerId, row.Manifest, out _) is { } problem)
                unreadable.Add(Named(row, problem));
            else
                readable.Add((row.PersistenceId, row.SequenceNr));
        }

        return (readable.ToLookup(r => r.PersistenceId, r => r.SequenceNr), unreadable);
    }

    /// <summary>One snapshot; null: it is gone, or can't be read any more.</summary>
    public object? Snapshot(string persistenceId, long sequenceNr) =>
        _rows.Snapshot(persistenceId, sequenceNr) is { } row && Problem(row.Snapshot, row.SerializerId, row.Manifest, out var read) is null ? read : null;

    /// <summary>What of a twin can't be read.</summary>
    public IReadOnlyList<UnreadableRow> UnreadableOf(string persistenceId)
    {
        var events = _rows.EventsOf(persistenceId).Select(Read).Select(r => r.Unreadable).OfType<UnreadableRow>();
        var snapshots = _rows.SnapshotsOf(persistenceId).Select(s => Problem(s.Snapshot, s.SerializerId, s.Manifest, out _) is { } problem ? Named(s, problem) : null).OfType<UnreadableRow>();
        return [.. events, .. snapshots];
    }

    private ReadRow Read(JournalRow row) => Problem(row.Message, row.SerializerId, row.Manifest, out var read) is { } problem
        ? new ReadRow(row.Ordering, row.PersistenceId, row.SequenceNr, null, new UnreadableRow { PersistenceId = row.PersistenceId, SequenceNr = row.SequenceNr, Kind = UnreadableRow.Event, Position = row.Ordering, Manifest = row.Manifest ?? "", Why = problem })
        : new ReadRow(row.Ordering, row.PersistenceId, row.SequenceNr, read, null);

    private static UnreadableRow Named(SnapshotRow row, string problem) =>
        new() { PersistenceId = row.PersistenceId, SequenceNr = row.SequenceNr, Kind = UnreadableRow.Snapshot, Manifest = row.Manifest ?? "", Why = problem };

    private string? Problem(byte[]? bytes, int? serializer, string? manifest, out object read)
    {
        read = new object();
        try
        {
            read = system.Serialization.Deserialize(bytes ?? [], serializer ?? throw new FormatException("it names no serializer"), manifest);
            return null;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // Bytes that a disk changed may make a serializer stumble over anything.
            return fault.GetBaseException().Message.TrimEnd('.');
        }
    }
}

/// <param name="Event">Null: it can't be read.</param>
internal sealed record ReadRow(long Ordering, string PersistenceId, long SequenceNr, object? Event, UnreadableRow? Unreadable);
