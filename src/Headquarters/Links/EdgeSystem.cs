using System.Net;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Fleet.Messages.Transport;
using LinkOptions = Fleet.Messages.Transport.LinkOptions;

namespace Fleet.Headquarters.Links;

/// <summary>
/// Headquarters' untrusted actor system <c>edge</c>, the one that office nodes dial. Takes certificates of office nodes alone, dials nobody, and
/// shows its peers the door and their own link. Passes immutable messages to the cluster system by local Tell, never references.
/// </summary>
public sealed class EdgeSystem : IAsyncDisposable
{
    private const string Name = "edge";

    private readonly Admission _admission;
    private readonly IActorRef _door;

    private EdgeSystem(ActorSystem system, LinkTools tools, Admission admission)
    {
        (System, _admission) = (system, admission);
        _door = system.ActorOf(LinkDoor.Props(tools), LinkHocon.DoorPath["/user/".Length..]);
        admission.Removed += Drop;
    }

    public ActorSystem System { get; }

    /// <summary>Where nodes dial.</summary>
    public IPEndPoint ListensAt => LinkTransport.Of(System).ListensAt!;

    /// <param name="akka">Settings for the process's logging; the link's own win.</param>
    /// <param name="sessions">The cluster system's <see cref="LinkSessions"/>.</param>
    /// <exception cref="IOException">The port can't be listened on.</exception>
    public static EdgeSystem Start(
        LinksOptions links, LinkOptions link, Config akka, IByteNetwork network, CertificateAuthority authority, Admission admission, IActorRef sessions, TimeProvider clock)
    {
        var setup = new LinkTransportSetup(
            network,
            PeerIdentity.HeadquartersHost,
            authority.Own,
            authority.Trust,
            (peer, certificate) => Refusal(admission, peer, certificate),
            new IPEndPoint(links.Bind, links.Port),
            _ => null,
            [LinkHocon.DoorPath]);
        try
        {
            var system = ActorSystem.Create(Name, ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(LinkHocon.Edge(link).WithFallback(akka)), setup));
            return new EdgeSystem(system, new LinkTools(links, link, sessions, LinkTransport.Of(system).CertificateSerial, clock), admission);
        }
        catch (Exception fault) when (fault.GetBaseException() is IOException port)
        {
            // Akka wraps what the transport says.
            throw new IOException($"the link can't listen: {port.Message}; set fleet.links.port to another", fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _admission.Removed -= Drop;
        await System.Terminate();
    }

    private static string? Refusal(Admission admission, PeerIdentity peer, X509Certificate2 certificate) =>
        peer.Kind == PeerKind.Node ? admission.Refusal(peer, certificate) : "only office nodes link here";

    private void Drop(PeerIdentity removed)
    {
        if (removed.Kind != PeerKind.Node)
            return;
        _door.Tell(new EndLink(new NodeId(removed.Id), "the node was removed"));
        LinkTransport.Of(System).Abort(removed.LogicalHost);
    }
}
