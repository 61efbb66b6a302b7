using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams;
using Akka.Streams.Dsl;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Writes the read model anew from the journal. Of a twin whose oldest events are gone, the newest snapshot says what they came to; it is written
/// where it stands among the events. Histories reach back as far as the journal does.
/// </summary>
internal static class ReadModelRebuild
{
    private const int BatchSize = 500;
    private static readonly TimeSpan BatchWithin = TimeSpan.FromSeconds(1);

    public static async Task Run(ActorSystem system, ReadModelStore store, CancellationToken cancellation)
    {
        store.Clear();
        using var materializer = system.Materializer();
        var journal = PersistenceQuery.Get(system).ReadJournalFor<SqlReadJournal>(SqlReadJournal.Identifier);
        var snapshots = new Dictionary<string, SelectedSnapshot>();
        foreach (var id in await journal.CurrentPersistenceIds().RunWith(Sink.Seq<string>(), materializer))
            if (await Newest(system, id, cancellation) is { } snapshot)
                snapshots[id] = snapshot;
        await journal.CurrentAllEvents(Offset.NoOffset())
            .GroupedWeightedWithin(BatchSize, BatchWithin, ProjectionActor.EventsIn)
            .RunForeach(batch => Write(store, [.. batch], snapshots), materializer);
    }

    private static void Write(ReadModelStore store, IReadOnlyList<EventEnvelope> batch, Dictionary<string, SelectedSnapshot> snapshots) =>
        store.Write(ProjectionActor.PositionOf(batch[^1]), ProjectionActor.TwinsOf(batch), projection =>
        {
            projection.Expect(batch.Select(e => e.Event));
            foreach (var e in batch)
            {
                projection.Apply(ProjectionActor.PositionOf(e), e.Event);
                if (snapshots.TryGetValue(e.PersistenceId, out var snapshot) && e.SequenceNr == snapshot.Metadata.SequenceNr)
                    projection.Begin(snapshot.Snapshot);
            }
        });

    private static async Task<SelectedSnapshot?> Newest(ActorSystem system, string id, CancellationToken cancellation)
    {
        var store = Persistence.Instance.Apply(system).SnapshotStoreFor(null);
        var loaded = await store.Ask<LoadSnapshotResult>(new LoadSnapshot(id, SnapshotSelectionCriteria.Latest, long.MaxValue), TimeSpan.FromMinutes(1), cancellation);
        return loaded.Snapshot;
    }
}
