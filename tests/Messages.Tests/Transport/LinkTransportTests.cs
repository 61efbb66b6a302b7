using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Fleet.Contracts.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.TestSupport;

namespace Fleet.Messages.Tests.Transport;

/// <summary>Two actor systems over real loopback sockets, or over a network in memory.</summary>
public sealed class LinkTransportTests : IAsyncLifetime
{
    private const string Leeds = "gw1.leeds.office";
    private const string York = "gw1.york.office";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TestAuthority _authority = new();
    private readonly List<ActorSystem> _systems = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => Task.WhenAll(_systems.Select(s => s.Terminate()));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_dialled_side_answers_over_the_connection_that_the_other_opened(bool inMemory)
    {
        var network = inMemory ? (IByteNetwork)new MemoryNetwork() : new TcpNetwork();
        var edge = Edge(network);
        var office = Office(Leeds, edge, network);

        var pong = await Door(office).Ask<Pong>(new Ping("e", 7), Patience);

        Assert.Equal(7ul, pong.Number);
    }

    [Fact]
    public async Task Two_offices_are_told_apart_by_their_names_alone()
    {
        var network = new TcpNetwork();
        var edge = Edge(network);

        var leeds = await Door(Office(Leeds, edge, network)).Ask<Pong>(new Ping("who", 1), Patience);
        var york = await Door(Office(York, edge, network)).Ask<Pong>(new Ping("who", 1), Patience);

        Assert.Equal((Leeds, York), (leeds.Epoch, york.Epoch));
    }

    [Fact]
    public async Task A_certificate_can_not_announce_the_name_of_another()
    {
        var network = new TcpNetwork();
        var edge = Edge(network);
        var refused = Warnings(edge, "claims to be gw1.york.office");

        var rogue = Office(York, edge, network, certificate: Issue(Leeds));
        Door(rogue).Tell(new Ping("e", 1));

        await refused.WaitAsync(Patience);
        await Assert.ThrowsAsync<AskTimeoutException>(() => Door(rogue).Ask<Pong>(new Ping("e", 2), TimeSpan.FromSeconds(2)));
    }

    [Theory]
    [InlineData("foreign authority")]
    [InlineData("expired")]
    [InlineData("not admitted")]
    public async Task A_peer_that_is_not_trusted_gets_nothing_and_the_log_says_why(string fault)
    {
        var network = new TcpNetwork();
        var edge = Edge(network, admit: (peer, _) => fault == "not admitted" && peer.LogicalHost == Leeds ? "the node was removed" : null);
        var certificate = fault switch
        {
            "foreign authority" => new TestAuthority().Issue(PeerIdentity.FromLogicalHost(Leeds)!),
            "expired" => _authority.Issue(PeerIdentity.FromLogicalHost(Leeds)!, TimeSpan.FromMinutes(-2)),
            _ => Issue(Leeds),
        };
        var refused = Warnings(edge, fault switch { "foreign authority" => "not of this headquarters' CA", "expired" => "valid from", _ => "the node was removed" });

        var rogue = Office(Leeds, edge, network, certificate: certificate);
        Door(rogue).Tell(new Ping("e", 1));

        await refused.WaitAsync(Patience);
        var honest = await Door(Office(York, edge, network)).Ask<Pong>(new Ping("e", 2), Patience);
        Assert.Equal(2ul, honest.Number);
    }

