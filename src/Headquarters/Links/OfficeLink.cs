using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Links;

/// <summary>
/// Headquarters' end of one node's link. Checks every message's sender, epoch and size, keeps the lease by the node's pings, and
/// passes what is sound to its <see cref="LinkSession"/>. Where the office's twin moves to another headquarters node the link stays and gets a new epoch.
/// Child of the door; stops when the lease runs out, either side says so, or the node comes in anew. Life: Opening → Linked ⇄ Reopening. Nothing is watched across the link: Akka would quarantine a node whose link is slow.
/// </summary>
internal sealed class OfficeLink : ReceiveActor, IWithTimers
{
    private const string LeaseKey = "lease";
    private const string WelcomeKey = "welcome";
    private const string CameInAnew = "the node came in anew";
    private const string Stopped = "headquarters stops";
    private const string Moved = "the office's twin moved or began anew";

    /// <summary>Akka drops what is sent to an address for a second after a connection to it ended; a node that redials fast would miss its Welcome.</summary>
    private static readonly TimeSpan WelcomeAgain = TimeSpan.FromSeconds(1);

    /// <summary>A twin that moves more often than this lets the node dial anew.</summary>
    private static readonly TimeSpan ReopensEvery = TimeSpan.FromSeconds(5);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly LinkTools _tools;
    private readonly NodeId _nodeId;
    private readonly string _host;
    private readonly string _incarnation;
    private readonly string _certificateSerial;
    private readonly IActorRef _node;
    private readonly Dictionary<ulong, DateTimeOffset> _inFlight = [];
    private readonly long _helloAt;
    private LinkPatience? _patience;
    private string _epoch = LinkTools.NewSecret();
    private IActorRef _session = ActorRefs.Nobody;
    private DateTimeOffset _linkedSince;
    private DateTimeOffset _reopenedAt;
    private string? _endedEpoch;
    private string? _ended;
    private int _announceParts;
    private bool _strangerTold;
    private bool _welcomed;

