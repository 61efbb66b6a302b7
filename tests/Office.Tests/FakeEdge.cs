using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Actor.Setup;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.TestSupport;

namespace Fleet.Office.Tests;

/// <summary>Headquarters' edge as an office node sees it: a door and links over the real transport; what it answers is the test's to say.</summary>
internal sealed class FakeEdge : IAsyncDisposable
{
    private readonly ActorSystem _system;
    private readonly X509Certificate2 _certificate;

    private FakeEdge(ActorSystem system, X509Certificate2 certificate, Script script)
    {
        (_system, _certificate, Said) = (system, certificate, script);
        system.ActorOf(Props.Create(() => new Door(script)), "door");
    }

    public Script Said { get; }

    public IPEndPoint Local => LinkTransport.Of(_system).ListensAt!;

    public static FakeEdge Start(TestAuthority authority, LinkOptions options, Script script, int port = 0)
    {
        var certificate = authority.Issue(PeerIdentity.Headquarters);
        var transport = new LinkTransportSetup(new TcpNetwork(), PeerIdentity.HeadquartersHost, () => certificate,
            new PeerTrust(authority.Certificate, TimeProvider.System, TimeSpan.Zero), (_, shown) =>
            {
                script.Certificates.Add(shown.Thumbprint);
                return null;
            }, new IPEndPoint(IPAddress.Loopback, port), _ => null);
        return new FakeEdge(ActorSystem.Create("edge", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(LinkHocon.Edge(options)), transport)), certificate, script);
    }

    /// <summary>Ends the connection of a node without a word.</summary>
    public void Break(NodeId node) => LinkTransport.Of(_system).Abort(PeerIdentity.Of(node).LogicalHost);

    public async ValueTask DisposeAsync()
    {
        await _system.Terminate();
        _certificate.Dispose();
    }

    /// <summary>What the edge does, and what it heard. Outlives a restart of the edge.</summary>
    internal sealed class Script
    {
        private int _epochs;

        /// <summary>Pings are answered.</summary>
        public volatile bool Answers = true;

        /// <summary>Frames are stored.</summary>
        public volatile bool Stores = true;

        public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(5);

        public TimeSpan ReturnWithin { get; set; }

        /// <summary>What the owner sends down for what came up.</summary>
        public Func<IUpItem, IEnumerable<IDownItem>> Owner { get; set; } = _ => [];

        /// <summary>Sent at each announce.</summary>
        public List<IDownItem> AtAnnounce { get; } = [];

        public ConcurrentQueue<Hello> Hellos { get; } = new();

        public ConcurrentQueue<Goodbye> Goodbyes { get; } = new();

        public ConcurrentQueue<Announce> Announces { get; } = new();

        public ConcurrentQueue<UpFrame> Frames { get; } = new();

        public ConcurrentBag<string> Certificates { get; } = [];

        /// <summary>The newest link; takes <see cref="DownFrame"/> items.</summary>
        public volatile IActorRef Link = ActorRefs.Nobody;

        public IEnumerable<T> Items<T>() => Frames.SelectMany(f => f.Items).OfType<T>();

        /// <summary>The node's newest report.</summary>
        public NodeReport? Node => Items<NodeReport>().LastOrDefault() ?? Announces.LastOrDefault()?.Report;

        public void Send(params IDownItem[] items) => Link.Tell(items);

        internal string NextEpoch() => $"epoch-{Interlocked.Increment(ref _epochs)}";
    }

    private sealed class Door : ReceiveActor
    {
        public Door(Script script) => Receive<Hello>(hello =>
        {
            script.Hellos.Enqueue(hello);
            var node = Sender;
            Context.ActorOf(Props.Create(() => new Link(script, script.NextEpoch(), node)), Guid.NewGuid().ToString("n"));
        });
    }

    private sealed class Link : ReceiveActor
    {
        public Link(Script script, string epoch, IActorRef node)
        {
            script.Link = Self;
            node.Tell(new Welcome(epoch, DateTimeOffset.UtcNow, script.Lease / 3, script.Lease, 0, script.ReturnWithin));
            Receive<Ping>(_ => script.Answers, ping => node.Tell(new Pong(epoch, ping.Number, DateTimeOffset.UtcNow, script.ReturnWithin)));
            Receive<Announce>(announce =>
            {
                script.Announces.Enqueue(announce);
                Down(script.AtAnnounce);
            });
            Receive<UpFrame>(_ => script.Stores, frame =>
            {
                script.Frames.Enqueue(frame);
                node.Tell(new UpFrameStored(epoch, frame.Number));
                Down(frame.Items.SelectMany(script.Owner));
            });
            Receive<IDownItem[]>(Down);
            Receive<Goodbye>(script.Goodbyes.Enqueue);

            void Down(IEnumerable<IDownItem> items)
            {
                if (items.ToList() is { Count: > 0 } all)
                    node.Tell(new DownFrame(epoch, all));
            }
        }
    }
}
