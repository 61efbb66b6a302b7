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
    private IActorRef? _run;
    private PollId? _runId;

    public MethodPoller(PollMethod method, IPollMethod way, PollerSetup setup, Pace pace, IActorRef relay)
    {
        (_method, _way, _setup, _pace, _relay) = (method, way, setup, pace, relay);

        Receive<ScheduleCame>(Obey);
        Receive<PollDue>(_ => BeginDue());
        Receive<RunPoll>(Begin);
        Receive<CancelPoll>(_ => _run?.Tell(new EndRun(PollOutcome.Cancelled, "an operator cancelled it")));
        Receive<RunOver>(over =>
        {
            if (over.PollId != _runId)
                return;
            (_run, _runId) = (null, null);
            Context.Parent.Tell(new RunIs(null));
            WaitForNext();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private DateTimeOffset Now => _setup.Clock.GetUtcNow();

    public static Props Props(PollMethod method, IPollMethod way, PollerSetup setup, Pace pace, IActorRef relay) =>
        Akka.Actor.Props.Create(() => new MethodPoller(method, way, setup, pace, relay));

    private void Obey(ScheduleCame came)
    {
        _schedule = came.Schedule;
        if (_schedule is null)
        {
            Timers.Cancel(DueKey);
            _run?.Tell(new EndRun(PollOutcome.Interrupted, came.Why));
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
            Refuse(wanted, $"poll {_runId} is under way by this method");
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
        _runId = id;
        _run = Context.ActorOf(PollRunActor.Props(new PollRunSetup(id, _method, full, ranges, allowLarge, schedule.Directories), _way, _setup, _pace, _relay), id.Value);
        Context.Parent.Tell(new RunIs(id));
        _log.Info("Poll {PollId} begins: {Method}, {Kind}", id, Polls.Name(_method), full ? "full" : "quick");
    }

    private void Refuse(RunPoll wanted, string why) => _relay.Tell(new SendUp([PollEnds.Refused(wanted, why, Now)]));

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => one > other || other is null ? one : other;

    private sealed record PollDue
    {
        public static readonly PollDue Instance = new();
    }
}