    public OfficeLink(Hello hello, string certificateSerial, IActorRef node, LinkTools tools)
    {
        (_nodeId, _incarnation, _certificateSerial, _node, _tools) = (hello.NodeId, hello.Incarnation, certificateSerial, node, tools);
        (_host, _helloAt) = (PeerIdentity.Of(hello.NodeId).LogicalHost, tools.Clock.GetTimestamp());
        Opening();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(Hello hello, string certificateSerial, IActorRef node, LinkTools tools) =>
        Akka.Actor.Props.Create(() => new OfficeLink(hello, certificateSerial, node, tools));

    protected override void PreStart()
    {
        _tools.Load.Opens();
        _tools.Sessions.Tell(new OpenSession(_nodeId, _epoch, _certificateSerial, _incarnation));
        Timers.StartSingleTimer(LeaseKey, LeaseOver.Instance, _tools.Links.WelcomeTimeout);
    }

    protected override void PostStop()
    {
        if (_welcomed)
            _tools.Load.Closed();
        else
            _tools.Load.Opened(welcome: false);
        // Nobody has ended it, so headquarters stops, or this actor has a fault: the node had better dial soon.
        if (_ended is null)
            _node.Tell(new Goodbye(_epoch, Stopped));
        _session.Tell(new LinkEnded(_ended ?? Stopped));
    }

    /// <summary>The office twin is asked whether it knows the node.</summary>
    private void Opening()
    {
        Receive<SessionOpened>(opened => _session = opened.Session);
        Receive<NodeWelcomed>(Handle);
        Receive<OfficeRefused>(refused => Refuse(refused.Code, refused.Detail));
        Receive<SessionEnded>(ended => Refuse(RefusalCode.Busy, ended.Reason));
        Receive<LeaseOver>(_ => Refuse(RefusalCode.Busy, "headquarters did not answer in time"));
        Receive<Replaced>(_ => End(CameInAnew));
        Receive<SendDown>(_ => { });
    }

    /// <summary>
    /// The twin that the office has now is asked, under a new epoch, while the link stays up. What the node sends under the old one was not stored, and comes
    /// again under the new one.
    /// </summary>
    private void Reopening()
    {
        Receive<Ping>(IsOfEndedEpoch, ping =>
        {
            _patience!.Heard();
            _node.Tell(new Pong(ping.Epoch, ping.Number, _tools.Clock.GetUtcNow(), _tools.Load.ReturnWithin));
        });
        Receive<Goodbye>(IsOfEndedEpoch, goodbye => End($"the node said goodbye: {Shown(goodbye.Reason)}"));
        Receive<IEpochMessage>(IsOfEndedEpoch, _ => _patience!.Heard());
        Receive<SessionOpened>(opened => _session = opened.Session);
        Receive<NodeWelcomed>(welcomed => welcomed.Epoch == _epoch, Handle);
        Receive<OfficeRefused>(_ => Sender.Equals(_session), refused => Part(refused.Detail));
        Receive<SessionEnded>(_ => Sender.Equals(_session), ended => Part(ended.Reason));
        Receive<Replaced>(_ => Part(CameInAnew));
        Receive<PartElsewhere>(part => _node.Tell(new Goodbye(_endedEpoch!, part.Reason, Elsewhere: true)));
        Receive<LeaseOver>(_ => JudgeSilence());
        Receive<TwinMoved>(_ => Sender.Equals(_session), _ => Reopen(Moved));
        ReceiveAny(_ => { });
    }

    private void Linked()
    {
        Receive<Ping>(IsOurs, ping => _node.Tell(new Pong(_epoch, ping.Number, _tools.Clock.GetUtcNow(), _tools.Load.ReturnWithin)));
        Receive<Announce>(IsOurs, Handle);
        Receive<UpFrame>(IsOurs, Handle);
        Receive<Goodbye>(IsOurs, goodbye => End($"the node said goodbye: {Shown(goodbye.Reason)}"));
        Receive<FrameTaken>(Handle);
        Receive<SendDown>(down => down.Epoch == _epoch, down =>
        {
            _tools.Meter.FrameDown();
            _node.Tell(new DownFrame(_epoch, down.Items));
        });
        // A twin that moved says so, or does not know this epoch.
        Receive<OfficeRefused>(refused => refused.Code == RefusalCode.NotAllowed && Sender.Equals(_session), refused => Reopen(refused.Detail));
        Receive<OfficeRefused>(refused => Part(refused.Detail));
        Receive<SessionEnded>(ended => Part(ended.Reason));
        Receive<Replaced>(_ => Part(CameInAnew));
        Receive<TwinMoved>(_ => Sender.Equals(_session), _ => Reopen(Moved));
        Receive<PartElsewhere>(part => Part(part.Reason, elsewhere: true));
        Receive<WelcomeDue>(due => _node.Tell(due.Welcome));
        Receive<LeaseOver>(_ => JudgeSilence());
    }

    private void Handle(NodeWelcomed welcomed)
    {
        if (_welcomed)
        {
            _log.Info("Node {NodeId} goes on under a new epoch: its office's twin moved or began anew", _nodeId);
            _patience!.Heard();
        }
        else
        {
            _log.Info("Node {NodeId} is linked", _nodeId);
            (_linkedSince, _welcomed) = (_tools.Clock.GetUtcNow(), true);
            _tools.Load.Opened(welcome: true);
            _tools.Meter.Welcomed();
            _patience = new LinkPatience(_tools.Link.Lease, _tools.Link.PingInterval, _tools.Clock.GetElapsedTime(_helloAt), _tools.Clock);
        }

        Become(Linked);
        WaitForWords();
        var welcome = new Welcome(_epoch, _tools.Clock.GetUtcNow(), _tools.Link.PingInterval, _tools.Link.Lease, welcomed.NodeEventsStored, _tools.Load.ReturnWithin);
        Timers.StartPeriodicTimer(WelcomeKey, new WelcomeDue(welcome), TimeSpan.Zero, WelcomeAgain);
    }

    private void Reopen(string reason)
    {
        var now = _tools.Clock.GetUtcNow();
        if (now - _reopenedAt < ReopensEvery)
        {
            // Two links that speak for one node would take the twin from each other for ever.
            Part(reason);
            return;
        }

        _session.Tell(new LinkEnded(reason));
        (_reopenedAt, _endedEpoch, _epoch, _session) = (now, _epoch, LinkTools.NewSecret(), ActorRefs.Nobody);
        _inFlight.Clear();
        _announceParts = 0;
        Timers.Cancel(WelcomeKey);
        _tools.Sessions.Tell(new OpenSession(_nodeId, _epoch, _certificateSerial, _incarnation));
        Become(Reopening);
    }

    private void Handle(Announce announce)
    {
        var problem = LinkChecks.Problem(announce);
        if (problem is null && ++_announceParts > LinkChecks.MaxAnnounceParts)
            problem = $"an announce of more than {LinkChecks.MaxAnnounceParts} parts";
        if (problem is not null)
        {
            Fault(problem);
            return;
        }

        if (announce.Last)
            _announceParts = 0;
        _session.Tell(announce);
    }

    private void Handle(UpFrame frame)
    {
        var now = _tools.Clock.GetUtcNow();
        if (LinkChecks.Problem(frame) is { } problem)
            Fault(problem);
        else if (_inFlight.Count >= UpFrame.MaxInFlight)
            Fault($"more than {UpFrame.MaxInFlight} frames at once");
        else if (_inFlight.Values.Any(sent => now - sent > _tools.Links.FrameTimeout))
            Part($"a frame was not journaled within {_tools.Links.FrameTimeout.TotalSeconds:0} s");
        else if (_inFlight.TryAdd(frame.Number, now))
        {
            _tools.Meter.FrameUp();
            _session.Tell(frame);
        }
    }

    private void Handle(FrameTaken taken)
    {
        if (taken.Epoch == _epoch && _inFlight.Remove(taken.Number))
            _node.Tell(new UpFrameStored(_epoch, taken.Number));
    }

    private bool IsOfEndedEpoch(IEpochMessage message) => Sender.Path.Address.Host == _host && message.Epoch == _endedEpoch;

    private bool IsOurs(IEpochMessage message)
    {
        // The node has not heard of its new epoch yet: what it says under the old one is told again, so nothing is lost, and it is no stranger.
        if (IsOfEndedEpoch(message))
        {
            _patience!.Heard();
            return false;
        }

        if (Sender.Path.Address.Host == _host && message.Epoch == _epoch)
        {
            _tools.Load.Took();
            Timers.Cancel(WelcomeKey);
            _patience!.Heard();
            return true;
        }

        if (!_strangerTold)
            _log.Warning("Link of node {NodeId} ignores messages from {Sender}: not the node's, or not of this epoch", _nodeId, Sender.Path);
        _strangerTold = true;
        return false;
    }

    // One timer a lease, not one a word: each would live long enough for the collector to copy it twice.
    private void WaitForWords() => Timers.StartSingleTimer(LeaseKey, LeaseOver.Instance, _patience!.Left);

    private void JudgeSilence()
    {
        if (!_patience!.IsOver())
        {
            WaitForWords();
            return;
        }

        // The NAT between may have forgotten the connection. If it kept its place, the node's next one would be taken for its double.
        _tools.Abort(_host);
        var reason = $"no ping for {_patience.Silence.TotalSeconds:0.#} s";
        _log.Warning("Link of node {NodeId} is lost: {Reason}; it was linked since {Since}, and dials again by itself", _nodeId, reason, $"{_linkedSince:u}");
        Stop(reason);
    }

    /// <summary>The node does what it must not; the link ends, what is journaled stays.</summary>
    private void Fault(string problem)
    {
        _log.Warning("Node {NodeId} sent {Problem}; its link ends", _nodeId, problem);
        Part($"headquarters refused {problem}");
    }

    private void Part(string reason, bool elsewhere = false)
    {
        _node.Tell(new Goodbye(_epoch, reason, elsewhere));
        End(reason);
    }

    private void Refuse(RefusalCode code, string detail)
    {
        _log.Info("Node {NodeId} is not welcome: {Detail}", _nodeId, detail);
        _tools.Meter.NotWelcomed(code);
        _node.Tell(new NotWelcome(code, detail, LinkDoor.Spread(code == RefusalCode.Clone ? LinkDoor.CloneWait : _tools.Link.MaxBackoff)));
        Stop(detail);
    }

    private void End(string reason)
    {
        _log.Info("Link of node {NodeId} ends: {Reason}", _nodeId, reason);
        Stop(reason);
    }

    private void Stop(string reason)
    {
        _ended = reason;
        Context.Stop(Self);
    }

    private static string Shown(string? reason) => reason is null ? "" : reason.Length <= 200 ? reason : reason[..200] + "…";

    private sealed record WelcomeDue(Welcome Welcome);

    private sealed record LeaseOver
    {
        public static LeaseOver Instance { get; } = new();
    }
}
