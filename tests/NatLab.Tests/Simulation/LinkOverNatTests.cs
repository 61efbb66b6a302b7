using System.Net;
using Akka.Actor;
using Akka.Actor.Setup;
using Fleet.Contracts.Identity;
using Fleet.Messages.Link;
using Fleet.Messages.Transport;
using Fleet.NatLab.Nat;
using Fleet.NatLab.Simulation;
using Fleet.TestSupport;

namespace Fleet.NatLab.Tests.Simulation;

/// <summary>Akka.Remote over the link's own transport, unchanged, through simulated translators.</summary>
public sealed class LinkOverNatTests : IAsyncLifetime
{
    private const string NodeAddress = "192.168.1.10";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly LinkOptions Options = new(
        PingInterval: TimeSpan.FromSeconds(3), Lease: TimeSpan.FromSeconds(9), MinBackoff: TimeSpan.FromMilliseconds(500), MaxBackoff: TimeSpan.FromSeconds(15),
        ConnectTimeout: TimeSpan.FromSeconds(5), MaximumFrame: 262144, MaximumUnsent: 4194304, MaximumHandshakes: 512);

    private readonly SimNetwork _network = new(TimeProvider.System, seed: 1);
    private readonly TestAuthority _authority = new();
    private readonly List<ActorSystem> _systems = [];
    private readonly SimHost _headquarters;

    public LinkOverNatTests() => _headquarters = _network.Internet.AddHost("headquarters", "203.0.113.1");

    public Task InitializeAsync()
    {
        var edge = Start("edge", LinkHocon.Edge(Options), _headquarters, PeerIdentity.HeadquartersHost, new IPEndPoint(IPAddress.Any, 13001));
        edge.ActorOf(Props.Create(() => new Door()), "door");
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await Task.WhenAll(_systems.Select(s => s.Terminate()));
        _authority.Dispose();
    }

    [Fact]
    public async Task Forty_offices_on_one_private_address_behind_every_kind_of_translator_are_told_apart()
    {
        var kinds = NatBehaviour.ByName.Values.ToList();
        var carrier = _network.Internet.AddNat("carrier", "198.51.100.50", NatBehaviour.Symmetric);
        var offices = Enumerable.Range(0, 40).Select(i =>
        {
            // Every fifth one has a carrier that translates again.
            var realm = i % 5 == 0 ? carrier.AddNat($"office-{i}", $"100.64.0.{i + 1}", kinds[i % 4]) : _network.Internet.AddNat($"office-{i}", $"198.51.101.{i + 1}", kinds[i % 4]);
            return Office($"gw1.office-{i}.office", realm.AddHost($"node-{i}", NodeAddress));
        }).ToList();

        var answers = await Task.WhenAll(offices.Select((office, i) => DoorOf(office).Ask<Pong>(new Ping("who", (ulong)i), Patience)));

        Assert.Equal(Enumerable.Range(0, 40).Select(i => ($"gw1.office-{i}.office", (ulong)i)), answers.Select(a => (a.Epoch, a.Number)));
    }

    [Fact]
    public async Task A_link_whose_mapping_was_forgotten_is_silent_and_works_again_once_it_is_given_up()
    {
        var leeds = _network.Internet.AddNat("leeds", "198.51.100.1", NatBehaviour.PortRestricted);
        var office = Office("gw1.leeds.office", leeds.AddHost("node", NodeAddress));
        await DoorOf(office).Ask<Pong>(new Ping("who", 1), Patience);

        leeds.Uplink!.ForgetMappings();

        await Assert.ThrowsAsync<AskTimeoutException>(() => DoorOf(office).Ask<Pong>(new Ping("who", 2), TimeSpan.FromSeconds(1)));
        LinkTransport.Of(office).Abort(PeerIdentity.HeadquartersHost);
        await Until.True(async () => await Answered(office), "the link works again");
    }

    private static async Task<bool> Answered(ActorSystem office)
    {
        try
        {
            await DoorOf(office).Ask<Pong>(new Ping("who", 3), TimeSpan.FromMilliseconds(500));
            return true;
        }
        catch (AskTimeoutException)
        {
            return false;
        }
    }

    private static ActorSelection DoorOf(ActorSystem office) =>
        office.ActorSelection($"akka.tls://edge@{PeerIdentity.HeadquartersHost}:{LinkHocon.EdgePort}{LinkHocon.DoorPath}");

    private ActorSystem Office(string host, SimHost machine) => Start("office", LinkHocon.Office(Options), machine, host, listenAt: null);

    private ActorSystem Start(string name, Akka.Configuration.Config config, SimHost machine, string host, IPEndPoint? listenAt)
    {
        var certificate = _authority.Issue(PeerIdentity.FromLogicalHost(host)!);
        var trust = new PeerTrust(_authority.Certificate, TimeProvider.System, TimeSpan.Zero);
        var setup = new LinkTransportSetup(machine, host, () => certificate, trust, (_, _) => null, listenAt, _ => listenAt is null ? [LinkWay.Direct(machine, "203.0.113.1:13001")] : null);
        var system = ActorSystem.Create(name, ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config), setup));
        _systems.Add(system);
        return system;
    }

    private sealed class Door : ReceiveActor
    {
        public Door() => Receive<Ping>(ping => Sender.Tell(new Pong(Sender.Path.Address.Host, ping.Number, DateTimeOffset.UnixEpoch, TimeSpan.Zero)));
    }
}
