using Akka;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams;
using Akka.Streams.Dsl;
using Fleet.Messages.Offices;
using LinqToDB;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Follows the journal from the stored position and writes the read model, some hundred events a transaction. Fails softly: reads on after a wait.</summary>
public sealed class ProjectionActor : ReceiveActor, IWithTimers
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ReadModelStore _store;
    private readonly ReadModelOptions _options;
    private readonly ProjectionProgress _progress;
    private readonly IMaterializer _materializer = Context.Materializer();
    private readonly SharedKillSwitch _stop = KillSwitches.Shared("projection");

    public ProjectionActor(ReadModelStore store, ReadModelOptions options, ProjectionProgress progress)
    {
        (_store, _options, _progress) = (store, options, progress);

        Receive<Follow>(_ => Start());
        Receive<Ended>(Handle);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(ReadModelStore store, ReadModelOptions options, ProjectionProgress progress) =>
        Akka.Actor.Props.Create(() => new ProjectionActor(store, options, progress));

    protected override void PreStart() => Self.Tell(Follow.Instance);

    protected override void PostStop() => _stop.Shutdown();

    private void Start()
    {
        var journal = PersistenceQuery.Get(Context.System).ReadJournalFor<SqlReadJournal>(SqlReadJournal.Identifier);
        Source.FromTaskSource(From(journal))
            .Via(_stop.Flow<EventEnvelope>())
            .GroupedWeightedWithin(_options.BatchSize, _options.BatchWithin, EventsIn)
            .SelectAsync(1, batch => Task.Run(() => Write([.. batch])))
            .RunWith(Sink.Ignore<Done>(), _materializer)
            .PipeTo(Self, success: _ => new Ended(null), failure: fault => new Ended(fault));
    }

    private async Task<Source<EventEnvelope, NotUsed>> From(SqlReadJournal journal) => journal.AllEvents(Offset.Sequence(await _store.Position()));

    private Done Write(IReadOnlyList<EventEnvelope> batch)
    {
        _store.Write(PositionOf(batch[^1]), projection =>
        {
            projection.Expect(batch.Select(e => e.Event));
            foreach (var e in batch)
                projection.Apply(PositionOf(e), e.Event);
        });
        foreach (var e in batch)
            _progress.Projected(e.PersistenceId, e.SequenceNr);
        return Done.Instance;
    }

    /// <summary>Where a row stands in the whole journal.</summary>
    internal static long PositionOf(EventEnvelope e) => ((Sequence)e.Offset).Value;

    internal static long EventsIn(EventEnvelope row) => row.Event is OfficeEvents many ? many.Events.Count : 1;

    private void Handle(Ended ended)
    {
        _log.Warning("The read model stopped following the journal and goes on in {Wait}: {Reason}", _options.RetryAfter, ended.Fault?.Message ?? "the journal's stream ended");
        Timers.StartSingleTimer(nameof(Follow), Follow.Instance, _options.RetryAfter);
    }

    private sealed record Follow
    {
        public static Follow Instance { get; } = new();
    }

    private sealed record Ended(Exception? Fault);
}
