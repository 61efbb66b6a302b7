using System.Net.Sockets;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.Event;
using Akka.Pattern;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Gateway.Push;
using Fleet.Headquarters.Company;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Wakes;
using Fleet.Messages.Admission;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Cluster;

/// <summary>
/// Headquarters' cluster system, <c>fleet</c>: a cluster of one from the first day, or one of several nodes that act as one. Carries the shard region of
/// office twins, the singletons (company, projection), their journal, and the read model's writers. Nothing from outside reaches it.
/// </summary>
public sealed class ClusterSystem : IAsyncDisposable
{
    /// <summary>The shard region of office twins.</summary>
    public const string OfficesRegion = "offices";

    private const string Name = "fleet";

    private const string Projection = "projection";

    /// <summary>Raise it when nodes of two releases can't run side by side: then an update stops all of them at once.</summary>
    private const int Protocol = 1;

    private const int Shards = 100;

    private static readonly TimeSpan SayWhomItWaitsFor = TimeSpan.FromSeconds(10);

    private readonly IActorRef _presenceWriter;
    private readonly ClusterPlace? _place;

    private ClusterSystem(ActorSystem system, IActorRef offices, IActorRef company, IActorRef projection, IActorRef presenceWriter, ClusterPlace? place = null) =>
        (System, Offices, Company, ReadModelWriter, _presenceWriter, _place) = (system, offices, company, projection, presenceWriter, place);

    public ActorSystem System { get; }

    /// <summary>Takes everything that is for an office (<see cref="IForOffice"/>).</summary>
    public IActorRef Offices { get; }

    /// <summary>Takes <see cref="Messages.Company.ICompanyCommand"/>.</summary>
    public IActorRef Company { get; }

    /// <summary>Takes <see cref="Messages.Cluster.RebuildReadModel"/>.</summary>
    public IActorRef ReadModelWriter { get; }

    /// <summary>All nodes of this headquarters.</summary>
    public ClusterView View => new(System, Offices);

    /// <summary>
    /// Done when the system has ended, by <see cref="DisposeAsync"/> or by itself: a node that lost sight of most others stops, since they go on without it; or
    /// when it should, since another node took its name.
    /// </summary>
    public Task Ended => _place is null ? System.WhenTerminated : Task.WhenAny(System.WhenTerminated, _place.Lost);

