using System.Runtime.Serialization;
using Akka;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams;
using Akka.Streams.Dsl;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Cluster;
using Fleet.Messages.Offices;
using LinqToDB;
using LinqToDB.Data;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Follows the journal from the stored position and writes the read model, some hundred events a transaction. Fails softly: reads on after a wait.</summary>
public sealed class ProjectionActor : ReceiveActor, IWithTimers
{
    /// <summary>Rows that are read past the plugin at a time; one may hold many events.</summary>
    private const int RowsAround = 50;

    /// <summary>Transactions of a rebuild between two words of how far it is.</summary>
    private const int TellEvery = 20;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly IJournalStore _journal;
    private readonly ReadModelStore _store;
    private readonly ReadModelOptions _options;
    private readonly ProjectionProgress _progress;
    private readonly ProjectionLag _lag;
    private readonly Props _retention;
    private readonly TimeProvider _clock;
    private readonly IMaterializer _materializer = Context.Materializer();
    private readonly SharedKillSwitch _stop = KillSwitches.Shared("projection");
    /// <summary>What was written last. The stream's alone: one batch at a time, and no stream before the last has ended.</summary>
    private long _position;
    private string? _trouble;
    private bool _around;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private bool _rebuilding;

    public ProjectionActor(IJournalStore journal, ReadModelStore store, ReadModelOptions options, ProjectionProgress progress, ProjectionLag lag, Props retention, TimeProvider clock)
    {
        (_journal, _store, _options, _progress, _lag, _retention, _clock) = (journal, store, options, progress, lag, retention, clock);

        Receive<Follow>(_ => Start());
        Receive<Followed>(_ => GoesOn());
        Receive<Ended>(Handle);
        Receive<RebuildReadModel>(Handle);
        Receive<Rebuilt>(Handle);
        Receive<Look>(_ => Task.Run(Newest).PipeTo(Self, success: position => new Head(position), failure: _ => new Head(null)));
        Receive<Head>(Handle);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(IJournalStore journal, ReadModelStore store, ReadModelOptions options, ProjectionProgress progress, ProjectionLag lag, Props retention, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new ProjectionActor(journal, store, options, progress, lag, retention, clock));

    protected override void PreStart()
    {
        Self.Tell(Follow.Instance);
        // Of a node that was lost in the middle of it.
        Task.Run(() => _store.Note(RebuildFacts.Reached, null)).PipeTo(ActorRefs.Nobody, failure: _ => null!);
        Context.ActorOf(_retention, "retention");
        Timers.StartPeriodicTimer(nameof(Look), Look.Instance, TimeSpan.Zero, LookEvery);
    }

    protected override void PostStop()
    {
        _stop.Shutdown();
        _stopping.Cancel();
        _progress.Hold(false);
        _lag.Ends();
    }

    private void Start()
    {
        var (self, system) = (Self, Context.System);
        var journal = PersistenceQuery.Get(Context.System).ReadJournalFor<SqlReadJournal>(SqlReadJournal.Identifier);
        Source.FromTaskSource(From(journal, system))
            .Via(_stop.Flow<EventEnvelope>())
            .GroupedWeightedWithin(_options.BatchSize, _options.BatchWithin, EventsIn)
            .SelectAsync(1, batch => Task.Run(() => Take([.. batch])))
            .RunWith(Sink.ForEach<Done>(_ => self.Tell(Followed.Instance)), _materializer)
            .PipeTo(Self, success: _ => new Ended(null), failure: fault => new Ended(fault));
    }

    private async Task<Source<EventEnvelope, NotUsed>> From(SqlReadJournal journal, ActorSystem system)
    {
        _position = await _store.Position();
        // Of a twin whose old events are deleted, its snapshot says what they came to. Nobody has read anything yet, so no event goes.
        if (_position == 0 && await Newest() > 0)
            _position = await ReadModelRebuild.Run(system, _journal, _store, from: 0, _stopping.Token);
        _lag.Reached(_position);
        if (_around)
            await GoAround(new RowReader(_journal, system));
        return journal.AllEvents(Offset.Sequence(_position));
    }

    // Positions are given before events are committed: where one is missing, its event may come after later ones. The plugin waits for it for a while and
    // then goes on without; the journal knows whether it may still come.
    private Task<Done> Take(IReadOnlyList<EventEnvelope> batch) => Take(PositionOf(batch[^1]), batch, []);

    private async Task<Done> Take(long last, IReadOnlyList<EventEnvelope> batch, IReadOnlyList<UnreadableRow> unreadable)
    {
        await _writing.WaitAsync(_stopping.Token);
        try
        {
            // What the read model has, because it was written anew up to there meanwhile, is not written again.
            if (last > _position)
                await Write(last, [.. batch.Where(e => PositionOf(e) > _position)], [.. unreadable.Where(r => r.Position > _position)]);
            return Done.Instance;
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task Write(long last, IReadOnlyList<EventEnvelope> batch, IReadOnlyList<UnreadableRow> unreadable)
    {
        var read = batch.Select(PositionOf).Concat(unreadable.Select(r => r.Position)).ToHashSet();
        if (last - _position > read.Count && await _journal.HasMore(_position, last, read))
            throw new InvalidOperationException($"an event before position {last} was committed late");
        Store(last, batch, unreadable);
        _position = last;
        _lag.Reached(last);
    }

    // The plugin's stream ends before a row that can't be read, and would at each try.
    private async Task GoAround(RowReader reader)
    {
        var rows = reader.After(_position, RowsAround);
        if (rows.Count == 0)
            return;
        List<UnreadableRow> unreadable = [.. rows.Select(r => r.Unreadable).OfType<UnreadableRow>()];
        await Take(rows[^1].Ordering, [.. rows.Where(r => r.Event is not null).Select(r => new EventEnvelope(new Sequence(r.Ordering), r.PersistenceId, r.SequenceNr, r.Event!, 0, []))], unreadable);
        foreach (var row in unreadable)
            ReadModelRebuild.Say(_log, row);
        _around = false;
    }

    private void Store(long reached, IReadOnlyList<EventEnvelope> batch, IReadOnlyList<UnreadableRow> unreadable)
    {
        _store.Write(reached, TwinsOf(batch), projection =>
        {
            projection.Expect(batch.Select(e => e.Event));
            foreach (var e in batch)
                projection.Apply(PositionOf(e), e.Event);
            foreach (var row in unreadable)
                projection.Name(row);
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

    private void Handle(RebuildReadModel wanted)
    {
        if (_rebuilding)
        {
            Sender.Tell(new ReadModelRebuilding(Begun: false));
            return;
        }

        _log.Info("The read model is written anew, as {By} wants; lists show the one there is meanwhile", wanted.By);
        _rebuilding = true;
        var (system, asker, stopping) = (Context.System, Sender, _stopping.Token);
        Task.Run(() => Rebuild(system, () => asker.Tell(new ReadModelRebuilding(Begun: true)), stopping)).PipeTo(Self, success: position => new Rebuilt(position, null), failure: fault => new Rebuilt(0, fault));
    }

    private async Task<long> Rebuild(ActorSystem system, Action begun, CancellationToken stopping)
    {
        var told = 0;
        void Tell(long reached, long end)
        {
            if (told++ % TellEvery != 0)
                return;
            _store.Note(RebuildFacts.Reached, reached);
            _store.Note(RebuildFacts.End, end);
        }

        var held = _clock.GetTimestamp();
        _progress.Hold(true);
        try
        {
            Tell(0, 0);
            begun();
            while (true)
            {
                var tried = _clock.GetElapsedTime(held);
                try
                {
                    return await Rebuild(system, Tell, stopping);
                }
                catch (EventsGoneException gone) when (tried < ProjectionProgress.HeldEverywhereAfter)
                {
                    _log.Info("The read model is begun anew: {Reason}", gone.Message);
                }
            }
        }
        finally
        {
            Release();
        }
    }

    // Beside the stream, which goes on writing the one that serves until the other is as far.
    private async Task<long> Rebuild(ActorSystem system, Action<long, long> tell, CancellationToken stopping)
    {
        await using var rebuild = await ReadModelRebuild.Begin(system, _journal, _store, stopping);
        await rebuild.Fill(tell, stopping);
        await rebuild.Fill(tell, stopping);
        await _writing.WaitAsync(stopping);
        try
        {
            rebuild.FillTo(_position, (_, _) => { }, stopping);
            rebuild.TakeOver(_position);
            _position = rebuild.Reached;
        }
        finally
        {
            _writing.Release();
        }

        _store.Note(RebuildFacts.Done, _clock.GetUtcNow().ToUnixTimeMilliseconds());
        return rebuild.Reached;
    }

    private void Release()
    {
        try
        {
            _store.Note(RebuildFacts.Reached, null);
        }
        finally
        {
            // After: who read the note before that reads it in vain.
            _progress.Hold(false);
        }
    }

    private void Handle(Rebuilt rebuilt)
    {
        _rebuilding = false;
        if (rebuilt.Fault is { } fault)
            _log.Error("The read model was not written anew, and stays as it was: {Reason}", fault.GetBaseException().Message);
        else
            _log.Info("The read model is written anew, up to position {Position}", rebuilt.Position);
        _lag.Reached(_position);
    }

    private void GoesOn()
    {
        if (_trouble is not null)
            _log.Info("The read model follows the journal again");
        _trouble = null;
    }

    private void Handle(Ended ended)
    {
        // The stream's, which has ended.
        _around = ended.Fault is { } fault && IsUnreadable(fault);
        // Once for each reason, however long it lasts.
        var reason = (ended.Fault is null ? null : _store.Say(ended.Fault)) ?? "the journal's stream ended";
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

    /// <param name="Fault">Null: it serves.</param>
    private sealed record Rebuilt(long Position, Exception? Fault);

    private sealed record Look
    {
        public static Look Instance { get; } = new();
    }

    /// <param name="Position">The newest in the journal; null: it could not be read.</param>
    private sealed record Head(long? Position);

    private static bool IsUnreadable(Exception fault) => fault switch
    {
        SerializationException => true,
        AggregateException many => many.InnerExceptions.Any(IsUnreadable),
        { InnerException: { } inner } => IsUnreadable(inner),
        _ => false,
    };

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
