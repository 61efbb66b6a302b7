using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Admission;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Links;

/// <summary>
/// The one actor of the edge system that a node may address by path. Answers Hello alone, and gives each node one <see cref="OfficeLink"/> under a
/// name that can't be guessed; a new Hello of the same node replaces its link. Lives as long as the edge system.
/// </summary>
internal sealed class LinkDoor : ReceiveActor
{
    // One node may come in so often; its links are journaled.
    private const int HellosPerNodeAndSecond = 1;
    private const int HelloBurstPerNode = 5;

    private const int MaximumRemembered = 50_000;
    private static readonly TimeSpan UpgradeWait = TimeSpan.FromMinutes(5);

    /// <summary>About so long a process waits whose identity another uses.</summary>
    public static readonly TimeSpan CloneWait = TimeSpan.FromMinutes(10);

    /// <summary>A node that was sent to a headquarters node of its choice and came back can't reach that one: so long its link stays.</summary>
    private static readonly TimeSpan SentAgainAfter = TimeSpan.FromHours(1);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly LinkTools _tools;
    private readonly AdmissionRate _rate;
    private readonly IdentityRates<string> _told = new(perSecond: 1.0 / 60, burst: 1);
    private readonly Dictionary<NodeId, Visitor> _visitors = [];
    private readonly Dictionary<IActorRef, NodeId> _links = [];

    public LinkDoor(LinkTools tools)
    {
        (_tools, _rate) = (tools, new AdmissionRate(tools.Links.HellosPerSecond, tools.Links.HellosPerSecond));

        Receive<Hello>(Handle);
        Receive<Terminated>(Handle);
        Receive<PartLinks>(Handle);
    }

    public static Props Props(LinkTools tools) => Akka.Actor.Props.Create(() => new LinkDoor(tools));

    // A link holds nothing that a restart could save: the node comes in anew.
    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    private void Handle(Hello hello)
    {
        _tools.Load.Took();
        var now = _tools.Clock.GetUtcNow();
        if (LinkChecks.Problem(hello) is { } problem)
        {
            if (MayTell(now))
                _log.Warning("Hello from {Sender} is malformed: {Problem}", Sender.Path, problem);
            return;
        }

        var host = PeerIdentity.Of(hello.NodeId).LogicalHost;
        if (Sender.Path.Address.Host != host)
        {
            // No answer: it would go to whoever that sender names.
            if (MayTell(now))
                _log.Warning("Hello for node {NodeId} came from {Sender} and is ignored", hello.NodeId, Sender.Path);
            return;
        }

        if (hello.Protocol is not (Hello.CurrentProtocol or Hello.CurrentProtocol - 1))
        {
            Refuse(RefusalCode.UnsupportedVersion, $"this headquarters speaks link protocol {Hello.CurrentProtocol}, the node {hello.Protocol}; update the older one", Spread(UpgradeWait));
            return;
        }

        if (_visitors.Count >= MaximumRemembered)
            ForgetUnlinked();
        if (!_visitors.TryGetValue(hello.NodeId, out var visitor))
            visitor = _visitors[hello.NodeId] = new Visitor(new AdmissionRate(HellosPerNodeAndSecond, HelloBurstPerNode), null, hello.Incarnation, "", DateTimeOffset.MinValue, TurnedAway: false);
        // The node's own limit first: one that comes in over and over takes nobody's turn.
        if (visitor.Rate.Wait(now, Random.Shared.NextDouble()) is { } ownWait)
        {
            RefuseBusy(ownWait);
            return;
        }

        if (WaitOfAll(now, visitor.TurnedAway) is { } wait)
        {
            _visitors[hello.NodeId] = visitor with { TurnedAway = true };
            RefuseBusy(wait);
            return;
        }

        visitor = _visitors[hello.NodeId] = visitor with { TurnedAway = false };

        if (hello.Incarnation == visitor.Replaced && visitor.Link is not null)
        {
            // A process that another took the place of, and that still runs: taking turns, they would end each other's link for ever.
            if (MayTell(now))
                _log.Warning(OfficeLinks.RunsTwiceInLog, hello.NodeId);
            Refuse(RefusalCode.Clone, OfficeLinks.RunsTwice, Spread(CloneWait));
            return;
        }

        if (_tools.CertificateSerial(host) is not { } serial)
        {
            // The connection broke behind the Hello: nobody is there to be answered.
            return;
        }

        visitor.Link?.Tell(new Replaced());
        var link = Context.ActorOf(OfficeLink.Props(hello, serial, Sender, _tools), LinkTools.NewSecret());
        Context.Watch(link);
        _links[link] = hello.NodeId;
        _visitors[hello.NodeId] = visitor with
        {
            Link = link,
            Incarnation = hello.Incarnation,
            Replaced = hello.Incarnation == visitor.Incarnation ? visitor.Replaced : visitor.Incarnation,
        };
    }

    private void Handle(PartLinks part)
    {
        var now = _tools.Clock.GetUtcNow();
        var meant = _visitors.Where(v => v.Value.Link is not null && (part.Which is not { } which || (which(v.Key) && now - v.Value.Sent >= SentAgainAfter))).ToList();
        foreach (var (node, visitor) in meant.Take(part.Most))
        {
            visitor.Link.Tell(new PartElsewhere(part.Reason));
            _visitors[node] = visitor with { Sent = now };
        }

        Sender.Tell(new LinksLeft(meant.Count));
    }

    private TimeSpan? WaitOfAll(DateTimeOffset now, bool again)
    {
        _rate.PerSecond = _tools.Load.AdmittedPerSecond;
        var chance = Random.Shared.NextDouble();
        return _tools.Load.IsFull ? _rate.Refuse(now, chance, again) : _rate.Wait(now, chance, again);
    }

    // One line a minute about each node: a flood of bad Hellos is told once.
    private bool MayTell(DateTimeOffset now) => _told.Wait(Sender.Path.Address.Host ?? "", now, chance: 0) is null;

    private void Handle(Terminated gone)
    {
        // Who was seen stays remembered, so that coming and going does not void the rate. A link that was replaced is no longer the visitor's.
        if (_links.Remove(gone.ActorRef, out var node) && _visitors.TryGetValue(node, out var visitor) && gone.ActorRef.Equals(visitor.Link))
            _visitors[node] = visitor with { Link = null };
    }

    private void ForgetUnlinked()
    {
        foreach (var node in _visitors.Where(v => v.Value.Link is null).Select(v => v.Key).ToList())
            _visitors.Remove(node);
    }

    private void RefuseBusy(TimeSpan wait) => Refuse(RefusalCode.Busy, "many are coming in just now", wait);

    private void Refuse(RefusalCode code, string detail, TimeSpan retryAfter)
    {
        _tools.Meter.NotWelcomed(code);
        Sender.Tell(new NotWelcome(code, detail, retryAfter));
    }

    /// <summary>Those who are told to wait do not all come back at once.</summary>
    internal static TimeSpan Spread(TimeSpan wait) => wait * (0.5 + Random.Shared.NextDouble());

    /// <param name="Incarnation">The process that came in last.</param>
    /// <param name="Replaced">The process before that; empty where there was none.</param>
    /// <param name="Sent">When it was last sent to another headquarters node.</param>
    /// <param name="TurnedAway">It was told to wait for its turn.</param>
    private sealed record Visitor(AdmissionRate Rate, IActorRef? Link, string Incarnation, string Replaced, DateTimeOffset Sent, bool TurnedAway);
}
