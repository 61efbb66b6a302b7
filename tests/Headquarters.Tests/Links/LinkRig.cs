using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Links;
using Fleet.Messages.Link;
using Fleet.Messages.Log;
using Fleet.Messages.Offices;
using Fleet.Messages.Transport;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Fleet.Headquarters.Tests.Links;

/// <summary>A real edge system on a loopback port, sessions in a second system, office twins that a test plays by hand, and office nodes that dial in.</summary>
internal sealed class LinkRig : IAsyncDisposable
{
    public static readonly NodeId Leeds = new("gw1.leeds");
    public static readonly NodeId York = new("gw1.york");
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-links-").FullName;
    private readonly List<ActorSystem> _systems = [];

    public LinkRig(TimeSpan? lease = null, int hellosPerSecond = 1000, Action<object, IActorRef>? twins = null, ILoggerFactory? log = null)
    {
        Link = new LinkOptions(
            PingInterval: TimeSpan.FromSeconds(3), Lease: lease ?? TimeSpan.FromSeconds(30), MinBackoff: TimeSpan.FromMilliseconds(500), MaxBackoff: TimeSpan.FromSeconds(15),
            ConnectTimeout: TimeSpan.FromSeconds(5), MaximumFrame: 262144, MaximumUnsent: 4194304, MaximumHandshakes: 512);
        Authority = CertificateAuthority.OpenOrCreate(_directory, new IdentityOptions(TimeSpan.FromDays(30)), TimeProvider.System);
        Cluster = ActorSystem.Create("fleet");
        _systems.Add(Cluster);
        Twins = Cluster.ActorOf(Props.Create(() => new FakeTwins(TwinsGot, twins ?? FakeTwins.WelcomeAll)));
        var sessions = Cluster.ActorOf(LinkSessions.Props(Twins, TimeProvider.System), "link-sessions");
        Edge = EdgeSystem.Start(
            new LinksOptions(IPAddress.Loopback, 0, hellosPerSecond, WelcomeTimeout: TimeSpan.FromSeconds(5), FrameTimeout: TimeSpan.FromSeconds(60), PresenceEvery: TimeSpan.FromSeconds(1)),
            Link, Network, Authority, sessions, TimeProvider.System, log is null ? null : (ActorLog.Hocon(LogLevel.Debug), new ActorLogSetup(log)));
        At = Edge.ListensAt;
    }

    public LinkOptions Link { get; }

    public CountingNetwork Network { get; } = new();

    public CertificateAuthority Authority { get; }

    public EdgeSystem Edge { get; }

    /// <summary>Where the edge listens, or did.</summary>
    public IPEndPoint At { get; }

    public ActorSystem Cluster { get; }

    public IActorRef Twins { get; }

    /// <summary>What the twins were told, in order.</summary>
    public Channel<object> TwinsGot { get; } = Channel.CreateUnbounded<object>();

    public X509Certificate2 Certify(PeerIdentity identity)
    {
        using var key = KeyRequest.NewKey();
        using var leaf = X509CertificateLoader.LoadCertificate(Authority.Issue(identity, KeyRequest.For(key), 1).Chain[0].Span);
        using var whole = leaf.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>An honest office node.</summary>
    public OfficeNode Node(NodeId node, Func<X509Certificate2>? certificate = null, IByteNetwork? network = null) =>
        Start(node, certificate, network, LinkHocon.Office(Link));

    /// <summary>An attacker with the certificate of a node: Akka with nothing forbidden.</summary>
    public OfficeNode Rogue(NodeId certified, NodeId? claims = null) => Start(claims ?? certified, Lasting(Certify(PeerIdentity.Of(certified))), null, ConfigurationFactory.ParseString("""
        akka.remote.untrusted-mode = off
        akka.actor {
          serializers {
            json = "Akka.Serialization.NewtonSoftJsonSerializer, Akka"
            proto = "Akka.Remote.Serialization.ProtobufSerializer, Akka.Remote"
            daemon-create = "Akka.Remote.Serialization.DaemonMsgCreateSerializer, Akka.Remote"
            akka-system-msg = "Akka.Remote.Serialization.SystemMessageSerializer, Akka.Remote"
            akka-misc = "Akka.Remote.Serialization.MiscMessageSerializer, Akka.Remote"
          }
          serialization-settings.allow-unregistered-types = on
        }
        """).WithFallback(LinkHocon.Office(Link)));

    /// <summary>Completes when the edge system logs a warning or error with this text. Arm it before the act.</summary>
    public Task EdgeLogs(string text) => Event<LogEvent>(Edge.System, e => e.LogLevel() >= Akka.Event.LogLevel.WarningLevel && e.ToString()!.Contains(text, StringComparison.Ordinal));

    public static Task Event<T>(ActorSystem system, Func<T, bool> wanted)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = system.ActorOf(Props.Create(() => new Listener<T>(wanted, seen)));
        foreach (var type in typeof(T) == typeof(LogEvent) ? [typeof(Warning), typeof(Error)] : new[] { typeof(T) })
            system.EventStream.Subscribe(listener, type);
        return seen.Task;
    }

