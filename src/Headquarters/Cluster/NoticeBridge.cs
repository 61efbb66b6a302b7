using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Fleet.Messages.Cluster;

namespace Fleet.Headquarters.Cluster;

/// <summary>
/// Carries notices (<see cref="IClusterNotice"/>) from one headquarters node's event stream to those of the others. Routes, decides nothing; a notice that
/// is lost costs no more than its subscribers' next question. One a node, where there are several; lives as long as the system.
/// </summary>
internal sealed class NoticeBridge : ReceiveActor
{
    private const string Topic = "notices";

    private readonly IActorRef _mediator = DistributedPubSub.Get(Context.System).Mediator;

    public NoticeBridge()
    {
        // What it said itself: to the other nodes, or, of theirs, on this node's event stream.
        Receive<IClusterNotice>(_ => Sender.Equals(Self), _ => { });
        Receive<IClusterNotice>(_ => IsFromOther, Context.System.EventStream.Publish);
        Receive<IClusterNotice>(notice => _mediator.Tell(new Publish(Topic, notice)));
        Receive<SubscribeAck>(_ => { });
    }

    public static Props Props() => Akka.Actor.Props.Create(() => new NoticeBridge());

    // Another node's bridge; on this node's event stream the sender is whoever published.
    private bool IsFromOther => Sender.Path.Name == Self.Path.Name && Sender.Path.Address.HasGlobalScope;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(IClusterNotice));
        _mediator.Tell(new Subscribe(Topic, Self));
    }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);
}
