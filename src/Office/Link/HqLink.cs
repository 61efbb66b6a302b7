using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.Office.Passing;

namespace Fleet.Office.Link;

/// <param name="Node">Whose link it is.</param>
/// <param name="Version">The program's version.</param>
/// <param name="Ways">What a dial tries, one after the other.</param>
/// <param name="HangUpAfter">Where the node dials periodically: how long its link is quiet before it hangs up.</param>
public sealed record HqLinkSetup(NodeId Node, string Version, HeadquartersWays Ways, LinkOptions Link, TimeSpan RebuildAfter, TimeSpan HangUpAfter, TimeProvider Clock, HeadquartersClock Headquarters);

/// <summary>
/// Keeps the link to headquarters: dials the door, pings, notices death by the lease and dials again. Owns the epoch; what travels in it is the
/// Relay's. Where headquarters wants the node periodic it hangs up once all is up to date. Child of the OfficeActor; lives as long as the node. Life: Starting →
/// Dialling → Linked → Waiting → Dialling …
/// </summary>
public sealed class HqLink : ReceiveActor, IWithTimers
{
    /// <summary>Akka drops what is sent to an address for this long after a connection to it ended (retry-gate-closed-for), and a little.</summary>
    private static readonly TimeSpan Gate = TimeSpan.FromMilliseconds(1100);

    /// <summary>An outage that lasts this long is told again when its reason changes: until then "connection refused" says no more than that it is down.</summary>
    private static readonly TimeSpan Lasting = TimeSpan.FromMinutes(1);

    /// <summary>How long headquarters may leave a ping unanswered once a connection was seen to end.</summary>
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(1);

    private readonly HqLinkSetup _setup;
    private readonly LinkSystemFactory _systems;
    private readonly IActorRef _relay;
    private readonly Backoff _backoff;
    private readonly string _incarnation = Guid.NewGuid().ToString("n");
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private LinkSystem? _system;
    private int _generation;
    private int _failures;
    private TimeSpan _returnWithin;
    private TimeSpan? _dialEvery;
    private int _unstored;
    private Outage? _outage;
    private long? _unansweredSince;
    private IActorRef _link = ActorRefs.Nobody;
    private Welcome? _welcome;
    private LinkPatience? _patience;
    private long? _helloAt;
    private long _welcomedAt;
    private ulong _pings;

