using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Fleet.Contracts.Identity;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Links;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.Messages.Transport;
using Fleet.TestSupport;

namespace Fleet.Headquarters.Tests.Links;

/// <summary>The hard rules of the link: what an attacker with a genuine certificate of one office node can't do.</summary>
public sealed class RogueTests
{
    [Fact]
    public async Task It_can_not_announce_the_name_of_another_node()
    {
        await using var rig = new LinkRig();
        var refused = rig.EdgeLogs("claims to be gw1.york.office");

        rig.Rogue(LinkRig.Leeds, claims: LinkRig.York).SayHello();

        await refused.WaitAsync(LinkRig.Patience);
        Assert.False(rig.TwinsGot.Reader.TryRead(out _));
    }

    [Fact]
    public async Task It_can_not_say_hello_for_another_node()
    {
        await using var rig = new LinkRig();
        var ignored = rig.EdgeLogs("Hello for node gw1.york came from");

        rig.Rogue(LinkRig.Leeds).SayHello(claims: LinkRig.York);

        await ignored.WaitAsync(LinkRig.Patience);
        Assert.False(rig.TwinsGot.Reader.TryRead(out _));
    }

    [Fact]
    public async Task It_can_not_put_the_name_of_another_node_on_its_messages()
    {
        await using var rig = new LinkRig();
        var rogue = rig.Rogue(LinkRig.Leeds);
        var dropped = rig.EdgeLogs("spoke as akka.tls://office@gw1.york.office:1/user/hq-link");
        var forged = rogue.Crafted("akka.tls://office@gw1.york.office:1/user/hq-link");

        rogue.Door.Tell(new Hello(LinkRig.York, Hello.CurrentProtocol, "0.1.0", "run-1", DateTimeOffset.UtcNow), forged);

        await dropped.WaitAsync(LinkRig.Patience);
        Assert.False(rig.TwinsGot.Reader.TryRead(out _));
    }

    [Fact]
    public async Task A_flood_of_its_hellos_forged_malformed_and_its_own_costs_the_others_nothing()
    {
        using var log = new CaughtLog();
        await using var rig = new LinkRig(hellosPerSecond: 20, log: log);
        var rogue = rig.Rogue(LinkRig.Leeds);
        await rogue.ComeIn();
        var malformed = new Hello(LinkRig.Leeds, Hello.CurrentProtocol, null!, "run-1", DateTimeOffset.UtcNow);
        for (var i = 0; i < 5000; i++)
        {
            rogue.Door.Tell(malformed, rogue.Ear);
            rogue.SayHello(claims: LinkRig.York);
            rogue.SayHello();
        }

        var began = Stopwatch.StartNew();
        var york = rig.Node(LinkRig.York);
        await york.ComeIn();
        var took = began.Elapsed;
        await rogue.Hears<NotWelcome>();

        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        // Its own links: a burst of five, and one a second; a second warning a minute at most.
        var links = 0;
        while (rig.TwinsGot.Reader.TryRead(out var got))
            links += got is LinkNode { NodeId: var node } && node == LinkRig.Leeds ? 1 : 0;
        Assert.InRange(links, 1, 20);
        Assert.InRange(log.Lines.Count(l => l.Text.Contains("is malformed", StringComparison.Ordinal) || l.Text.Contains("came from", StringComparison.Ordinal)), 1, 2);
    }

    [Fact]
    public async Task It_can_not_use_the_link_of_another_node_even_if_it_knew_its_name_and_epoch()
    {
        await using var rig = new LinkRig();
        var york = rig.Node(LinkRig.York);
        var (welcome, link) = await york.ComeIn();
        var rogue = rig.Rogue(LinkRig.Leeds);
        var ignored = rig.EdgeLogs("Link of node gw1.york ignores messages from");
        var stolen = rogue.Crafted(OfficeNode.EdgePath("/" + string.Join('/', link.Path.Elements)));

        stolen.Tell(new UpFrame(welcome.Epoch, 1, []), rogue.Ear);
        stolen.Tell(new Goodbye(welcome.Epoch, "so long"), rogue.Ear);

        await ignored.WaitAsync(LinkRig.Patience);
        link.Tell(new Ping(welcome.Epoch, 3), york.Ear);
        Assert.Equal(3ul, (await york.Hears<Pong>()).Message.Number);
        await rig.TwinsGet<LinkNode>();
        Assert.False(rig.TwinsGot.Reader.TryRead(out _));
    }

