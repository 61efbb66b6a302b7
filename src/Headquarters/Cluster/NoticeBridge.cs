using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Cluster;

namespace Fleet.Headquarters.Cluster;

/// <summary>
/// Carries notices (<see cref="IClusterNotice"/>) from one headquarters node's event stream to those of the others. Routes, decides nothing; a notice that
/// is lost costs no more than its subscribers' next question. One a node, where there are several; lives as long as the system.
/// </summary>
internal sealed class NoticeBridge : ReceiveActor, IWithTimers
{
    private const string Topic = "notices";
    private static readonly TimeSpan AdvancesEvery = TimeSpan.FromSeconds(5);

    private readonly ProjectionProgress _progress;
    private readonly IActorRef _mediator = DistributedPubSub.Get(Context.System).Mediator;

    /// <summary>What came from another node and passes through this node's event stream: it does not go out again.</summary>
    private readonly HashSet<object> _foreign = new(ReferenceEqualityComparer.Instance);

    public NoticeBridge(ProjectionProgress progress)
    {
        _progress = progress;

        Receive<IClusterNotice>(_ => Sender.Equals(Self), _ => { });
        Receive<ProjectionAdvanced>(advanced => _progress.Heard(advanced.Reached));
        Receive<IClusterNotice>(_ => IsFromOther, TellHere);
        Receive<IClusterNotice>(TellOthers);
        Receive<TellAdvances>(_ => Advance());
        Receive<SubscribeAck>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(ProjectionProgress progress) => Akka.Actor.Props.Create(() => new NoticeBridge(progress));

    // Another node's bridge; the event stream has no sender.
    private bool IsFromOther => Sender.Path.Name == Self.Path.Name && Sender.Path.Address.HasGlobalScope;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(IClusterNotice));
        _mediator.Tell(new Subscribe(Topic, Self));
        Timers.StartPeriodicTimer(nameof(TellAdvances), TellAdvances.Instance, AdvancesEvery);
    }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    private void TellHere(IClusterNotice notice)
    {
        _foreign.Add(notice);
        Context.System.EventStream.Publish(notice);
    }

    private void TellOthers(IClusterNotice notice)
    {
        if (!_foreign.Remove(notice))
            _mediator.Tell(new Publish(Topic, notice));
    }

    private void Advance()
    {
        if (_progress.TakeUntold() is { Count: > 0 } reached)
            _mediator.Tell(new Publish(Topic, new ProjectionAdvanced(reached)));
    }

    private sealed record TellAdvances
    {
        public static TellAdvances Instance { get; } = new();
    }
}