    /// <summary>The next message of this type that the twins get; others are passed over.</summary>
    public async Task<T> TwinsGet<T>(Func<T, bool>? wanted = null)
    {
        while (true)
            if (await TwinsGot.Reader.ReadAsync().AsTask().WaitAsync(Patience) is T got && (wanted?.Invoke(got) ?? true))
                return got;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_systems.Select(s => s.Terminate()));
        await Edge.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private OfficeNode Start(NodeId node, Func<X509Certificate2>? certificate, IByteNetwork? network, Config config)
    {
        var identity = PeerIdentity.Of(node);
        network ??= new TcpNetwork();
        var setup = new LinkTransportSetup(
            network, identity.LogicalHost, certificate ?? Lasting(Certify(identity)), Authority.Trust, (_, _) => null, null, _ => [LinkWay.Direct(network, Edge.ListensAt.ToString())]);
        var system = ActorSystem.Create("office", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config), setup));
        _systems.Add(system);
        return new OfficeNode(node, system);
    }

    private static Func<X509Certificate2> Lasting(X509Certificate2 certificate) => () => certificate;

    private sealed class Listener<T> : ReceiveActor
    {
        public Listener(Func<T, bool> wanted, TaskCompletionSource seen) => Receive<T>(e =>
        {
            if (wanted(e))
                seen.TrySetResult();
        });
    }
}

/// <summary>The shard region as a test plays it.</summary>
internal sealed class FakeTwins : ReceiveActor
{
    private readonly Func<IActorRef> _begin;
    private IActorRef _twin;

    public FakeTwins(Channel<object> got, Action<object, IActorRef> play)
    {
        _begin = () => Context.ActorOf(Props.Create(() => new Twin(got, play)));
        _twin = _begin();

        Receive<Move>(_ =>
        {
            Context.Stop(_twin);
            _twin = _begin();
        });
        ReceiveAny(message => _twin.Forward(message));
    }

    /// <summary>The twin goes, and another takes its place, as when it moves to another node.</summary>
    internal sealed record Move;

    private sealed class Twin : ReceiveActor
    {
        public Twin(Channel<object> got, Action<object, IActorRef> play) => ReceiveAny(message =>
        {
            got.Writer.TryWrite(message);
            play(message, Sender);
        });
    }

    /// <summary>Knows every node and journals every frame.</summary>
    public static void WelcomeAll(object message, IActorRef session)
    {
        if (message is LinkNode link)
            session.Tell(new NodeWelcomed(link.NodeId, link.Epoch, 0));
        if (message is TakeFrame take)
            session.Tell(new FrameTaken(take.Frame.Epoch, take.Frame.Number));
    }
}

/// <summary>Counts who was dialled.</summary>
internal sealed class CountingNetwork : IByteNetwork
{
    private readonly TcpNetwork _tcp = new();

    public int Dials { get; private set; }

    public Task<Stream> Connect(string address, CancellationToken cancellation)
    {
        Dials++;
        return _tcp.Connect(address, cancellation);
    }

    public IByteListener Listen(IPEndPoint at) => _tcp.Listen(at);
}

/// <summary>An office node's actor system with one actor that hears everything.</summary>
internal sealed class OfficeNode
{
    private readonly Channel<(object Message, IActorRef Sender)> _heard = Channel.CreateUnbounded<(object, IActorRef)>();

    public OfficeNode(NodeId id, ActorSystem system)
    {
        (Id, System) = (id, system);
        Ear = system.ActorOf(Props.Create(() => new Listening(_heard)), "hq-link");
    }

    public NodeId Id { get; }

    public ActorSystem System { get; }

    public IActorRef Ear { get; }

    public string Host => PeerIdentity.Of(Id).LogicalHost;

    public static string EdgePath(string path) => $"akka.tls://edge@{PeerIdentity.HeadquartersHost}:{LinkHocon.EdgePort}{path}";

    public ActorSelection Door => System.ActorSelection(EdgePath(LinkHocon.DoorPath));

    /// <summary>A reference made up from a path, as an attacker does.</summary>
    public IActorRef Crafted(string address) => ((ExtendedActorSystem)System).Provider.ResolveActorRef(address);

    public void SayHello(NodeId? claims = null, string incarnation = "run-1") =>
        Door.Tell(new Hello(claims ?? Id, Hello.CurrentProtocol, "0.1.0", incarnation, DateTimeOffset.UtcNow), Ear);

    /// <summary>Says hello until welcomed.</summary>
    public Task<(Welcome Welcome, IActorRef Link)> ComeIn(string incarnation = "run-1") => SayHelloUntil<Welcome>(incarnation);

    /// <summary>Says hello until this is the answer: while Akka's gate is shut, messages are dropped. Where one was only late, the last answer counts: the link before it is replaced.</summary>
    public async Task<(T Message, IActorRef Sender)> SayHelloUntil<T>(string incarnation = "run-1")
    {
        for (var hellos = 1; hellos <= 10; hellos++)
        {
            SayHello(incarnation: incarnation);
            if (await Heard<T>() is not { } answer)
                continue;
            for (var late = hellos - 1; late > 0 && await Heard<T>() is { } newer; late--)
                answer = newer;
            return answer;
        }

        throw new TimeoutException($"{Id} said hello and heard no {typeof(T).Name}");
    }

    /// <summary>The next message of this type; others are passed over.</summary>
    public async Task<(T Message, IActorRef Sender)> Hears<T>(TimeSpan? within = null)
    {
        using var patience = new CancellationTokenSource(within ?? LinkRig.Patience);
        try
        {
            while (true)
                if (await _heard.Reader.ReadAsync(patience.Token) is (T message, var sender))
                    return (message, sender);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Id} did not hear a {typeof(T).Name}");
        }
    }

    private async Task<(T Message, IActorRef Sender)?> Heard<T>()
    {
        try
        {
            return await Hears<T>(TimeSpan.FromSeconds(2));
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private sealed class Listening : ReceiveActor
    {
        public Listening(Channel<(object, IActorRef)> heard) => ReceiveAny(message => heard.Writer.TryWrite((message, Sender)));
    }
}
