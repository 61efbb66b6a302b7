using Akka.Actor;
using Akka.Actor.Setup;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Log;
using Fleet.Messages.Transport;
using Fleet.Office.Identity;
using Fleet.Office.Passing;
using Microsoft.Extensions.Logging;

namespace Fleet.Office.Link;

/// <summary>
/// Makes the actor system that speaks with headquarters. It is apart from the node's own: Akka.Remote can end in a state that only a new system leaves
/// (quarantine), and gateway, outbox and roles must not notice when that happens.
/// </summary>
public sealed class LinkSystemFactory(
    OfficeOptions options, HeadquartersWays ways, NodeId node, NodeCredentials credentials, IByteNetwork network, ILoggerFactory logging) : IAsyncDisposable
{
    private static readonly TimeSpan PartingTime = TimeSpan.FromSeconds(2);

    private readonly List<LinkSystem> _running = [];

    /// <summary>Starts one; what it hears goes to the owner as <see cref="FromLink"/>.</summary>
    /// <param name="generation">Marks what it says, so that a late word of the one before can be told.</param>
    internal LinkSystem Start(IActorRef owner, int generation)
    {
        var transport = new LinkTransportSetup(network, PeerIdentity.Of(node).LogicalHost, () => credentials.Certificate, credentials.Trust,
            Admit: (peer, _) => peer.Kind == PeerKind.Headquarters ? null : $"{peer} is not headquarters",
            ListenAt: null,
            Dial: host => host == PeerIdentity.HeadquartersHost ? ways.Of([node.Value]) : null);
        var setup = ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(options.All.WithFallback(ActorLog.Hocon(options.Log.Level)).WithFallback(LinkHocon.Office(options.Link))),
            transport,
            new ActorLogSetup(logging));
        var system = ActorSystem.Create("office", setup);
        var link = new LinkSystem(system, system.ActorOf(LinkEnd.Props(owner, generation), "link"), generation);
        lock (_running)
            _running.Add(link);
        return link;
    }

    /// <summary>Ends one; <see cref="DisposeAsync"/> waits for it if need be.</summary>
    internal async Task Stop(LinkSystem link)
    {
        // What its end was told before, a goodbye, leaves first.
        await link.End.GracefulStop(PartingTime);
        await link.System.Terminate();
        lock (_running)
            _running.Remove(link);
    }

    public async ValueTask DisposeAsync()
    {
        List<LinkSystem> running;
        lock (_running)
            running = [.. _running];
        await Task.WhenAll(running.Select(Stop));
    }
}

/// <param name="End">The actor that headquarters answers.</param>
internal sealed record LinkSystem(ActorSystem System, IActorRef End, int Generation)
{
    /// <summary>Ends the connection to headquarters; the next message dials anew.</summary>
    public void Abort() => LinkTransport.Of(System).Abort(PeerIdentity.HeadquartersHost);
}
