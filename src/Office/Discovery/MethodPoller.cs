using System.Security.Cryptography;
using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Gateway;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

/// <summary>
/// Polls by one method, when its time has come or headquarters says so, never twice at a time. Child of the PollerActor; parent of the run that is under way;
/// lives as long as the node.
/// </summary>
public sealed class MethodPoller : ReceiveActor, IWithTimers
{
    private const string DueKey = "due";

    private readonly PollMethod _method;
    private readonly IPollMethod _way;
    private readonly PollerSetup _setup;
    private readonly Pace _pace;
    private readonly IActorRef _relay;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private PollSchedule? _schedule;
    private DateTimeOffset? _lastQuick;
    private DateTimeOffset? _lastFull;
    private Run? _run;

    public MethodPoller(PollMethod method, IPollMethod way, PollerSetup setup, Pace pace, IActorRef relay)
    {
        (_method, _way, _setup, _pace, _relay) = (method, way, setup, pace, relay);

        Receive<ScheduleCame>(Obey);
        Receive<PollDue>(_ => BeginDue());
        Receive<RunPoll>(Begin);
        Receive<CancelRun>(Cancel);
        Receive<RunOver>(over =>
        {
            if (_run?.Id == over.PollId)
                _run = _run with { Told = true };
        });
        Receive<Terminated>(stopped => Ended(stopped.ActorRef));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private DateTimeOffset Now => _setup.Clock.GetUtcNow();

    public static Props Props(PollMethod method, IPollMethod way, PollerSetup setup, Pace pace, IActorRef relay) =>
        Akka.Actor.Props.Create(() => new MethodPoller(method, way, setup, pace, relay));

    // Headquarters is told that it broke; begun anew, a run would break again.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Obey(ScheduleCame came)
    {
        _schedule = came.Schedule;
        if (_schedule is null)
        {
            Timers.Cancel(DueKey);
            _run?.Actor.Tell(new EndRun(PollOutcome.Interrupted, came.Why));
            return;
        }

        // Another node may have polled meanwhile; and what this one began, headquarters may not have heard of yet.
        (_lastQuick, _lastFull) = (Later(_lastQuick, _schedule.LastQuick), Later(_lastFull, _schedule.LastFull));
        WaitForNext();
    }

    private void WaitForNext()
    {
        Timers.Cancel(DueKey);
        if (_run is not null || _schedule is null || PollTimes.Next(_schedule, _lastQuick, _lastFull) is not { } next)
            return;
        var wait = next.At > Now ? next.At - Now : TimeSpan.Zero;
        Timers.StartSingleTimer(DueKey, PollDue.Instance, wait + (_setup.Options.StartSpread * Random.Shared.NextDouble()));
    }

    private void BeginDue()
    {
        if (_run is not null || _schedule is null || PollTimes.Next(_schedule, _lastQuick, _lastFull) is not { } next)
            return;
        if (next.At > Now)
            WaitForNext();
        else
            Begin(new PollId("p-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(10))), next.Full, _schedule.Ranges, _schedule.AllowLarge, _schedule);
    }

    private void Begin(RunPoll wanted)
    {
        if (_schedule is null)
            Refuse(wanted, "this node is not the office's poller now");
        else if (_run is not null)
            Refuse(wanted, $"poll {_run.Id} is under way by this method");
        else if (wanted.Ranges.Count > 0)
            Begin(wanted.PollId, wanted.Full, wanted.Ranges, wanted.AllowLarge, _schedule);
        else
            Begin(wanted.PollId, wanted.Full, _schedule.Ranges, _schedule.AllowLarge, _schedule);
    }

    private void Begin(PollId id, bool full, IReadOnlyList<string> ranges, bool allowLarge, PollSchedule schedule)
    {
        Timers.Cancel(DueKey);
        _lastQuick = Now;
        if (full)
            _lastFull = Now;
        var actor = Context.ActorOf(PollRunActor.Props(new PollRunSetup(id, _method, full, ranges, allowLarge, schedule.Directories), _way, _setup, _pace, _relay), id.Value);
        _run = new Run(Context.Watch(actor), id, full, Now, Told: false);
        _log.Info("Poll {PollId} begins: {Method}, {Kind}", id, Polls.Name(_method), full ? "full" : "quick");
    }

    private void Cancel(CancelRun wanted)
    {
        if (_run is { } run && run.Id == wanted.PollId)
            run.Actor.Tell(new EndRun(PollOutcome.Cancelled, "an operator cancelled it"));
        else if (wanted.Others is [var next, ..])
            next.Tell(new CancelRun(wanted.PollId, [.. wanted.Others.Skip(1)]));
        else
            _relay.Tell(new SendUp([PollEnds.Unknown(wanted.PollId, Now)]));
    }

    private void Ended(IActorRef actor)
    {
        if (_run is not { } run || !run.Actor.Equals(actor))
            return;
        if (!run.Told)
            _relay.Tell(new SendUp([PollEnds.Broken(run.Id, _method, run.Full, run.StartedAt, Now)]));
        _run = null;
        WaitForNext();
    }

    private void Refuse(RunPoll wanted, string why) => _relay.Tell(new SendUp([PollEnds.Refused(wanted, why, Now)]));

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => one > other || other is null ? one : other;

    /// <summary>The run that is under way.</summary>
    /// <param name="Told">It has told headquarters how it ended.</param>
    private sealed record Run(IActorRef Actor, PollId Id, bool Full, DateTimeOffset StartedAt, bool Told);

    private sealed record PollDue
    {
        public static readonly PollDue Instance = new();
    }
}
