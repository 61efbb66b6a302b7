using Akka.Cluster;

namespace Fleet.Headquarters.Cluster;

internal static class ClusterMembers
{
    /// <summary>The nodes that take part now: let in, not leaving, and in reach.</summary>
    public static IEnumerable<Member> TakingPart(this ClusterEvent.CurrentClusterState seen) => seen.Members.Where(m => m.Status == MemberStatus.Up && !seen.Unreachable.Contains(m));

    /// <summary>The same without this node.</summary>
    public static IEnumerable<Member> OthersTakingPart(this Akka.Cluster.Cluster cluster) => cluster.State.TakingPart().Where(m => m.Address != cluster.SelfAddress);
}