    [Theory]
    [InlineData("/user/victim")]
    [InlineData("/user")]
    [InlineData("/system/endpointManager")]
    [InlineData("/user/door/../victim")]
    [InlineData("/remote")]
    public async Task It_can_not_reach_another_path_by_a_crafted_reference(string path)
    {
        await using var rig = new LinkRig();
        var heard = Victim(rig);
        var rogue = rig.Rogue(LinkRig.Leeds);
        var dropped = rig.EdgeLogs("it addressed");

        rogue.Crafted(OfficeNode.EdgePath(path)).Tell(new Ping("", 1), rogue.Ear);

        await dropped.WaitAsync(LinkRig.Patience);
        Assert.False(heard.IsCompleted);
    }

    [Theory]
    [InlineData("/user/victim")]
    [InlineData("/user/*")]
    [InlineData("/user/door/../victim")]
    [InlineData("/user/door/*")]
    public async Task It_can_not_reach_another_path_by_a_selection(string path)
    {
        await using var rig = new LinkRig();
        var heard = Victim(rig);
        var rogue = rig.Rogue(LinkRig.Leeds);

        rogue.System.ActorSelection(OfficeNode.EdgePath(path)).Tell(new Ping("", 1), rogue.Ear);
        rogue.System.ActorSelection(OfficeNode.EdgePath(path)).Tell(new Hello(rogue.Id, 1, "", "", default), rogue.Ear);

        // Comes after the selections on the same connection.
        await rogue.ComeIn();
        Assert.False(heard.IsCompleted);
    }

    [Theory]
    [InlineData("PoisonPill")]
    [InlineData("Kill")]
    public async Task It_can_not_stop_an_actor(string weapon)
    {
        await using var rig = new LinkRig();
        var rogue = rig.Rogue(LinkRig.Leeds);
        object message = weapon == "Kill" ? Kill.Instance : PoisonPill.Instance;
        var (_, link) = await rogue.ComeIn();
        var died = LinkRig.Event<Akka.Event.Error>(rig.Edge.System, e => e.Cause is ActorKilledException);

        rogue.Door.Tell(message, rogue.Ear);
        rogue.Crafted(OfficeNode.EdgePath(LinkHocon.DoorPath)).Tell(message, rogue.Ear);
        link.Tell(message, rogue.Ear);

        var (welcome, _) = await rogue.ComeIn();
        Assert.NotEmpty(welcome.Epoch);
        Assert.False(died.IsCompleted);
        // The link of before ended because its node came in anew, not by the weapon.
        Assert.Equal("the node came in anew", (await rig.TwinsGet<UnlinkNode>()).Reason);
    }

    [Fact]
    public async Task It_can_not_create_an_actor()
    {
        await using var rig = new LinkRig();
        var rogue = rig.Rogue(LinkRig.Leeds);
        await rogue.ComeIn();

        rogue.System.ActorOf(Props.Create<Planted>().WithDeploy(new Deploy(new RemoteScope(Address.Parse(OfficeNode.EdgePath(""))))), "planted").Tell("go");

        await rogue.ComeIn();
        Assert.Equal(0, Planted.Made);
    }

    [Fact]
    public async Task It_can_not_have_objects_of_its_choosing_built()
    {
        await using var rig = new LinkRig();
        var rogue = rig.Rogue(LinkRig.Leeds);
        await rogue.ComeIn();
        var before = Gadget.Built;

        rogue.Door.Tell(new Gadget { Trigger = "over the wire" }, rogue.Ear);
        rogue.Crafted(OfficeNode.EdgePath(LinkHocon.DoorPath)).Tell(new Gadget { Trigger = "over the wire" }, rogue.Ear);

        await rogue.ComeIn();
        // Two were made here, to be sent.
        Assert.Equal(before + 2, Gadget.Built);
    }

    [Fact]
    public async Task It_can_not_watch_an_actor()
    {
        await using var rig = new LinkRig();
        var rogue = rig.Rogue(LinkRig.Leeds);
        var refused = rig.EdgeLogs("a system message is not taken over the link");
        var (_, link) = await rogue.ComeIn();

        rogue.System.ActorOf(Props.Create(() => new Watcher(link)));

        await refused.WaitAsync(LinkRig.Patience);
        await rig.Node(LinkRig.York).ComeIn();
    }

