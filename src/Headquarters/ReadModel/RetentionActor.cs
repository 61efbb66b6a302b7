using Akka.Actor;
using Akka.Event;
using Fleet.Headquarters.Monitoring;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Sees to it that histories stay within <c>fleet.retention</c>. Child of the projection, which writes them: one of all headquarters nodes does it. Between two of its small writes everyone else has time for theirs.</summary>
internal sealed class RetentionActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Histories _histories;
    private readonly TimeSpan _every;
    private readonly HeadquartersMeter _meter;
    private readonly Queue<History> _left = [];
    private readonly Dictionary<string, long> _removed = [];
    private bool _failing;

    public RetentionActor(ReadModelStore store, RetentionOptions options, TimeProvider clock, HeadquartersMeter meter)
    {
        (_histories, _every, _meter) = (new Histories(store, options, clock), options.Every, meter);

        Receive<Sweep>(_ => Begin());
        Receive<GoOn>(_ => Next());
        Receive<Removed>(Handle);
        Receive<Status.Failure>(Handle);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(ReadModelStore store, RetentionOptions options, TimeProvider clock, HeadquartersMeter meter) =>
        Akka.Actor.Props.Create(() => new RetentionActor(store, options, clock, meter));

    // The first some time after a start, when all links come back; not all of a restart's work at once.
    protected override void PreStart() => Timers.StartSingleTimer(nameof(Sweep), Sweep.Instance, _every * 0.1);

    private void Begin()
    {
        foreach (var history in History.All)
            _left.Enqueue(history);
        Next();
    }

    private void Next()
    {
        if (!_left.TryPeek(out var history))
        {
            Done();
            return;
        }

        var self = Self;
        Task.Run(() => _histories.RemoveSome(history)).PipeTo(self, success: count => new Removed(history, count));
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

        _meter.Removed(removed.History.Name, removed.Count);
        _removed[removed.History.Name] = _removed.GetValueOrDefault(removed.History.Name) + removed.Count;
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

    private sealed record Removed(History History, int Count);

    private sealed record Sweep
    {
        public static Sweep Instance { get; } = new();
    }

    private sealed record GoOn
    {
        public static GoOn Instance { get; } = new();
    }
}
