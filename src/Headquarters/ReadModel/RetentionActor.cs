using Akka.Actor;
using Akka.Event;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Storage;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Sees to it that histories stay within <c>fleet.retention</c>, and that the space of what is gone goes back to the disk. Child of the projection, which writes
/// the histories: one of all headquarters nodes does it. Between two of its small writes everyone else has time for theirs.
/// </summary>
internal sealed class RetentionActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly TimeSpan _every;
    private readonly HeadquartersMeter _meter;
    private readonly Func<StorageSizes> _sizes;
    private readonly IReadOnlyList<Chore> _chores;
    private readonly Queue<Chore> _left = [];
    private readonly Dictionary<string, long> _removed = [];
    private bool _failing;

    public RetentionActor(IJournalStore journal, ReadModelStore store, RetentionOptions options, TimeProvider clock, HeadquartersMeter meter)
    {
        var histories = new Histories(store, options, clock);
        (_every, _meter, _sizes) = (options.Every, meter, () => StorageSizes.Of(journal, store));
        _chores = [.. History.All.Select(h => new Chore(h.Name, () => histories.RemoveSome(h))), new Chore(null, journal.GiveBack), new Chore(null, store.GiveBack)];

        Receive<Sweep>(_ => Begin());
        Receive<GoOn>(_ => Next());
        Receive<Removed>(Handle);
        Receive<Status.Failure>(Handle);
        Receive<Look>(_ => Task.Run(_sizes).PipeTo(Self, success: sizes => new Looked(sizes), failure: _ => new Looked(null)));
        Receive<Looked>(looked => meter.Sizes = looked.Sizes ?? meter.Sizes);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(IJournalStore journal, ReadModelStore store, RetentionOptions options, TimeProvider clock, HeadquartersMeter meter) =>
        Akka.Actor.Props.Create(() => new RetentionActor(journal, store, options, clock, meter));

    protected override void PreStart()
    {
        // The first some time after a start, when all links come back.
        Timers.StartSingleTimer(nameof(Sweep), Sweep.Instance, _every * 0.1);
        Timers.StartPeriodicTimer(nameof(Look), Look.Instance, LookEvery * 0.1, LookEvery);
    }

    protected override void PostStop() => _meter.Sizes = null;

    private void Begin()
    {
        foreach (var chore in _chores)
            _left.Enqueue(chore);
        Next();
    }

    private void Next()
    {
        if (!_left.TryPeek(out var chore))
        {
            Done();
            return;
        }

        Task.Run(chore.DoSome).PipeTo(Self, success: count => new Removed(chore, count));
    }

    private void Handle(Removed removed)
    {
        if (_failing)
            _log.Info("Old entries of histories are taken out again");
        _failing = false;
        if (removed.Count == 0)
        {
            _left.Dequeue();
            Next();
            return;
        }

        if (removed.Chore.History is { } history)
        {
            _meter.Removed(history, removed.Count);
            _removed[history] = _removed.GetValueOrDefault(history) + removed.Count;
        }

        Timers.StartSingleTimer(nameof(GoOn), GoOn.Instance, Pause);
    }

    private void Handle(Status.Failure failure)
    {
        if (!_failing)
            _log.Warning("Old entries of histories can't be taken out and it is tried again every {Wait}: {Reason}", _every, failure.Cause.GetBaseException().Message);
        _failing = true;
        _left.Clear();
        Done();
    }

    private void Done()
    {
        if (_removed.Count > 0)
            _log.Info("Taken out of the histories, as fleet.retention says: {Removed}", string.Join(", ", _removed.Select(r => $"{r.Value} of {r.Key}")));
        _removed.Clear();
        Timers.StartSingleTimer(nameof(Sweep), Sweep.Instance, _every);
    }

    /// <param name="History">Whose entries it takes out; null: it gives space back.</param>
    /// <param name="DoSome">0: there is nothing to do any more.</param>
    private sealed record Chore(string? History, Func<int> DoSome);

    private sealed record Removed(Chore Chore, int Count);

    /// <param name="Sizes">Null: they could not be found out.</param>
    private sealed record Looked(StorageSizes? Sizes);

    private sealed record Look
    {
        public static Look Instance { get; } = new();
    }

    private sealed record Sweep
    {
        public static Sweep Instance { get; } = new();
    }

    private sealed record GoOn
    {
        public static GoOn Instance { get; } = new();
    }
}