    /// <summary>Starts the system and joins the cluster; with others, once one of them lets it in.</summary>
    /// <exception cref="JournalRefusedException">The journal is of a newer version or damaged; it was not touched.</exception>
    /// <exception cref="IOException">The port can't be listened on.</exception>
    public static async Task<ClusterSystem> Start(ClusterParts parts, CancellationToken cancellation = default)
    {
        if (await parts.Journal.Prepare(cancellation) is { } problem)
            throw new JournalRefusedException(problem);
        var place = parts.Cluster.IsOneOfMany ? await ClusterPlace.Take(parts.Shared!, parts.Cluster.Address, cancellation) : null;
        ActorSystem? system = null;
        try
        {
            var config = parts.Transport.Config.WithFallback(ClusterHocon.For(parts.Journal, parts.JournalOptions, parts.Cluster));
            system = Create(NameOf(place), [BootstrapSetup.Create().WithConfig(config), .. parts.Transport.Setups]);
            await Join(system, parts.Cluster, place, cancellation);
            return await Populate(system, parts, place);
        }
        catch
        {
            if (system is not null)
                await system.Terminate();
            if (place is not null)
                await place.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops following the journal, empties the read model and lets it be written anew from snapshots and events.</summary>
    public static async Task Rebuild(ClusterParts parts, CancellationToken cancellation = default)
    {
        if (parts.Cluster.IsOneOfMany)
        {
            await using var place = await ClusterPlace.Take(parts.Shared!, parts.Cluster.Address, cancellation);
            if (!place.Alone)
                throw new StorageException("other headquarters nodes run on this database: stop all of them first");
        }

        await using var cluster = await Start(parts with { FollowJournal = false, Cluster = ClusterOptions.Alone }, cancellation);
        await ReadModelRebuild.Run(cluster.System, parts.Journal, parts.ReadModel, from: null, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (!System.WhenTerminated.IsCompleted)
        {
            if (!_presenceWriter.IsNobody())
                await _presenceWriter.GracefulStop(TimeSpan.FromSeconds(5));
            // Leaves the cluster: shards and singletons go to the other nodes, where there are any.
            await CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
            await System.WhenTerminated;
        }

        // Last: until its twins have stopped, nobody may take this node for gone.
        if (_place is not null)
            await _place.DisposeAsync();
    }

    /// <summary>
    /// Nodes meet under one name alone: those of a headquarters that was restored beside this one have the same CA, but not the same database; and those of a
    /// release that speaks otherwise another number.
    /// </summary>
    private static string NameOf(ClusterPlace? place) => place is null ? Name : $"{Name}-{Protocol}-{place.ClusterId}";

    private static ActorSystem Create(string name, Setup[] setups)
    {
        try
        {
            return ActorSystem.Create(name, ActorSystemSetup.Create(setups));
        }
        catch (Exception fault) when (fault.GetBaseException() is IOException or SocketException)
        {
            // Akka wraps what the transport says.
            throw new IOException($"headquarters nodes can't be listened for: {fault.GetBaseException().Message}; set fleet.cluster.port or fleet.cluster.bind to another", fault);
        }
    }

    private static async Task<ClusterSystem> Populate(ActorSystem system, ClusterParts parts, ClusterPlace? place)
    {
        if (!parts.FollowJournal)
            return new ClusterSystem(system, ActorRefs.Nobody, ActorRefs.Nobody, ActorRefs.Nobody, ActorRefs.Nobody);

        var progress = new ProjectionProgress(parts.ReadModel, parts.Clock);
        IActorRef? region = null;
        IActorRef? company = null;
        var tools = new OfficeTools(parts.Issuer, parts.Clock, parts.Offices, parts.Wake, () => region!, () => company!, progress.Of)
        {
            Meter = parts.Meter,
            SayOfJournal = parts.Journal.Say,
            Overload = parts.Overload,
            Unreadable = new UnreadableTwins(id =>
            {
                var found = new RowReader(parts.Journal, system).UnreadableOf(id);
                parts.ReadModel.Name(id, found);
                return found;
            }),
        };
        region = await ClusterSharding.Get(system).StartAsync(OfficesRegion,
            office => Revived(OfficeActor.Props(new OfficeId(office), tools), OfficesRegion, parts.Offices),
            ClusterShardingSettings.Create(system),
            HashCodeMessageExtractor.Create(Shards, m => (m as IForOffice)?.OfficeId.Value));
        Single(system, CompanyActor.Id, Revived(CompanyActor.Props(tools, parts.Budgets), CompanyActor.Id, parts.Offices));
        company = system.ActorOf(ClusterSingletonProxy.Props($"/user/{CompanyActor.Id}", ClusterSingletonProxySettings.Create(system)), "company-proxy");
        Single(system, Projection, ProjectionActor.Props(parts.Journal, parts.ReadModel, parts.ReadModelOptions, progress, parts.Meter.Projection,
            RetentionActor.Props(parts.Journal, parts.ReadModel, parts.Retention, parts.Clock, parts.Meter), parts.Clock));
        var projection = system.ActorOf(ClusterSingletonProxy.Props($"/user/{Projection}", ClusterSingletonProxySettings.Create(system)), "projection-proxy");
        // Twins publish on their own node, and so does the company.
        var presence = system.ActorOf(PresenceWriter.Props(parts.ReadModel, parts.ReadModelOptions.RetryAfter), "presence");
        system.ActorOf(WakeSender.Props(parts.Wake.DatagramPort), "wake-sender");
        if (parts.Cluster.IsOneOfMany)
            system.ActorOf(NoticeBridge.Props(), "notice-bridge");
        return new ClusterSystem(system, region, company, projection, presence, place);
    }

    // Runs on the oldest node; on the next oldest when that leaves or is lost.
    private static void Single(ActorSystem system, string name, Props actor) =>
        system.ActorOf(ClusterSingletonManager.Props(actor, ClusterSingletonManagerSettings.Create(system)), name);

    private static async Task Join(ActorSystem system, ClusterOptions options, ClusterPlace? place, CancellationToken cancellation)
    {
        var cluster = Akka.Cluster.Cluster.Get(system);
        if (!options.IsOneOfMany)
        {
            await cluster.JoinAsync(cluster.SelfAddress, cancellation);
            return;
        }

        var log = Logging.GetLogger(system, typeof(ClusterSystem));
        var seeds = await ClusterSeeds.Resolve(options, system.Name, place!.Alone, cancellation);
        var joined = cluster.JoinSeedNodesAsync(seeds, cancellation);
        while (await Task.WhenAny(joined, system.WhenTerminated, Task.Delay(SayWhomItWaitsFor, cancellation)) is { } first && first != joined)
        {
            if (first == system.WhenTerminated)
                throw new IOException("the other headquarters nodes do not let this one in; see the log");
            cancellation.ThrowIfCancellationRequested();
            log.Warning("No headquarters node has let this one in yet; asking {Seeds}. They must run, be reachable at their fleet.cluster.address, and be on the same database and of a version that goes with this one's", string.Join(", ", seeds.Where(s => s != cluster.SelfAddress).Select(ClusterSeeds.At)));
        }

        // Akka says of a wait that was given up that joining failed.
        cancellation.ThrowIfCancellationRequested();
        await joined;
        log.Info("This headquarters node, {Address}, is one of {Count}", options.Address, cluster.State.Members.Count);
    }

    // A persistent actor stops when its journal fails; it starts again after a wait that grows, not in a storm.
    private static Props Revived(Props actor, string name, OfficeOptions options) => BackoffSupervisor.Props(
        Akka.Pattern.Backoff.OnStop(actor, name, options.MinBackoff, options.MaxBackoff, randomFactor: 0.5, maxNrOfRetries: -1));
}

/// <summary>What the cluster system is made of.</summary>
/// <param name="Transport">How its nodes reach one another.</param>
public sealed record ClusterParts(
    IJournalStore Journal,
    JournalOptions JournalOptions,
    ReadModelStore ReadModel,
    ReadModelOptions ReadModelOptions,
    RetentionOptions Retention,
    OfficeOptions Offices,
    WakeOptions Wake,
    ConnectionBudgets Budgets,
    ICertificateIssuer Issuer,
    TimeProvider Clock,
    ClusterTransport Transport)
{
    /// <summary>How it finds the other nodes of this headquarters.</summary>
    public ClusterOptions Cluster { get; init; } = ClusterOptions.Alone;

    /// <summary>The database that the nodes share; needed where there are several.</summary>
    public PostgresDatabase? Shared { get; init; }

    /// <summary>Where its parts count what they do.</summary>
    public HeadquartersMeter Meter { get; init; } = HeadquartersMeter.Unheard;

    /// <summary>Whether its twins put something off.</summary>
    public Overload Overload { get; init; } = Overload.None;

    /// <summary>False while the read model is rebuilt: then no twin runs and nobody follows the journal.</summary>
    internal bool FollowJournal { get; init; } = true;
}

/// <summary>The seam to remoting: settings, and what settings can't carry.</summary>
public sealed record ClusterTransport(Config Config, IReadOnlyList<Setup> Setups)
{
    /// <summary>A node that nobody else can reach: for tests, and for work on the journal alone.</summary>
    public static ClusterTransport Alone { get; } = new(ConfigurationFactory.ParseString("akka.remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 }"), []);
}
