using Akka.Actor;
using Fleet.Headquarters.ReadModel;

namespace Fleet.Headquarters.Storage;

/// <summary>Reads rows past the journal's plugin, whose reading ends at the first that it can't make sense of: here such a row is named, and the next is read.</summary>
internal sealed class RowReader(IJournalStore store, ActorSystem system)
{
    private readonly JournalRows _rows = new(store);

    /// <summary>The events behind a position, in order.</summary>
    public IReadOnlyList<ReadRow> After(long position, int count) => [.. _rows.After(position, count).Select(Read)];

    /// <summary>The newest snapshot of each twin that can be read, and those that can't be.</summary>
    public (IReadOnlyDictionary<string, (long SequenceNr, object Snapshot)> Newest, IReadOnlyList<UnreadableRow> Unreadable) Snapshots()
    {
        Dictionary<string, (long, object)> newest = [];
        List<UnreadableRow> unreadable = [];
        foreach (var row in _rows.Snapshots())
        {
            if (Problem(row.Snapshot, row.SerializerId, row.Manifest, out var snapshot) is { } problem)
                unreadable.Add(Named(row, problem));
            else
                newest[row.PersistenceId] = (row.SequenceNr, snapshot);
        }

        return (newest, unreadable);
    }

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
