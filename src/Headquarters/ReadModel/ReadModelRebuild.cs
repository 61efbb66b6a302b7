using Akka.Actor;
using Akka.Event;
using Fleet.Headquarters.Storage;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Writes the read model anew from the journal. Of a twin whose oldest events are gone, the newest snapshot says what they came to; it is written
/// where it stands among the events. Histories reach back as far as the journal does. A row that can't be read is named and passed over.
/// </summary>
internal static class ReadModelRebuild
{
    /// <summary>Rows in one transaction; one may hold many events.</summary>
    private const int Rows = 100;

    public static async Task Run(ActorSystem system, IJournalStore journal, ReadModelStore store, CancellationToken cancellation)
    {
        store.Clear();
        await Fill(system, journal, store, cancellation);
    }

    /// <summary>The same into empty tables, also while twins write.</summary>
    /// <returns>The position that it reached.</returns>
    public static async Task<long> Fill(ActorSystem system, IJournalStore journal, ReadModelStore store, CancellationToken cancellation)
    {
        var log = Logging.GetLogger(system, typeof(ReadModelRebuild));
        var reader = new RowReader(journal, system);
        // What is written behind it is followed from there.
        var end = await new JournalRows(journal).CompleteTo(cancellation);
        var (snapshots, unreadable) = reader.Snapshots();
        foreach (var row in unreadable)
            Say(log, row);
        var reached = 0L;
        while (reader.After(reached, Rows).Where(r => r.Ordering <= end).ToList() is { Count: > 0 } rows)
        {
            cancellation.ThrowIfCancellationRequested();
            Write(store, reached, rows, snapshots, unreadable);
            foreach (var row in rows.Select(r => r.Unreadable).OfType<UnreadableRow>())
                Say(log, row);
            (reached, unreadable) = (rows[^1].Ordering, []);
        }

        return reached;
    }

    /// <summary>Says once that a row can't be read.</summary>
    public static void Say(ILoggingAdapter log, UnreadableRow row) => log.Error(
        "{Kind} {SequenceNr} of {PersistenceId} ({Manifest}, position {Position}) in the journal can't be read and is set aside: {Why}. What it said is missing; everything else goes on",
        row.Kind, row.SequenceNr, row.PersistenceId, row.Manifest, row.Position, row.Why);

    private static void Write(ReadModelStore store, long from, IReadOnlyList<ReadRow> rows, IReadOnlyDictionary<string, (long SequenceNr, object Snapshot)> snapshots, IReadOnlyList<UnreadableRow> unreadable) =>
        store.Write(rows[^1].Ordering, [.. rows.GroupBy(r => r.PersistenceId).Select(g => new ProjectedRow { PersistenceId = g.Key, SequenceNr = g.Max(r => r.SequenceNr) })], projection =>
        {
            foreach (var row in unreadable)
                projection.Name(row);
            projection.Expect(rows.Select(r => r.Event).OfType<object>());
            foreach (var row in rows)
            {
                if (row.Event is { } happened)
                    projection.Apply(row.Ordering, happened);
                else
                    projection.Name(row.Unreadable!);
                if (snapshots.TryGetValue(row.PersistenceId, out var snapshot) && row.SequenceNr == snapshot.SequenceNr)
                    projection.Begin(snapshot.Snapshot);
            }
        }, from);
}
