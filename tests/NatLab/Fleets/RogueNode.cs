using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Identity;
using Fleet.Device.Enrolment;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Fleets;

/// <summary>
/// An office node in hostile hands: truly enrolled, with a valid certificate, but with an actor system of its own that has none of Fleet's restraints.
/// </summary>
internal sealed class RogueNode : IAsyncDisposable
{
    private const string Headquarters = "akka.tls://edge@headquarters.fleet:13001";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly IByteNetwork _network;
    private readonly string _link;
    private readonly X509Certificate2 _certificate;
    private readonly PeerTrust _trust;
    private readonly List<ActorSystem> _systems = [];

    private RogueNode(IByteNetwork network, string link, NodeId node, X509Certificate2 certificate, PeerTrust trust) =>
        (_network, _link, Node, _certificate, _trust) = (network, link, node, certificate, trust);

    public NodeId Node { get; }

    /// <summary>Enrols as an ordinary node would.</summary>
    public static async Task<RogueNode> Join(IByteNetwork network, string agents, string link, string token, string name)
    {
        if (!JoinToken.TryParse(token, out var join, out var problem))
            throw new LabException(problem);
        var pending = PendingEnrolment.Begin(join, JoinKind.Node, name, machine: new byte[32], new Reach([], [agents], GatewayOnly: false));
        var outcome = await new EnrolmentClient(network.Connect, DeviceOptions.Default, TimeProvider.System).Enrol(pending, CancellationToken.None).ConfigureAwait(false);
        if (outcome is not EnrolmentOutcome.Accepted accepted)
            throw new LabException($"the rogue could not enrol: {outcome}");
        var key = pending.Key with { Certificate = accepted.Reply.CertificateChain[0].ToByteArray() };
        var authority = X509CertificateLoader.LoadCertificate(accepted.Reply.CertificateChain[^1].ToByteArray());
        return new RogueNode(network, link, new NodeId(accepted.Reply.Id), key.ForTls(), new PeerTrust(authority, TimeProvider.System, PeerTrust.FieldTolerance));
    }

    /// <summary>An actor system that claims to be this host; only the certificate is the rogue's own.</summary>
    public RogueVoice SpeakAs(string logicalHost)
    {
        var setup = new LinkTransportSetup(_network, logicalHost, () => _certificate, _trust, (_, _) => null, ListenAt: null, host => host == PeerIdentity.HeadquartersHost ? [LinkWay.Direct(_network, _link)] : null);
        // The cluster's settings are those without hardening: this side may send what it likes.
        var config = ConfigurationFactory.ParseString("""
            akka.actor.provider = remote
            akka.remote.fleet-link.announced-port = 1
            akka.loglevel = OFF
            akka.stdout-loglevel = OFF
            """).WithFallback(LinkHocon.Cluster(new LinkOptions(
            PingInterval: Patience, Lease: Patience * 3, MinBackoff: Patience, MaxBackoff: Patience, ConnectTimeout: Patience,
            MaximumFrame: 262144, MaximumUnsent: 4194304, MaximumHandshakes: 16)));
        var system = ActorSystem.Create("office", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config), setup));
        _systems.Add(system);
        return new RogueVoice(system);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var system in _systems)
            await system.Terminate().ConfigureAwait(false);
        _certificate.Dispose();
    }

    /// <summary>Speaks to headquarters' edge system and hears what comes back.</summary>
    internal sealed class RogueVoice
    {
        private readonly Channel<(object Message, IActorRef Sender)> _heard = Channel.CreateUnbounded<(object, IActorRef)>();
        private readonly IActorRef _ear;

        public RogueVoice(ActorSystem system)
        {
            System = system;
            _ear = system.ActorOf(Props.Create(() => new Ear(_heard.Writer)), "ear");
        }

        public ActorSystem System { get; }

        public ActorSelection At(string path) => System.ActorSelection(Headquarters + path);

        public ActorSelection Door => At(LinkHocon.DoorPath);

        public void Tell(ICanTell whom, object message) => whom.Tell(message, _ear);

        /// <summary>The first answer of a kind to a message; null where none comes.</summary>
        public async Task<(T Message, IActorRef Sender)?> Ask<T>(ICanTell whom, object message)
        {
            Tell(whom, message);
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                while (true)
                {
                    var (heard, sender) = await _heard.Reader.ReadAsync(patience.Token).ConfigureAwait(false);
                    if (heard is T answer)
                        return (answer, sender);
                }
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }

        public Hello Hello(NodeId node) => new(node, Fleet.Messages.Link.Hello.CurrentProtocol, "0.1.0", Guid.NewGuid().ToString("N"), DateTimeOffset.UtcNow);
    }

    private sealed class Ear : UntypedActor
    {
        private readonly ChannelWriter<(object, IActorRef)> _heard;

        public Ear(ChannelWriter<(object, IActorRef)> heard) => _heard = heard;

        protected override void OnReceive(object message) => _heard.TryWrite((message, Sender));
    }
}
