using Akka;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams;
using Akka.Streams.Dsl;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Offices;
using LinqToDB;
using LinqToDB.Data;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Follows the journal from the stored position and writes the read model, some hundred events a transaction. Fails softly: reads on after a wait.</summary>
public sealed class ProjectionActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly IJournalStore _journal;
    private readonly ReadModelStore _store;
    private readonly ReadModelOptions _options;
    private readonly ProjectionProgress _progress;
    private readonly ProjectionLag _lag;
    private readonly IMaterializer _materializer = Context.Materializer();
    private readonly SharedKillSwitch _stop = KillSwitches.Shared("projection");
    /// <summary>What was written last. The stream's alone: one batch at a time, and no stream before the last has ended.</summary>
    private long _position;
    private string? _trouble;

    public ProjectionActor(IJournalStore journal, ReadModelStore store, ReadModelOptions options, ProjectionProgress progress, ProjectionLag lag)
    {
        (_journal, _store, _options, _progress, _lag) = (journal, store, options, progress, lag);

        Receive<Follow>(_ => Start());
        Receive<Followed>(_ => GoesOn());
        Receive<Ended>(Handle);
        Receive<Look>(_ => Task.Run(Newest).PipeTo(Self, success: position => new Head(position), failure: _ => new Head(null)));
        Receive<Head>(Handle);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(IJournalStore journal, ReadModelStore store, ReadModelOptions options, ProjectionProgress progress, ProjectionLag lag) =>
        Akka.Actor.Props.Create(() => new ProjectionActor(journal, store, options, progress, lag));

    protected override void PreStart()
    {
        Self.Tell(Follow.Instance);
        Timers.StartPeriodicTimer(nameof(Look), Look.Instance, TimeSpan.Zero, LookEvery);
    }

    protected override void PostStop()
    {
        _stop.Shutdown();
        _lag.Ends();
    }

    private void Start()
    {
        var self = Self;
        var journal = PersistenceQuery.Get(Context.System).ReadJournalFor<SqlReadJournal>(SqlReadJournal.Identifier);
        Source.FromTaskSource(From(journal))
            .Via(_stop.Flow<EventEnvelope>())
            .GroupedWeightedWithin(_options.BatchSize, _options.BatchWithin, EventsIn)
            .SelectAsync(1, batch => Task.Run(() => Take([.. batch])))
            .RunWith(Sink.ForEach<Done>(_ => self.Tell(Followed.Instance)), _materializer)
            .PipeTo(Self, success: _ => new Ended(null), failure: fault => new Ended(fault));
    }

    private async Task<Source<EventEnvelope, NotUsed>> From(SqlReadJournal journal)
    {
        _position = await _store.Position();
        _lag.Reached(_position);
        return journal.AllEvents(Offset.Sequence(_position));
    }

    // Positions are given before events are committed: where one is missing, its event may come after later ones. The plugin waits for it for a while and
    // then goes on without; the journal knows whether it may still come.
    private async Task<Done> Take(IReadOnlyList<EventEnvelope> batch)
    {
        var (last, read) = (PositionOf(batch[^1]), batch.Select(PositionOf).ToHashSet());
        if (last - _position > read.Count && await _journal.HasMore(_position, last, read))
            throw new InvalidOperationException($"an event before position {last} was committed late");
        Write(last, batch);
        _position = last;
        _lag.Reached(last);
        return Done.Instance;
    }

    private void Write(long reached, IReadOnlyList<EventEnvelope> batch)
    {
        _store.Write(reached, TwinsOf(batch), projection =>
        {
            projection.Expect(batch.Select(e => e.Event));
            foreach (var e in batch)
                projection.Apply(PositionOf(e), e.Event);
        }, from: _position);
        foreach (var e in batch)
            _progress.Projected(e.PersistenceId, e.SequenceNr);
    }

    /// <summary>Where a row stands in the whole journal.</summary>
    internal static long PositionOf(EventEnvelope e) => ((Sequence)e.Offset).Value;

    internal static long EventsIn(EventEnvelope row) => row.Event is OfficeEvents many ? many.Events.Count : 1;

    /// <summary>The newest event of each twin in a batch.</summary>
    internal static List<ProjectedRow> TwinsOf(IReadOnlyList<EventEnvelope> batch) =>
        [.. batch.GroupBy(e => e.PersistenceId).Select(g => new ProjectedRow { PersistenceId = g.Key, SequenceNr = g.Max(e => e.SequenceNr) })];

    private void GoesOn()
    {
        if (_trouble is not null)
            _log.Info("The read model follows the journal again");
        _trouble = null;
    }

    private void Handle(Ended ended)
    {
        // Once for each reason, however long it lasts.
        var reason = ended.Fault?.GetBaseException().Message ?? "the journal's stream ended";
        if (reason != _trouble)
            _log.Warning("The read model stopped following the journal and tries again every {Wait}: {Reason}", _options.RetryAfter, reason);
        _trouble = reason;
        Timers.StartSingleTimer(nameof(Follow), Follow.Instance, _options.RetryAfter);
    }

    private void Handle(Head head)
    {
        // A journal that can't be read is told by those who need it.
        if (head.Position is { } position)
            _lag.Saw(position);
    }

    private async Task<long?> Newest()
    {
        await using var db = new DataConnection(new DataOptions().UseConnectionString(_journal.ProviderName, _journal.ConnectionString));
        return await db.ExecuteAsync<long?>("SELECT max(ordering) FROM journal") ?? 0;
    }

    private sealed record Look
    {
        public static Look Instance { get; } = new();
    }

    /// <param name="Position">The newest in the journal; null: it could not be read.</param>
    private sealed record Head(long? Position);

    private sealed record Follow
    {
        public static Follow Instance { get; } = new();
    }

    private sealed record Followed
    {
        public static Followed Instance { get; } = new();
    }

    private sealed record Ended(Exception? Fault);
}
