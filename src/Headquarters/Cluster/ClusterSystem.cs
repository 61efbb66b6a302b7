using System.Net.Sockets;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.Pattern;
using Fleet.Contracts;
using Fleet.Gateway.Push;
using Fleet.Headquarters.Company;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Wakes;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Cluster;

/// <summary>
/// Headquarters' cluster system, <c>fleet</c>: a cluster of one from the first day. Carries the shard region of office twins, the company singleton,
/// their journal, and the read model's writers. Nothing from outside reaches it.
/// </summary>
public sealed class ClusterSystem : IAsyncDisposable
{
    /// <summary>The shard region of office twins.</summary>
    public const string OfficesRegion = "offices";

    private const string Name = "fleet";
    private const int Shards = 100;

    private readonly IReadOnlyList<IActorRef> _readModelWriters;

    private ClusterSystem(ActorSystem system, IActorRef offices, IActorRef company, IReadOnlyList<IActorRef> readModelWriters) =>
        (System, Offices, Company, _readModelWriters) = (system, offices, company, readModelWriters);

    public ActorSystem System { get; }

    /// <summary>Takes everything that is for an office (<see cref="IForOffice"/>).</summary>
    public IActorRef Offices { get; }

    /// <summary>Takes <see cref="Messages.Company.ICompanyCommand"/>.</summary>
    public IActorRef Company { get; }

    /// <summary>Starts the system and joins the cluster.</summary>
    /// <exception cref="JournalRefusedException">The journal is of a newer version or damaged; it was not touched.</exception>
    /// <exception cref="IOException">The port can't be listened on.</exception>
    public static async Task<ClusterSystem> Start(ClusterParts parts, CancellationToken cancellation = default)
    {
        if (await parts.Journal.Prepare(cancellation) is { } problem)
            throw new JournalRefusedException(problem);
        var config = parts.Transport.Config.WithFallback(ClusterHocon.For(parts.Journal, parts.JournalOptions));
        Setup[] setups = [BootstrapSetup.Create().WithConfig(config), .. parts.Transport.Setups];
        var system = Create(setups);
        try
        {
            var cluster = Akka.Cluster.Cluster.Get(system);
            await cluster.JoinAsync(cluster.SelfAddress, cancellation);
            return await Populate(system, parts);
        }
        catch
        {
            await system.Terminate();
            throw;
        }
    }

    /// <summary>Stops following the journal, empties the read model and lets it be written anew from snapshots and events.</summary>
    public static async Task Rebuild(ClusterParts parts, CancellationToken cancellation = default)
    {
        await using var cluster = await Start(parts with { FollowJournal = false }, cancellation);
        await ReadModelRebuild.Run(cluster.System, parts.ReadModel, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in _readModelWriters)
            await writer.GracefulStop(TimeSpan.FromSeconds(5));
        await CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
        await System.WhenTerminated;
    }

    private static ActorSystem Create(Setup[] setups)
    {
        try
        {
            return ActorSystem.Create(Name, ActorSystemSetup.Create(setups));
        }
        catch (Exception fault) when (fault.GetBaseException() is IOException or SocketException)
        {
            // Akka wraps what the transport says.
            throw new IOException($"headquarters nodes can't be listened for: {fault.GetBaseException().Message}; set fleet.cluster.port or fleet.cluster.bind to another", fault);
        }
    }

    private static async Task<ClusterSystem> Populate(ActorSystem system, ClusterParts parts)
    {
        var progress = new ProjectionProgress();
        IActorRef? region = null;
        IActorRef? company = null;
        var tools = new OfficeTools(parts.Issuer, parts.Clock, parts.Offices, parts.Wake, () => region!, () => company!, progress.Of);
        if (!parts.FollowJournal)
            return new ClusterSystem(system, ActorRefs.Nobody, ActorRefs.Nobody, []);

        region = await ClusterSharding.Get(system).StartAsync(OfficesRegion,
            office => Revived(OfficeActor.Props(new OfficeId(office), tools), OfficesRegion, parts.Offices),
            ClusterShardingSettings.Create(system),
            HashCodeMessageExtractor.Create(Shards, m => (m as IForOffice)?.OfficeId.Value));
        var manager = system.ActorOf(ClusterSingletonManager.Props(
            Revived(CompanyActor.Props(tools, parts.Budgets), CompanyActor.Id, parts.Offices), ClusterSingletonManagerSettings.Create(system)), CompanyActor.Id);
        company = system.ActorOf(ClusterSingletonProxy.Props(manager.Path.ToStringWithoutAddress(), ClusterSingletonProxySettings.Create(system)), "company-proxy");
        IActorRef[] writers =
        [
            system.ActorOf(ProjectionActor.Props(parts.ReadModel, parts.ReadModelOptions, progress), "projection"),
            system.ActorOf(PresenceWriter.Props(parts.ReadModel), "presence"),
        ];
        system.ActorOf(WakeSender.Props(parts.Wake.DatagramPort), "wake-sender");
        return new ClusterSystem(system, region, company, writers);
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
    OfficeOptions Offices,
    WakeOptions Wake,
    ConnectionBudgets Budgets,
    ICertificateIssuer Issuer,
    TimeProvider Clock,
    ClusterTransport Transport)
{
    /// <summary>False while the read model is rebuilt: then no twin runs and nobody follows the journal.</summary>
    internal bool FollowJournal { get; init; } = true;
}

/// <summary>The seam to remoting: settings, and what settings can't carry.</summary>
public sealed record ClusterTransport(Config Config, IReadOnlyList<Setup> Setups)
{
    /// <summary>A node that nobody else can reach: for tests, and for work on the journal alone.</summary>
    public static ClusterTransport Alone { get; } = new(ConfigurationFactory.ParseString("akka.remote.dot-netty.tcp { hostname = 127.0.0.1, port = 0 }"), []);
}
