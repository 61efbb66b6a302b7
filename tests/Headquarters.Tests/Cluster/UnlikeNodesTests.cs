using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Serialization;
using Fleet.Contracts;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Tests.Links;
using Fleet.Messages.Admission;
using Fleet.Messages.Cluster;
using Fleet.Messages.Log;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using Fleet.Messages.Transport;
using Fleet.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Fleet.Headquarters.Tests.Cluster;

/// <summary>Nodes of one headquarters that differ: in their version, what they can say, their clock or their database.</summary>
public sealed class UnlikeNodesTests
{
    private const int Offices = 12;

    [SkippableFact]
    public async Task A_message_of_a_newer_version_is_dropped_and_neither_twin_nor_cluster_suffers()
    {
        await using var cluster = await TestCluster.Start(2, node => node == 0 ? NewerSerializer.Hocon : Config.Empty);
        await cluster.AddOffices(Offices);
        await Until.True(async () => await cluster.OfficesOnEach() is [> 0, > 0] each && each.Sum() == Offices, "both nodes have offices", TestCluster.Patience);
        var dropped = LinkRig.Event<LogEvent>(cluster.Node(1).System, e => e.ToString()!.Contains("unknown message 'office-teleported'", StringComparison.Ordinal));

        for (var i = 0; i < Offices; i++)
            cluster.Node(0).Offices.Tell(new OfficeTeleported(new OfficeId($"office-{i}")));

        await dropped.WaitAsync(TestCluster.Patience);
        for (var i = 0; i < Offices; i++)
            Assert.IsType<TokenMade>(await cluster.Node(0).Offices.Ask<IOfficeReply>(new CreateToken(new OfficeId($"office-{i}"), JoinKind.Agent, 1, TimeSpan.FromHours(1), "test"), TestCluster.Patience));
        Assert.Empty(Akka.Cluster.Cluster.Get(cluster.Node(0).System).State.Unreachable);
    }

    [SkippableFact]
    public async Task Each_node_says_its_version_also_where_it_does_not_answer()
    {
        await using var cluster = await TestCluster.Start(2, node => node == 1 ? "akka.cluster.app-version = 9.9.9" : Config.Empty);

        // Nobody stands for the nodes here.
        var nodes = await cluster.Node(0).View.Nodes();

        Assert.All(nodes, n => Assert.Null(n.State));
        Assert.Equal([HeadquartersNode.Version, "9.9.9"], nodes.Select(n => n.Version));
    }

    [SkippableFact]
    public async Task A_node_whose_clock_is_off_is_named()
    {
        await using var cluster = await TestCluster.Start(2);
        var told = new ConcurrentQueue<(string Address, TimeSpan? Off)>();
        var warned = LinkRig.Event<LogEvent>(cluster.Node(0).System, e => e.ToString() is { } text
            && text.Contains($"The clock of headquarters node {cluster.Addresses[1]} is ", StringComparison.Ordinal) && text.Contains("set both by NTP", StringComparison.Ordinal));

        Stand(cluster, 0, TimeProvider.System, clockOff: (address, off) => told.Enqueue((address, off)));
        Stand(cluster, 1, new OffClock(TimeSpan.FromMinutes(5)));

        await warned.WaitAsync(TestCluster.Patience);
        Assert.Contains(told, t => t.Address == cluster.Addresses[1] && t.Off is { TotalSeconds: > 290 and < 310 });
        var shown = (await cluster.Node(0).View.Nodes())[1].State!.Now - DateTimeOffset.UtcNow;
        Assert.InRange(shown.TotalSeconds, 290, 310);

        await cluster.Stop(1);

        await Until.True(() => told.Last() == (cluster.Addresses[1], null), "it is forgotten when it is gone", TestCluster.Patience);
    }

