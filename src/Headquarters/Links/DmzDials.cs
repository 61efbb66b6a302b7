using Akka.Actor;
using Fleet.Headquarters.Offices;

namespace Fleet.Headquarters.Links;

/// <summary>Dials the nodes that an administrator put into a DMZ, one child a node, and nobody else. Lives as long as headquarters' process.</summary>
internal sealed class DmzDials : ReceiveActor
{
    public DmzDials(DmzTools tools)
    {
        Receive<DialNode>(dial =>
        {
            var name = dial.NodeId.Value;
            if (Context.Child(name) is var child && !child.IsNobody())
                child.Tell(dial);
            else if (dial.Address is not null)
                Context.ActorOf(DmzDial.Props(dial, tools), name);
        });
    }

    public static Props Props(DmzTools tools) => Akka.Actor.Props.Create(() => new DmzDials(tools));

    protected override void PreStart() => Context.System.EventStream.Subscribe(Self, typeof(DialNode));
}