    [Fact]
    public async Task An_office_talks_to_nobody_but_the_side_it_dialled()
    {
        var network = new TcpNetwork();
        var impostor = Edge(network, certificate: Issue(York));
        var office = Office(Leeds, impostor, network);
        var refused = Warnings(office, "met gw1.york.office");

        Door(office).Tell(new Ping("e", 1));

        await refused.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_way_that_stays_silent_costs_its_time_and_the_next_is_taken()
    {
        var network = new TcpNetwork();
        var edge = Edge(network);
        var silent = new LinkWay("silent", async cancellation =>
        {
            await new TaskCompletionSource().Task.WaitAsync(cancellation);
            throw new IOException("never");
        });
        var office = Office(Leeds, edge, network, ways: [silent, LinkWay.Direct(network, LinkTransport.Of(edge).ListensAt!.ToString())]);

        var pong = await Answer(office, new Ping("e", 7));

        Assert.Equal(7ul, pong.Number);
    }

    [Fact]
    public async Task A_stream_that_the_listening_side_had_to_open_is_served_as_if_it_had_been_dialled()
    {
        var network = new MemoryNetwork();
        var edge = Edge(network);
        await using var port = network.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var opened = await network.Connect(port.Local.ToString(), CancellationToken.None);
        var (waiting, _) = await port.Accept(CancellationToken.None);
        var office = Office(Leeds, edge, network, ways: [new LinkWay("dialled", _ => Task.FromResult(waiting))]);

        var served = LinkTransport.Of(edge).Serve(opened, "leeds");
        var pong = await Door(office).Ask<Pong>(new Ping("e", 7), Patience);

        Assert.Equal(7ul, pong.Number);
        LinkTransport.Of(edge).Abort(Leeds);
        await served.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_dial_that_is_not_allowed_fails_at_once()
    {
        var edge = Edge(new TcpNetwork());
        var refused = Warnings(edge, "is not dialled from here");

        edge.ActorSelection($"akka.tls://office@{Leeds}:1/user/door").Tell(new Ping("e", 1));

        await refused.WaitAsync(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Handshakes_that_fail_end_neither_side()
    {
        var network = new TcpNetwork();
        var edge = Edge(network);
        using (var garbage = new TcpClient())
        {
            await garbage.ConnectAsync(LinkTransport.Of(edge).ListensAt!);
            await garbage.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            Assert.True(await garbage.GetStream().ReadAsync(new byte[1024]) >= 0);
        }

        // A port that accepts and hangs up comes first in the list, a dead one second.
        var hangsUp = new TcpListener(IPAddress.Loopback, 0);
        hangsUp.Start();
        _ = Task.Run(async () =>
        {
            while (true)
                (await hangsUp.AcceptTcpClientAsync()).Dispose();
        });
        var dead = new TcpListener(IPAddress.Loopback, 0);
        dead.Start();
        var deadAt = dead.LocalEndpoint.ToString()!;
        dead.Stop();
        var office = Office(Leeds, edge, network, dial: [hangsUp.LocalEndpoint.ToString()!, deadAt, LinkTransport.Of(edge).ListensAt!.ToString()]);

        var pong = await Door(office).Ask<Pong>(new Ping("e", 3), Patience);

        Assert.Equal(3ul, pong.Number);
        Assert.False(edge.WhenTerminated.IsCompleted || office.WhenTerminated.IsCompleted);
        hangsUp.Stop();
    }

    [Fact]
    public async Task Connections_that_say_nothing_are_dropped_and_do_not_shut_out_others_for_long()
    {
        var network = new TcpNetwork();
        var edge = Edge(network, "akka.remote.fleet-link { maximum-handshakes = 2, connect-timeout = 500ms }");
        var silent = new List<TcpClient>();
        for (var i = 0; i < 4; i++)
        {
            silent.Add(new TcpClient());
            await silent[^1].ConnectAsync(LinkTransport.Of(edge).ListensAt!);
        }

        var pong = await Door(Office(Leeds, edge, network)).Ask<Pong>(new Ping("e", 4), Patience);

        Assert.Equal(4ul, pong.Number);
        foreach (var client in silent)
        {
            // End of stream or reset: it was dropped.
            var read = await Record.ExceptionAsync(async () => Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1])));
            Assert.True(read is null or IOException);
            client.Dispose();
        }
    }

    [Fact]
    public async Task An_aborted_association_is_dialled_anew_at_the_next_message()
    {
        var network = new TcpNetwork();
        var dials = 0;
        var edge = Edge(network);
        var office = Office(Leeds, edge, network, onDial: () => dials++);
        await Door(office).Ask<Pong>(new Ping("e", 1), Patience);
        var ended = Disassociations(office);

        LinkTransport.Of(office).Abort(PeerIdentity.HeadquartersHost);

        await ended.WaitAsync(Patience);
        Assert.Equal(9ul, (await AskUntilAnswered(office, 9)).Number);
        Assert.Equal(2, dials);
    }

    [Fact]
    public async Task A_frame_over_the_limit_ends_its_link_with_a_line_in_the_log_and_no_other()
    {
        var network = new TcpNetwork();
        var edge = Edge(network, "akka.remote.fleet-link.maximum-frame = 65536");
        var (leeds, york) = (Office(Leeds, edge, network), Office(York, edge, network));
        await Door(leeds).Ask<Pong>(new Ping("e", 1), Patience);
        await Door(york).Ask<Pong>(new Ping("e", 2), Patience);
        var (told, ended) = (Warnings(edge, "over the limit of 65600"), Disassociations(leeds));

        Door(leeds).Tell(new Ping(new string('x', 70_000), 3));

        await told.WaitAsync(Patience);
        await ended.WaitAsync(Patience);
        Assert.Equal(4ul, (await Door(york).Ask<Pong>(new Ping("e", 4), Patience)).Number);
        Assert.Equal(5ul, (await AskUntilAnswered(leeds, 5)).Number);
    }

    [Fact]
    public async Task A_new_certificate_is_shown_at_the_next_connection_and_the_present_one_stays()
    {
        var network = new TcpNetwork();
        var serials = new ConcurrentQueue<string>();
        var edge = Edge(network, admit: (_, certificate) =>
        {
            serials.Enqueue(certificate.SerialNumber);
            return null;
        });
        var shown = Issue(Leeds);
        var first = shown.SerialNumber;
        var office = Office(Leeds, edge, network, certificateSource: () => shown);
        await Door(office).Ask<Pong>(new Ping("e", 1), Patience);
        var ended = Disassociations(office);

        shown = Issue(Leeds);
        await Door(office).Ask<Pong>(new Ping("e", 2), Patience);
        Assert.False(ended.IsCompleted);
        LinkTransport.Of(office).Abort(PeerIdentity.HeadquartersHost);
        await AskUntilAnswered(office, 3);

        Assert.Equal([first, shown.SerialNumber], serials.Distinct());
    }

    [Fact]
    public async Task A_new_process_under_the_same_name_is_back_at_once_and_never_quarantined()
    {
        var network = new TcpNetwork();
        var edge = Edge(network);
        var before = Office(Leeds, edge, network);
        await Door(before).Ask<Pong>(new Ping("e", 1), Patience);

        // As kill -9 does: the connection breaks without a farewell.
        LinkTransport.Of(before).Abort(PeerIdentity.HeadquartersHost);
        var after = Office(Leeds, edge, network);
        var pong = await Door(after).Ask<Pong>(new Ping("e", 2), TimeSpan.FromSeconds(5));

        Assert.Equal(2ul, pong.Number);
    }

    [Fact]
    public async Task A_thousand_messages_arrive_in_order()
    {
        var network = new TcpNetwork();
        var edge = Edge(network);
        var office = Office(Leeds, edge, network);
        var answers = Channel();
        var collector = office.ActorOf(Props.Create(() => new Collector(answers)));

        for (var i = 1ul; i <= 1000; i++)
            Door(office).Tell(new Ping("e", i), collector);

        for (var i = 1ul; i <= 1000; i++)
            Assert.Equal(i, ((Pong)await answers.Reader.ReadAsync().AsTask().WaitAsync(Patience)).Number);
    }

    private static System.Threading.Channels.Channel<object> Channel() => System.Threading.Channels.Channel.CreateUnbounded<object>();

    private static async Task<Pong> AskUntilAnswered(ActorSystem office, ulong number)
    {
        // While the gate of one second is shut, messages are dropped: that is Akka's contract, and why the link acknowledges.
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await Door(office).Ask<Pong>(new Ping("e", number), TimeSpan.FromSeconds(1));
            }
            catch (AskTimeoutException) when (attempt < 10)
            {
                // Next.
            }
        }
    }

    /// <summary>Asks until answered: on a busy machine a handshake may take too long, and what waits for it is dropped.</summary>
    private static async Task<Pong> Answer(ActorSystem office, Ping ping)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                return await Door(office).Ask<Pong>(ping, Patience);
            }
            catch (AskTimeoutException) when (attempt < 3)
            {
                // Again.
            }
    }

    private static ActorSelection Door(ActorSystem office) =>
        office.ActorSelection($"akka.tls://edge@{PeerIdentity.HeadquartersHost}:{LinkHocon.EdgePort}{LinkHocon.DoorPath}");

    private ActorSystem Edge(IByteNetwork network, string hocon = "", X509Certificate2? certificate = null, Func<PeerIdentity, X509Certificate2, string?>? admit = null)
    {
        var shown = certificate ?? Issue(PeerIdentity.HeadquartersHost);
        var edge = Start("edge", ConfigurationFactory.ParseString(hocon).WithFallback(LinkHocon.Edge(Options)), new LinkTransportSetup(
            network, PeerIdentity.HeadquartersHost, () => shown, Trust, admit ?? ((_, _) => null), new IPEndPoint(IPAddress.Loopback, 0), _ => null));
        edge.ActorOf(Props.Create(() => new EchoDoor()), "door");
        return edge;
    }

    private ActorSystem Office(
        string host, ActorSystem edge, IByteNetwork network, X509Certificate2? certificate = null, Func<X509Certificate2>? certificateSource = null,
        IReadOnlyList<string>? dial = null, Action? onDial = null, IReadOnlyList<LinkWay>? ways = null)
    {
        var own = certificate ?? Issue(host);
        ways ??= [.. (dial ?? [LinkTransport.Of(edge).ListensAt!.ToString()]).Select(a => LinkWay.Direct(network, a))];
        return Start("office", LinkHocon.Office(Options), new LinkTransportSetup(
            network, host, certificateSource ?? (() => own), Trust, (_, _) => null, null, _ =>
            {
                onDial?.Invoke();
                return ways;
            }));
    }

    private ActorSystem Start(string name, Config config, LinkTransportSetup setup)
    {
        var system = ActorSystem.Create(name, ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config), setup));
        _systems.Add(system);
        return system;
    }

    private PeerTrust Trust => new(_authority.Certificate, TimeProvider.System, TimeSpan.Zero);

    private X509Certificate2 Issue(string host) => _authority.Issue(PeerIdentity.FromLogicalHost(host)!);

    private static LinkOptions Options { get; } = new(
        PingInterval: TimeSpan.FromSeconds(3), Lease: TimeSpan.FromSeconds(9), MinBackoff: TimeSpan.FromMilliseconds(500), MaxBackoff: TimeSpan.FromSeconds(15),
        ConnectTimeout: TimeSpan.FromSeconds(5), MaximumFrame: 262144, MaximumUnsent: 4194304, MaximumHandshakes: 512);

    private static Task Warnings(ActorSystem system, string text) => Event<Warning>(system, w => w.ToString().Contains(text, StringComparison.Ordinal));

    private static Task Disassociations(ActorSystem system) => Event<Akka.Remote.DisassociatedEvent>(system, _ => true);

    private static Task Event<T>(ActorSystem system, Func<T, bool> wanted)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = system.ActorOf(Props.Create(() => new Listener<T>(wanted, seen)));
        system.EventStream.Subscribe(listener, typeof(T));
        return seen.Task;
    }

    private sealed class Listener<T> : ReceiveActor
    {
        public Listener(Func<T, bool> wanted, TaskCompletionSource seen) => Receive<T>(e =>
        {
            if (wanted(e))
                seen.TrySetResult();
        });
    }

    private sealed class Collector : ReceiveActor
    {
        public Collector(System.Threading.Channels.Channel<object> answers) => ReceiveAny(m => answers.Writer.TryWrite(m));
    }

    /// <summary>Answers a ping; with the epoch "who" it says whom the sender's address names.</summary>
    private sealed class EchoDoor : ReceiveActor
    {
        public EchoDoor() => Receive<Ping>(p => Sender.Tell(new Pong(p.Epoch == "who" ? Sender.Path.Address.Host : p.Epoch, p.Number, DateTimeOffset.UtcNow, TimeSpan.Zero)));
    }
}
