using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Fleet.Contracts;
using Fleet.Headquarters.Api;
using Fleet.Messages.Cluster;

namespace Fleet.Headquarters.Cluster;

/// <summary>Headquarters' nodes as one of them sees them, and what can be asked of them. Used from any thread.</summary>
public sealed class ClusterView
{
    /// <summary>A node that does not answer by then is shown by what the cluster knows of it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ActorSystem _system;
    private readonly IActorRef _offices;
    private readonly Akka.Cluster.Cluster _cluster;

    internal ClusterView(ActorSystem system, IActorRef offices) => (_system, _offices, _cluster) = (system, offices, Akka.Cluster.Cluster.Get(system));

    /// <summary>Whether this node is the oldest, as it sees the others: it does what one of them has to do.</summary>
    public bool IsOldest => !_system.WhenTerminated.IsCompleted && _cluster.State.TakingPart().OrderBy(m => m, Member.AgeOrdering).FirstOrDefault()?.UniqueAddress == _cluster.SelfUniqueAddress;

    /// <summary>All nodes, the oldest first: it holds the singletons.</summary>
    public async Task<IReadOnlyList<ClusterNodeView>> Nodes()
    {
        var seen = _cluster.State;
        var offices = Offices();
        return await Task.WhenAll(seen.Members.OrderBy(m => m, Member.AgeOrdering).Select(async (member, place) => new ClusterNodeView(
            ClusterSeeds.At(member.Address),
            StatusOf(member, seen),
            place == 0,
            member.Address == _cluster.SelfAddress,
            seen.Unreachable.Contains(member) ? null : await StateOf(member.Address),
            (await offices).GetValueOrDefault(member.Address))
        { Version = member.AppVersion.Version }));
    }

    /// <summary>Lets a node give its work to the others and stop.</summary>
    /// <returns>Why not; null: it has begun.</returns>
    public async Task<Refusal?> Drain(string address, string by)
    {
        var seen = _cluster.State;
        if (seen.Members.FirstOrDefault(m => ClusterSeeds.At(m.Address) == address) is not { } member)
            return Refusal.NotFound("headquarters node", address);
        if (seen.TakingPart().Count() < 2)
            return new Refusal(RefusalCode.NotAllowed, "it is the only headquarters node: nobody could take its work; to stop it, stop its process");
        try
        {
            await At(member.Address).Ask<ClusterNodeDraining>(new DrainClusterNode(by), Patience);
            return null;
        }
        catch (AskTimeoutException)
        {
            return new Refusal(RefusalCode.Busy, $"headquarters node {address} does not answer; if it is gone for good, the others go on without it by themselves");
        }
    }

    internal static ClusterNodeStatus StatusOf(Member member, ClusterEvent.CurrentClusterState seen) =>
        seen.Unreachable.Contains(member) ? ClusterNodeStatus.Unreachable
        : member.Status switch
        {
            MemberStatus.Up => ClusterNodeStatus.Up,
            MemberStatus.Joining or MemberStatus.WeaklyUp => ClusterNodeStatus.Joining,
            _ => ClusterNodeStatus.Leaving,
        };

    private async Task<ClusterNodeState?> StateOf(Address address)
    {
        try
        {
            return await At(address).Ask<ClusterNodeState>(new GetClusterNode(), Patience);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }

    // How many offices' twins run on each node.
    private async Task<IReadOnlyDictionary<Address, int>> Offices()
    {
        try
        {
            var stats = await _offices.Ask<ClusterShardingStats>(new GetClusterShardingStats(Patience), Patience * 2);
            // This node names itself without host.
            return stats.Regions.ToDictionary(r => r.Key.HasGlobalScope ? r.Key : _cluster.SelfAddress, r => r.Value.Stats.Values.Sum());
        }
        catch (AskTimeoutException)
        {
            return new Dictionary<Address, int>();
        }
    }

    private ActorSelection At(Address address) => _system.ActorSelection(new RootActorPath(address) / "user" / HeadquartersNodeActor.Name);
}

/// <param name="Address"><c>host:port</c> by which the other nodes know it.</param>
/// <param name="Oldest">Whether it holds the singletons: the company and the projection.</param>
/// <param name="Self">Whether it is the node that says all this.</param>
/// <param name="State">What it says of itself; null: it does not answer.</param>
/// <param name="Offices">Twins that run on it.</param>
public sealed record ClusterNodeView(string Address, ClusterNodeStatus Status, bool Oldest, bool Self, ClusterNodeState? State, int Offices)
{
    /// <summary>Of its program, as it said when it came; also of a node that does not answer.</summary>
    public string Version { get; init; } = "";
}

public enum ClusterNodeStatus
{
    Joining = 1,
    Up = 2,
    Leaving = 3,

    /// <summary>It is silent; the others go on without it once that has lasted (fleet.cluster.stable-after).</summary>
    Unreachable = 4,
}