    [SkippableFact]
    public async Task A_node_whose_reports_another_can_not_show_in_time_puts_reports_off()
    {
        await using var cluster = await TestCluster.Start(2);
        var (overload, lag) = (new Overload(), new ProjectionLag());
        var options = new OverloadOptions(PutOff: true, new OverloadLimits(PoolDelay: TimeSpan.FromMinutes(1), JournalWrite: TimeSpan.FromMinutes(1), ShownLate: TimeSpan.FromSeconds(30)));
        await using var watch = new OverloadWatch(options, overload, new JournalPulse(TimeProvider.System), lag, () => false, NullLogger.Instance);

        Stand(cluster, 0, TimeProvider.System, readModelBehind: lag.Told);
        Stand(cluster, 1, TimeProvider.System, behind: TimeSpan.FromSeconds(40));

        await Until.True(() => overload.PutOff(Deferrable.Reports) is not null, "reports are put off", TestCluster.Patience);
        Assert.Null(overload.PutOff(Deferrable.Lists));
        Assert.Contains("40", watch.Why, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_node_on_another_database_meets_nobody_and_says_what_must_be_the_same()
    {
        await using var cluster = await TestCluster.Start(1);
        var storage = await TestStorage.PostgresOptions();
        await using var store = await ReadModelStore.PostgreSql(new PostgresDatabase(storage));
        using var log = new CaughtLog();
        using var enough = new CancellationTokenSource();

        // As a headquarters that was restored beside this one, with the same CA and the seeds of old.
        var starting = ClusterSystem.Start(Beside(cluster, storage, store, log), enough.Token);
        await Until.True(() => log.Lines.Any(l => l.Text.Contains("be on the same database", StringComparison.Ordinal) && l.Text.Contains(cluster.Addresses[0], StringComparison.Ordinal)), "it says whom it asks in vain, and why that may be", TestCluster.Patience);
        await enough.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        Assert.Equal(cluster.Addresses, (await cluster.Node(0).View.Nodes()).Select(n => n.Address));
        await cluster.AddOffices(1);
    }

    private static ClusterParts Beside(TestCluster cluster, StorageOptions storage, ReadModelStore store, CaughtLog log)
    {
        var (like, port) = (cluster.Parts(0), FreePorts.One());
        var options = like.Cluster with { Port = port, Address = $"127.0.0.1:{port}", Seeds = [new ClusterSeed(cluster.Addresses[0], ByDns: false), new ClusterSeed($"127.0.0.1:{port}", ByDns: false)] };
        var database = new PostgresDatabase(storage);
        return like with
        {
            Journal = new JournalDatabase(database),
            ReadModel = store,
            Shared = database,
            Cluster = options,
            Transport = new ClusterTransport(ActorLog.Hocon(LogLevel.Information).WithFallback(like.Transport.Config), [new ActorLogSetup(log), ClusterLink.Setup(new TcpNetwork(), cluster.Authority, options)]),
        };
    }

    /// <param name="behind">What the node says of the read model that it writes; null: another writes it.</param>
    private static void Stand(TestCluster cluster, int node, TimeProvider clock, TimeSpan? behind = null, Action<TimeSpan>? readModelBehind = null, Action<string, TimeSpan?>? clockOff = null)
    {
        var state = new ClusterNodeState(cluster.Addresses[node], HeadquartersNode.Version, clock.GetUtcNow(), clock.GetUtcNow(), 0, 0, 0, Draining: false, "", ReadModelBehind: behind);
        var tools = new HeadquartersNodeTools(() => state with { Now = clock.GetUtcNow() }, _ => { }, _ => { }, readModelBehind ?? (_ => { }), clockOff ?? ((_, _) => { }), clock);
        cluster.Node(node).System.ActorOf(HeadquartersNodeActor.Props(tools), HeadquartersNodeActor.Name);
    }

    private sealed class OffClock(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + off;
    }
}

/// <summary>What this version does not know.</summary>
internal sealed record OfficeTeleported(OfficeId OfficeId) : IForOffice;

/// <summary>Fleet's serializer, of a version that knows one message more.</summary>
public sealed class NewerSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private readonly FleetSerializer _known = new(system);

    internal static Config Hocon { get; } = ConfigurationFactory.ParseString($$"""
        akka.actor {
          serializers.fleet = "{{typeof(NewerSerializer).FullName}}, {{typeof(NewerSerializer).Assembly.GetName().Name}}"
          serialization-bindings { "{{typeof(OfficeTeleported).FullName}}, {{typeof(OfficeTeleported).Assembly.GetName().Name}}" = fleet }
        }
        """);

    public override int Identifier => FleetSerializer.SerializerId;

    public override string Manifest(object o) => o is OfficeTeleported ? "office-teleported" : _known.Manifest(o);

    public override byte[] ToBinary(object obj) => obj is OfficeTeleported ? [1] : _known.ToBinary(obj);

    public override object FromBinary(byte[] bytes, string manifest) => _known.FromBinary(bytes, manifest);
}
