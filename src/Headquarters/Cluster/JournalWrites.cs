using Akka.Persistence;
using Fleet.Headquarters.Monitoring;

namespace Fleet.Headquarters.Cluster;

internal static class JournalWrites
{
    /// <summary>
    /// Journals all events by one write, applies each, then goes on; at once where there are none. Akka's own PersistAll with a completion hands
    /// Akka.Persistence.Sql (1.5.73) empty writes, which it answers with an exception; ten of them open the journal's circuit breaker.
    /// </summary>
    public static void PersistAllOrNone<T>(this Eventsourced actor, IReadOnlyCollection<T> events, HeadquartersMeter meter, Action<T> apply, Action then)
    {
        if (events.Count == 0)
        {
            then();
            return;
        }

        var left = events.Count;
        meter.Journal.Begun(actor.PersistenceId);
        actor.PersistAll(events, e =>
        {
            apply(e);
            if (--left > 0)
                return;
            meter.Wrote(actor.PersistenceId);
            then();
        });
    }
}
