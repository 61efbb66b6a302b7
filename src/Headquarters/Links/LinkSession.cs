using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Links;

/// <summary>
/// The cluster side of one link under one epoch: speaks with the office twin for an <see cref="OfficeLink"/> of the edge system in the same
/// process. Routes, decides nothing. The twin watches it; it watches the twin, since a twin that moved or restarted has forgotten the link.
/// Child of <see cref="LinkSessions"/>; stops with its link.
/// </summary>
internal sealed class LinkSession : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(2);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly OpenSession _opened;
    private readonly IActorRef _link;
    private readonly IActorRef _offices;
    private readonly TimeProvider _clock;

    public LinkSession(OpenSession opened, IActorRef link, IActorRef offices, TimeProvider clock)
    {
        (_opened, _link, _offices, _clock) = (opened, link, offices, clock);

        Receive<Announce>(announce => _offices.Tell(new TakeAnnounce(Office, _opened.NodeId, announce)));
        Receive<UpFrame>(frame => _offices.Tell(new TakeFrame(Office, _opened.NodeId, frame)));
        Receive<LinkEnded>(Handle);
        Receive<NodeWelcomed>(Handle);
        Receive<SendDown>(_link.Tell);
        Receive<FrameTaken>(_link.Tell);
        Receive<OfficeRefused>(_link.Tell);
        Receive<Terminated>(_ => _link.Tell(new TwinMoved()));
        Receive<AskTwin>(_ => Ask());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private OfficeId Office => _opened.NodeId.Office;

    public static Props Props(OpenSession opened, IActorRef link, IActorRef offices, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new LinkSession(opened, link, offices, clock));

    protected override void PreStart()
    {
        _link.Tell(new SessionOpened(Self));
        // Asked again until answered: the shard may be moving, and what it gets meanwhile may be lost.
        Timers.StartPeriodicTimer(nameof(AskTwin), AskTwin.Instance, TimeSpan.Zero, AskAgain);
    }

    protected override void PostStop() => _link.Tell(new SessionEnded("headquarters' session stopped"));

    private void Handle(NodeWelcomed welcomed)
    {
        Timers.Cancel(nameof(AskTwin));
        Context.Watch(Sender);
        _link.Tell(welcomed);
    }

    private void Handle(LinkEnded ended)
    {
        _log.Debug("Session of node {NodeId} ends: {Reason}", _opened.NodeId, ended.Reason);
        _offices.Tell(new UnlinkNode(Office, _opened.NodeId, _opened.Epoch, ended.Reason));
        Context.Stop(Self);
    }

    private void Ask() => _offices.Tell(new LinkNode(Office, _opened.NodeId, _opened.Epoch, _opened.CertificateSerial, _clock.GetUtcNow(), _opened.Incarnation));

    private sealed record AskTwin
    {
        public static AskTwin Instance { get; } = new();
    }
}

/// <summary>Makes a <see cref="LinkSession"/> for each link; one a cluster node.</summary>
public sealed class LinkSessions : ReceiveActor
{
    public LinkSessions(IActorRef offices, TimeProvider clock) =>
        Receive<OpenSession>(open => Context.ActorOf(LinkSession.Props(open, Sender, offices, clock)));

    /// <param name="offices">The shard region of the office twins.</param>
    public static Props Props(IActorRef offices, TimeProvider clock) => Akka.Actor.Props.Create(() => new LinkSessions(offices, clock));

    // A session holds nothing that a restart could save: its link ends and the node comes in anew.
    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;
}
