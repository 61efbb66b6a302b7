using Akka.Actor;
using Akka.Remote;
using Fleet.Contracts.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;

namespace Fleet.Office.Link;

/// <summary>What an end of the link heard or saw.</summary>
internal sealed record FromLink(int Generation, object Message, IActorRef Sender);

/// <summary>HqLink → end: ask the door.</summary>
internal sealed record ToDoor(Hello Hello);

/// <summary>HqLink → end: to the link's actor at headquarters.</summary>
internal sealed record ToLink(IActorRef Link, IEpochMessage Message);

/// <summary>End → HqLink: headquarters could not be connected to.</summary>
internal sealed record DialFailed(string Reason);

/// <summary>End → HqLink: a connection to headquarters ended.</summary>
internal sealed record ConnectionEnded;

/// <summary>End → HqLink: this actor system can't talk to headquarters' any more.</summary>
internal sealed record Quarantined(string Reason);

/// <summary>
/// The one actor of a link system: headquarters' answers come to it, and it speaks for <see cref="HqLink"/>, which lives in the node's own system.
/// Decides nothing; stops with its system.
/// </summary>
internal sealed class LinkEnd : ReceiveActor
{
    private readonly IActorRef _owner;
    private readonly int _generation;
    private readonly ActorSelection _door = Context.ActorSelection(
        $"akka.{LinkTransport.Scheme}://edge@{PeerIdentity.HeadquartersHost}:{LinkHocon.EdgePort}{LinkHocon.DoorPath}");

    public LinkEnd(IActorRef owner, int generation)
    {
        (_owner, _generation) = (owner, generation);

        Receive<ToDoor>(to => _door.Tell(to.Hello));
        Receive<ToLink>(to => to.Link.Tell(to.Message));
        Receive<ILinkMessage>(Pass);
        Receive<AssociationErrorEvent>(failed => !failed.IsInbound, failed => Pass(new DialFailed(Innermost(failed.Cause))));
        Receive<DisassociatedEvent>(_ => Pass(new ConnectionEnded()));
        Receive<ThisActorSystemQuarantinedEvent>(_ => Pass(new Quarantined("headquarters quarantined this actor system")));
        Receive<QuarantinedEvent>(_ => Pass(new Quarantined("this actor system quarantined headquarters'")));
    }

    public static Props Props(IActorRef owner, int generation) => Akka.Actor.Props.Create(() => new LinkEnd(owner, generation));

    protected override void PreStart()
    {
        foreach (var type in new[] { typeof(AssociationErrorEvent), typeof(DisassociatedEvent), typeof(ThisActorSystemQuarantinedEvent), typeof(QuarantinedEvent) })
            Context.System.EventStream.Subscribe(Self, type);
    }

    private void Pass(object message) => _owner.Tell(new FromLink(_generation, message, Sender));

    private static string Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner)
            fault = inner;
        return fault.Message;
    }
}
