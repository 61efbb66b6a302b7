using System.Data.Common;
using Akka.Actor;
using Akka.Cluster;
using Fleet.Gateway.Monitoring;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.ReadModel;

namespace Fleet.Headquarters.Monitoring;

/// <summary>What a headquarters node looks at when it is asked how it is.</summary>
internal sealed class HeadquartersHealth(ClusterSystem cluster, EdgeSystem edge, HeadquartersPeers peers, ReadModelStore readModel, HeadquartersMeter meter, OverloadWatch overload)
{
    private static readonly TimeSpan ReadModelPatience = TimeSpan.FromSeconds(3);

    /// <summary>Where one of these fails, the process is best started anew.</summary>
    public IReadOnlyList<HealthCheck> Live =>
    [
        new("cluster-system", () => Runs(cluster.System)),
        new("edge-system", () => Runs(edge.System)),
    ];

    /// <summary>Where one of these fails, others had better do this node's work.</summary>
    public IReadOnlyList<HealthCheck> Ready =>
    [
        new("cluster", Member),
        new("draining", () => peers.IsDraining ? Health.Failed("the node gives its work to the others, and stops") : Health.Fine),
        new("clocks", () => peers.ClocksOff is { Length: > 0 } off ? Health.Degraded($"set all clocks by NTP: headquarters node {off}") : Health.Fine),
        new("links", () => edge.IsOpen ? Health.Fine : Health.Failed("the port for office nodes takes no more links")),
        new("journal", () => Health.Unless(meter.Journal.Problem is { } problem ? $"the journal failed when it was last needed: {problem}" : null)),
        new("read-model", ReadModel),
        new("overload", () => overload.Health),
    ];

    private static Health Runs(ActorSystem system) => system.WhenTerminated.IsCompleted ? Health.Failed($"actor system {system.Name} has ended") : Health.Fine;

    private Health Member()
    {
        if (cluster.System.WhenTerminated.IsCompleted)
            return Health.Failed("the node is no member any more");
        var here = Akka.Cluster.Cluster.Get(cluster.System);
        if (here.SelfMember.Status != MemberStatus.Up)
            return Health.Failed($"the node is {here.SelfMember.Status} among the headquarters nodes, not Up");
        return here.State.Unreachable is { Count: > 0 } lost ? Health.Degraded($"out of reach: {string.Join(", ", lost.Select(m => ClusterSeeds.At(m.Address)))}") : Health.Fine;
    }

    private async Task<Health> ReadModel(CancellationToken cancellation)
    {
        try
        {
            // Off this thread: SQLite answers on whichever asks.
            await Task.Run(readModel.Position, cancellation).WaitAsync(ReadModelPatience, cancellation);
            return Health.Fine;
        }
        catch (DbException fault)
        {
            return Health.Failed(readModel.Say(fault));
        }
        catch (TimeoutException)
        {
            return Health.Failed($"the read model did not answer within {ReadModelPatience.TotalSeconds:0} s");
        }
    }
}
