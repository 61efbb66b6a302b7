using Akka.Actor;
using Fleet.Gateway;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

/// <summary>What a poller is made of.</summary>
/// <param name="Methods">The ways of looking that this node has.</param>
/// <param name="OpenPassword">Reads a password that headquarters sealed for this node.</param>
public sealed record PollerSetup(
    DiscoveryOptions Options,
    IReadOnlyDictionary<PollMethod, IPollMethod> Methods,
    Func<ReadOnlyMemory<byte>, string> OpenPassword,
    TimeProvider Clock);

/// <summary>
/// Polls the office's network while headquarters says, in this epoch, that this node is the one to do it. Owns the pace that all polls share. Child of the
/// OfficeActor; parent of a MethodPoller for each method; lives as long as the node.
/// </summary>
public sealed class PollerActor : ReceiveActor
{
    private const string NotThePoller = "this node is not the office's poller";

    private readonly PollerSetup _setup;
    private readonly IActorRef _relay;
    private readonly Pace _pace;
    private readonly Dictionary<PollMethod, IActorRef> _methods = [];
    private bool _polls;

    public PollerActor(PollerSetup setup, IActorRef relay)
    {
        (_setup, _relay, _pace) = (setup, relay, new Pace(1, setup.Options.Jitter, setup.Clock));

        Receive<PlanCame>(came => Obey(came.Plan, NotThePoller));
        Receive<LinkClosed>(_ => Obey(null, "the link to headquarters is down"));
        Receive<RunPoll>(Run);
        Receive<CancelPoll>(Cancel);
    }

    public static Props Props(PollerSetup setup, IActorRef relay) => Akka.Actor.Props.Create(() => new PollerActor(setup, relay));

    protected override void PreStart()
    {
        foreach (var (method, way) in _setup.Methods)
            _methods[method] = Context.ActorOf(MethodPoller.Props(method, way, _setup, _pace, _relay), Polls.Name(method));
    }

    private void Obey(PollPlan? plan, string why)
    {
        _polls = plan is not null;
        if (plan is not null)
            _pace.Be(Math.Max(1, plan.PacketsPerSecond));
        foreach (var (method, poller) in _methods)
            poller.Tell(new ScheduleCame(plan is null ? null : plan.Schedules.FirstOrDefault(s => s.Method == method) ?? ByHandOnly(method), why));
    }

    private void Run(RunPoll wanted)
    {
        if (_polls && _methods.TryGetValue(wanted.Method, out var poller))
            poller.Tell(wanted);
        else
            _relay.Tell(new SendUp([PollEnds.Refused(wanted, _polls ? $"this node can't poll by {Polls.Name(wanted.Method)}" : NotThePoller, _setup.Clock.GetUtcNow())]));
    }

    // Each method knows best what it runs, and has heard of the run before it hears of its end.
    private void Cancel(CancelPoll wanted)
    {
        if (_methods.Count == 0)
            _relay.Tell(new SendUp([PollEnds.Unknown(wanted.PollId, _setup.Clock.GetUtcNow())]));
        else
            _methods.Values.First().Tell(new CancelRun(wanted.PollId, [.. _methods.Values.Skip(1)]));
    }

    /// <summary>A method without a schedule.</summary>
    private static PollSchedule ByHandOnly(PollMethod method) => new(method, Enabled: false, TimeSpan.Zero, TimeSpan.Zero, [], AllowLarge: false, [], null, null);
}