    public HqLink(HqLinkSetup setup, LinkSystemFactory systems, IActorRef relay)
    {
        (_setup, _systems, _relay) = (setup, systems, relay);
        _backoff = new Backoff(setup.Link.MinBackoff);
        Starting();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(HqLinkSetup setup, LinkSystemFactory systems, IActorRef relay) =>
        Akka.Actor.Props.Create(() => new HqLink(setup, systems, relay));

    protected override void PreStart() => StartSystem();

    protected override void PostStop()
    {
        if (_system is null)
            return;
        if (_welcome is { } welcome)
            _system.End.Tell(new ToLink(_link, new Goodbye(welcome.Epoch, "the node stops")));
        _ = _systems.Stop(_system);
    }

    private void Starting()
    {
        Receive<SystemStarted>(started =>
        {
            _system = started.System;
            Dial();
        });
        Receive<Akka.Actor.Status.Failure>(failure =>
        {
            _log.Error(failure.Cause, "The link's actor system can't start");
            Wait("the link's actor system can't start", NextBackoff());
        });
        Always();
    }

    private void Dialling()
    {
        ReceiveOf<Welcome>(Enter);
        ReceiveOf<NotWelcome>((refused, _) =>
        {
            _unansweredSince = null;
            Wait($"headquarters refuses this node ({refused.Code}): {refused.Detail}",
                RetryAfter.Read(refused.RetryAfter) ?? NextBackoff(), refused.Code != RefusalCode.Busy);
        });
        ReceiveOf<DialFailed>((failed, _) =>
        {
            // Not even connected: a new actor system would not fare better.
            _unansweredSince = null;
            Wait($"headquarters can't be reached: {failed.Reason}", Gate + NextBackoff());
        });
        ReceiveOf<Quarantined>((quarantined, _) => Rebuild(quarantined.Reason));
        Receive<HelloOverdue>(_ => Unanswered());
        Always();
    }

    private void Linked()
    {
        ReceiveOf<Pong>((pong, _) => pong.Epoch == _welcome!.Epoch, (pong, _) =>
        {
            _returnWithin = RetryAfter.Read(pong.ReturnWithin) ?? TimeSpan.Zero;
            _setup.Headquarters.Told(pong.HeadquartersTime);
            _patience!.Heard();
            Alive();
        });
        ReceiveOf<UpFrameStored>((stored, _) => stored.Epoch == _welcome!.Epoch, (stored, _) =>
        {
            _unstored--;
            Busy();
            _relay.Tell(stored);
        });
        ReceiveOf<DownFrame>((down, _) => down.Epoch == _welcome!.Epoch, (down, _) =>
        {
            Busy();
            _relay.Tell(down);
        });
        ReceiveOf<Goodbye>((bye, _) => bye.Epoch == _welcome!.Epoch, (bye, _) => Part(bye));
        // A second Hello was on its way, or headquarters opened another: the newest counts on both sides.
        ReceiveOf<Welcome>((welcome, _) => welcome.Epoch != _welcome!.Epoch, (welcome, link) =>
        {
            Close("headquarters opened a new epoch");
            Enter(welcome, link);
        });
        ReceiveOf<ConnectionEnded>((_, _) => Question());
        ReceiveOf<Quarantined>((quarantined, _) =>
        {
            Close(quarantined.Reason);
            Rebuild(quarantined.Reason);
        });
        Receive<IEpochMessage>(message => message.Epoch == _welcome!.Epoch, message =>
        {
            _unstored += message is UpFrame ? 1 : 0;
            Busy();
            Send(message);
        });
        Receive<QuietOver>(_ => HangUp());
        Receive<PingDue>(_ => Send(new Ping(_welcome!.Epoch, ++_pings)));
        Receive<LeaseOver>(_ => JudgeSilence());
        Receive<DoubtOver>(_ => Lose("the connection broke"));
        Receive<Redial>(redial => Lose(redial.Reason));
        Always();
    }

    private void Waiting()
    {
        Receive<WaitOver>(_ =>
        {
            if (_system is null)
                StartSystem();
            else
                Dial();
        });
        ReceiveOf<Quarantined>((quarantined, _) => Rebuild(quarantined.Reason));
        Always();
    }

    /// <summary>What may come in every state; last in each.</summary>
    private void Always()
    {
        Receive<DialEvery>(every =>
        {
            _dialEvery = every.Interval;
            Busy();
        });
        ReceiveAny(Outdated);
    }

    private void StartSystem()
    {
        var (owner, generation) = (Self, ++_generation);
        Become(Starting);
        // An actor system takes some hundred milliseconds to start.
        Task.Run(() => new SystemStarted(_systems.Start(owner, generation))).PipeTo(Self);
    }

    private void Dial()
    {
        Become(Dialling);
        _helloAt = _setup.Clock.GetTimestamp();
        _system!.End.Tell(new ToDoor(new Hello(_setup.Node, Hello.CurrentProtocol, _setup.Version, _incarnation, _setup.Clock.GetUtcNow())));
        Timers.StartSingleTimer(TimerKey.Hello, HelloOverdue.Instance, _setup.Link.ConnectTimeout * (_setup.Ways.Of([_setup.Node.Value]).Count + 1));
    }

    private void Enter(Welcome welcome, IActorRef link)
    {
        (_welcome, _link, _welcomedAt, _unansweredSince, _returnWithin, _unstored) = (welcome, link, _setup.Clock.GetTimestamp(), null, RetryAfter.Read(welcome.ReturnWithin) ?? TimeSpan.Zero, 0);
        _setup.Headquarters.Told(welcome.HeadquartersTime);
        Timers.CancelAll();
        Become(Linked);
        if (_outage is { } outage)
            _log.Info("Linked to headquarters again after {Seconds} s, epoch {Epoch}", (long)(_setup.Clock.GetUtcNow() - outage.Since).TotalSeconds, welcome.Epoch);
        else
            _log.Info("Linked to headquarters, epoch {Epoch}", welcome.Epoch);
        _outage = null;
        var opened = new LinkOpened(welcome.Epoch, welcome.NodeEventsStored, _setup.Ways.LastUsed);
        _relay.Tell(opened);
        Context.Parent.Tell(opened);
        Timers.StartPeriodicTimer(TimerKey.Ping, PingDue.Instance, TimeSpan.Zero, welcome.PingEvery);
        // A new epoch of a link that is open was not asked for.
        _patience = new LinkPatience(welcome.LeaseFor, welcome.PingEvery, _helloAt is { } said ? _setup.Clock.GetElapsedTime(said) : TimeSpan.Zero, _setup.Clock);
        _helloAt = null;
        WaitForWords();
        Alive();
        Busy();
    }

    /// <summary>The link is in use: a node that dials periodically does not hang up yet.</summary>
    private void Busy()
    {
        if (_welcome is null || _dialEvery is null)
            Timers.Cancel(TimerKey.Quiet);
        else
            Timers.StartSingleTimer(TimerKey.Quiet, QuietOver.Instance, _setup.HangUpAfter);
    }

    private void HangUp()
    {
        if (_unstored > 0)
        {
            Busy();
            return;
        }

        var wait = Backoff.Periodic(_dialEvery!.Value, Random.Shared);
        Send(new Goodbye(_welcome!.Epoch, "hung up until its next dial"));
        Close("hung up until the next dial");
        StopSystem();
        _failures = 0;
        Become(Waiting);
        Timers.StartSingleTimer(TimerKey.Wait, WaitOver.Instance, wait);
        _log.Debug("All is up to date: hung up, next dial in {Seconds} s", (long)wait.TotalSeconds);
    }

    /// <summary>Ends the actor system, and with it the connection; what it still says is nobody's any more.</summary>
    private void StopSystem()
    {
        _generation++;
        _ = _systems.Stop(_system!);
        _system = null;
    }

    private void Alive()
    {
        Timers.Cancel(TimerKey.Doubt);
        // Only a link that lasts ends the backoff: one that headquarters drops at once must not be dialled in a loop.
        if (_setup.Clock.GetElapsedTime(_welcomedAt) > _welcome!.LeaseFor)
            _failures = 0;
    }

    private void WaitForWords() => Timers.StartSingleTimer(TimerKey.Lease, LeaseOver.Instance, _patience!.Left);

    private void JudgeSilence()
    {
        if (_patience!.IsOver())
            Lose($"headquarters has not answered for {_patience.Silence.TotalSeconds:0.#} s");
        else
            WaitForWords();
    }

    private void Question()
    {
        // It may have been an older connection that ended: whether this one lives, a ping tells.
        if (Timers.IsTimerActive(TimerKey.Doubt))
            return;
        Send(new Ping(_welcome!.Epoch, ++_pings));
        Timers.StartSingleTimer(TimerKey.Doubt, DoubtOver.Instance, Doubt);
    }

    private void Part(Goodbye bye)
    {
        if (!bye.Elsewhere)
        {
            Lose($"headquarters closed the link: {bye.Reason}");
            return;
        }

        // Headquarters says goodbye to one node after another: no need to wait longer than Akka does.
        _setup.Ways.GoElsewhere();
        Close(bye.Reason);
        _system!.Abort();
        Wait($"headquarters wants the link at another of its addresses: {bye.Reason}", Gate);
    }

    private void Lose(string reason)
    {
        Close(reason);
        // A dead connection would keep its place until the system gives it up.
        _system!.Abort();
        Wait(reason, Gate + NextBackoff());
    }

    private void Close(string reason)
    {
        Timers.CancelAll();
        (_welcome, _link) = (null, ActorRefs.Nobody);
        _relay.Tell(new LinkClosed(reason));
        Context.Parent.Tell(new LinkClosed(reason));
    }

    private void Unanswered()
    {
        var since = _unansweredSince ??= _setup.Clock.GetTimestamp();
        if (_setup.Clock.GetElapsedTime(since) >= _setup.RebuildAfter)
        {
            Rebuild("headquarters can be connected to, and does not answer");
            return;
        }

        _system!.Abort();
        Wait("headquarters does not answer", Gate + NextBackoff());
    }

    private void Rebuild(string reason)
    {
        _log.Warning("The link's actor system is built anew: {Reason}", reason);
        _unansweredSince = null;
        StopSystem();
        Wait(reason, NextBackoff());
    }

    /// <param name="mustAct">Whether it will not pass by itself, so that an administrator has to hear of it at once.</param>
    private void Wait(string reason, TimeSpan wait, bool mustAct = false)
    {
        Timers.CancelAll();
        Become(Waiting);
        Timers.StartSingleTimer(TimerKey.Wait, WaitOver.Instance, wait);
        var (now, next) = (_setup.Clock.GetUtcNow(), (long)wait.TotalMilliseconds);
        if (_outage is not { } outage)
        {
            _log.Warning("No link to headquarters since {Since}: {Reason}; trying until it works, next in {Milliseconds} ms (headquarters asked to come back within {Seconds} s). Agents are answered from here, and what they report waits on disk.",
                $"{now:u}", reason, next, _returnWithin.TotalSeconds);
            _outage = new Outage(now, reason);
        }
        else if (reason != outage.Told && (mustAct || now - outage.Since >= Lasting))
        {
            _log.Warning("Still no link to headquarters since {Since}: {Reason}; trying until it works, next in {Milliseconds} ms", $"{outage.Since:u}", reason, next);
            _outage = outage with { Told = reason };
        }
        else
        {
            _log.Debug("Still no link ({Reason}), next attempt in {Milliseconds} ms", reason, next);
        }
    }

    private TimeSpan NextBackoff() => _backoff.AfterFailures(++_failures, _dialEvery ?? _setup.Link.MaxBackoff, _returnWithin, Random.Shared);

    private void Send(IEpochMessage message) => _system!.End.Tell(new ToLink(_link, message));

    /// <summary>Late words of an earlier state, epoch or actor system.</summary>
    private void Outdated(object message) => _log.Debug("{Message} came too late", message.GetType().Name);

    private void ReceiveOf<T>(Action<T, IActorRef> handle) => ReceiveOf((_, _) => true, handle);

    private void ReceiveOf<T>(Func<T, IActorRef, bool> when, Action<T, IActorRef> handle) =>
        Receive<FromLink>(
            from => from.Generation == _generation && from.Message is T message && when(message, from.Sender),
            from => handle((T)from.Message, from.Sender));

    /// <param name="Told">The reason that the log told last.</param>
    private sealed record Outage(DateTimeOffset Since, string Told);

    private static class TimerKey
    {
        public const string Hello = "hello";
        public const string Wait = "wait";
        public const string Ping = "ping";
        public const string Lease = "lease";
        public const string Doubt = "doubt";
        public const string Quiet = "quiet";
    }

    private sealed record SystemStarted(LinkSystem System);

    private sealed record HelloOverdue
    {
        public static readonly HelloOverdue Instance = new();
    }

    private sealed record WaitOver
    {
        public static readonly WaitOver Instance = new();
    }

    private sealed record PingDue
    {
        public static readonly PingDue Instance = new();
    }

    private sealed record LeaseOver
    {
        public static readonly LeaseOver Instance = new();
    }

    private sealed record QuietOver
    {
        public static readonly QuietOver Instance = new();
    }

    private sealed record DoubtOver
    {
        public static readonly DoubtOver Instance = new();
    }
}
