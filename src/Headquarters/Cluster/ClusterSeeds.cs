using System.Net;
using System.Net.Sockets;
using Fleet.Contracts;
using Fleet.Contracts.Identity;
using Fleet.Messages.Transport;
using Address = Akka.Actor.Address;

namespace Fleet.Headquarters.Cluster;

/// <summary>The nodes that a starting node asks to let it in.</summary>
internal static class ClusterSeeds
{
    /// <summary>
    /// The addresses of the seeds, in Akka's order: the first founds the cluster when none of the others answers. Every node must come to the same first, so
    /// what DNS says, in whatever order, is sorted.
    /// </summary>
    /// <param name="mayFound">False: others are known to run, so this node must not found a second cluster, wherever it stands in the list.</param>
    /// <exception cref="IOException">DNS does not know a name.</exception>
    public static async Task<IReadOnlyList<Address>> Resolve(ClusterOptions options, string systemName, bool mayFound, CancellationToken cancellation)
    {
        var found = new List<string>();
        foreach (var seed in options.Seeds)
            found.AddRange(seed.ByDns ? await AddressesOf(seed.Address, cancellation) : [seed.Address]);
        var others = found.Distinct().ToList();
        if (!mayFound && others.Remove(options.Address))
            others.Add(options.Address);
        return [.. others.Select(a => AddressOf(systemName, a))];
    }

    /// <summary>The address of a headquarters node's cluster system.</summary>
    /// <param name="at"><c>host:port</c>.</param>
    public static Address AddressOf(string systemName, string at) =>
        new($"akka.{LinkTransport.Scheme}", systemName, PeerIdentity.HeadquartersAt(at).LogicalHost, LinkHocon.ClusterPort);

    /// <summary>The <c>host:port</c> of a node; its logical name where that says none (a headquarters of one).</summary>
    public static string At(Address address) => PeerIdentity.FromLogicalHost(address.Host ?? "")?.ClusterAddress ?? address.Host ?? "";

    private static async Task<IEnumerable<string>> AddressesOf(string nameAndPort, CancellationToken cancellation)
    {
        var (name, port) = HostPort.Parse(nameAndPort);
        try
        {
            var found = await Dns.GetHostAddressesAsync(name, cancellation);
            return found.Select(a => HostPort.Of(a.ToString(), port)).Order(StringComparer.Ordinal);
        }
        catch (SocketException fault)
        {
            throw new IOException($"DNS has no address for {name} ({fault.Message}); see fleet.cluster.seeds");
        }
    }
}