    [Fact]
    public async Task It_can_not_join_the_cluster()
    {
        await using var rig = new LinkRig();
        var setup = ClusterLink.Setup(new TcpNetwork(), rig.Authority, ClusterOptions.Alone);
        var cluster = ActorSystem.Create("fleet", ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString("akka.actor.provider = cluster").WithFallback(LinkHocon.Cluster(rig.Link))), setup));
        var own = Akka.Cluster.Cluster.Get(cluster);
        var refused = LinkRig.Event<Akka.Event.Warning>(cluster, w => w.ToString().Contains("only headquarters nodes belong to the cluster", StringComparison.Ordinal));
        await own.JoinAsync(own.SelfAddress);
        var at = LinkTransport.Of(cluster).ListensAt!.ToString();
        var rogueCertificate = rig.Certify(PeerIdentity.Of(LinkRig.Leeds));
        var rogue = ActorSystem.Create("fleet", ActorSystemSetup.Create(
            BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString("akka.actor.provider = cluster").WithFallback(LinkHocon.Cluster(rig.Link))),
            new LinkTransportSetup(new TcpNetwork(), "gw1.leeds.office", () => rogueCertificate, rig.Authority.Trust, (_, _) => null, null, _ => [LinkWay.Direct(new TcpNetwork(), at)])));

        Akka.Cluster.Cluster.Get(rogue).Join(own.SelfAddress);

        await refused.WaitAsync(LinkRig.Patience);
        Assert.Single(own.State.Members);
        await rogue.Terminate();
        await cluster.Terminate();
    }

    [Fact]
    public async Task A_client_without_a_certificate_gets_nothing()
    {
        await using var rig = new LinkRig();
        using var client = new TcpClient();
        await client.ConnectAsync(rig.Edge.ListensAt);
        await using var tls = new SslStream(client.GetStream(), false, (_, _, _, _) => true);

        var fault = await Record.ExceptionAsync(async () =>
        {
            await tls.AuthenticateAsClientAsync(PeerIdentity.HeadquartersHost);
            // With TLS 1.3 the client learns of its refusal when it reads.
            await tls.WriteAsync(new byte[64]);
            Assert.Equal(0, await tls.ReadAsync(new byte[64]));
        });

        Assert.True(fault is null or IOException or AuthenticationException, $"{fault}");
    }

    [Fact]
    public async Task A_device_certificate_is_not_taken_for_a_node()
    {
        await using var rig = new LinkRig();
        var refused = rig.EdgeLogs("only office nodes link here");
        using var client = new TcpClient();
        await client.ConnectAsync(rig.Edge.ListensAt);
        await using var tls = new SslStream(client.GetStream(), false, (_, _, _, _) => true);

        await Record.ExceptionAsync(async () =>
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = PeerIdentity.HeadquartersHost,
                ClientCertificates = [rig.Certify(PeerIdentity.Of(new Contracts.DeviceId("till-1")))],
            });
            Assert.Equal(0, await tls.ReadAsync(new byte[1]));
        });

        await refused.WaitAsync(LinkRig.Patience);
    }

    [Fact]
    public async Task Headquarters_never_dials()
    {
        await using var rig = new LinkRig();
        var refused = rig.EdgeLogs("is not dialled from here");

        rig.Edge.System.ActorSelection("akka.tls://office@gw1.york.office:1/user/hq-link").Tell(new Ping("", 1));

        await refused.WaitAsync(LinkRig.Patience);
        Assert.Equal(0, rig.Network.Dials);
    }

    private static Task Victim(LinkRig rig)
    {
        var heard = new TaskCompletionSource();
        rig.Edge.System.ActorOf(Props.Create(() => new Hearing(heard)), "victim");
        return heard.Task;
    }

    private sealed class Hearing : ReceiveActor
    {
        public Hearing(TaskCompletionSource heard) => ReceiveAny(_ => heard.TrySetResult());
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(IActorRef subject) => Context.Watch(subject);
    }

    public sealed class Planted : ReceiveActor
    {
        private static int _made;

        public Planted()
        {
            Interlocked.Increment(ref _made);
            ReceiveAny(_ => { });
        }

        public static int Made => _made;
    }

    /// <summary>Counts how often it is built; the attack of every deserializer that takes type names.</summary>
    public sealed class Gadget
    {
        private static int _built;

        public static int Built => _built;

        public string? Trigger
        {
            get;
            set
            {
                Interlocked.Increment(ref _built);
                field = value;
            }
        }
    }
}
