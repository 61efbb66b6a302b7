using System.Net;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Monitoring;
using Fleet.Messages.Admission;
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

    private static readonly TimeSpan PartEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(5);

    private readonly IActorRef _door;
    private readonly DoorLoad _load;
    private volatile bool _draining;

    private EdgeSystem(ActorSystem system, LinkTools tools)
    {
        (System, _load) = (system, tools.Load);
        _door = system.ActorOf(LinkDoor.Props(tools), LinkHocon.DoorPath["/user/".Length..]);
    }

    public ActorSystem System { get; }

    /// <summary>Where nodes dial.</summary>
    public IPEndPoint ListensAt => LinkTransport.Of(System).ListensAt!;

    /// <param name="sessions">The cluster system's <see cref="LinkSessions"/>.</param>
    /// <param name="log">Where the system's log goes: settings, and what settings can't carry.</param>
    /// <exception cref="IOException">The port can't be listened on; the message names the setting.</exception>
    public static EdgeSystem Start(
        LinksOptions links, LinkOptions link, IByteNetwork network, CertificateAuthority authority, IActorRef sessions, TimeProvider clock, (Config Config, Setup Setup)? log = null, HeadquartersMeter? meter = null)
    {
        var transport = new LinkTransportSetup(
            network,
            PeerIdentity.HeadquartersHost,
            authority.Own,
            authority.Trust,
            // Whether the node still belongs to its office is the office twin's to say, with a reason that the node can show.
            (peer, _) => peer.Kind == PeerKind.Node ? null : "only office nodes link here",
            new IPEndPoint(links.Bind, links.Port),
            _ => null,
            [LinkHocon.DoorPath]);
        var config = LinkHocon.Edge(link);
        Setup[] setups = log is { } given
            ? [BootstrapSetup.Create().WithConfig(given.Config.WithFallback(config)), transport, given.Setup]
            : [BootstrapSetup.Create().WithConfig(config), transport];
        try
        {
            var system = ActorSystem.Create(Name, ActorSystemSetup.Create(setups));
            var wire = LinkTransport.Of(system);
            return new EdgeSystem(system, new LinkTools(links, link, sessions, wire.CertificateSerial, wire.Abort, new DoorLoad(links.HellosPerSecond, new LoadMeter(clock), clock), clock) { Meter = meter ?? HeadquartersMeter.Unheard });
        }
        catch (Exception fault) when (fault.GetBaseException() is IOException port)
        {
            // Akka wraps what the transport says.
            throw new IOException($"the link can't listen: {port.Message}; set fleet.links.port or fleet.links.bind to another", fault);
        }
    }

    /// <summary>Office nodes that are linked here.</summary>
    public int Links => _load.Linked;

    /// <summary>Whether it takes more of them.</summary>
    public bool IsOpen => !_draining && !System.WhenTerminated.IsCompleted && LinkTransport.Of(System).ListensAt is not null;

    internal DoorLoad Load => _load;

    /// <summary>The share of this machine's processors that the process uses, from 0 to 1.</summary>
    public double Processors => _load.Processors;

    /// <summary>Takes no more office nodes and sends those that are here to other headquarters nodes, spread over a while.</summary>
    /// <param name="within">Who is left then ends with the process.</param>
    public async Task Drain(TimeSpan within, CancellationToken cancellation)
    {
        _draining = true;
        await LinkTransport.Of(System).StopListening();
        var share = (int)Math.Ceiling(Links * (PartEvery / within));
        for (var passed = TimeSpan.Zero; passed < within && await Part(share, "this headquarters node stops", null) > 0; passed += PartEvery)
            await Task.Delay(PartEvery, cancellation);
    }

    /// <summary>Sends some of the nodes that are linked here to other headquarters nodes.</summary>
    /// <returns>How many of those that are meant were here before.</returns>
    internal async Task<int> Part(int most, string reason, Predicate<NodeId>? which) =>
        (await _door.Ask<LinksLeft>(new PartLinks(most, reason, which), AskTimeout)).Count;

    /// <summary>What dials nodes in a DMZ and hands their streams to this system.</summary>
    internal DmzTools DmzTools(IByteNetwork network, CertificateAuthority authority, IActorRef offices, LinkOptions link, TimeProvider clock) => new(
        network, new Passages(authority.Own, authority.Trust, peer => peer.Kind == PeerKind.Node ? null : "no office node"), LinkTransport.Of(System).Serve, offices, link, clock);

    public async ValueTask DisposeAsync() => await System.Terminate();
}
