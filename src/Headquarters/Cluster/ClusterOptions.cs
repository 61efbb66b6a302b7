using System.Net;
using Akka.Configuration;
using Fleet.Contracts;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Cluster;

/// <summary>Block <c>fleet.cluster</c>.</summary>
/// <param name="Address"><c>host:port</c> at which the other headquarters nodes reach this one; empty: it is alone.</param>
/// <param name="Seeds">Whom a starting node asks to let it in.</param>
/// <param name="SilentFor">Without a heartbeat for this long a node is out of reach.</param>
/// <param name="StableAfter">How long nothing may change before the majority goes on without nodes out of reach.</param>
/// <param name="TakeOverAfter">How long after that their work begins elsewhere.</param>
public sealed record ClusterOptions(
    IPAddress Bind, int Port, string Address, IReadOnlyList<ClusterSeed> Seeds, TimeSpan SilentFor, TimeSpan StableAfter, TimeSpan TakeOverAfter)
{
    /// <summary>A headquarters of one node.</summary>
    public static ClusterOptions Alone { get; } = new(IPAddress.Loopback, 0, "", [], TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1));

    /// <summary>Whether it belongs to several nodes.</summary>
    public bool IsOneOfMany => Address.Length > 0;

    public static ClusterOptions From(Config fleet, StorageOptions storage, Problems problems)
    {
        var options = new ClusterOptions(
            Bind: problems.Address(fleet, "cluster.bind"),
            Port: problems.Port(fleet, "cluster.port"),
            Address: problems.Optional(fleet, "cluster.address"),
            Seeds: [.. problems.Texts(fleet, "cluster.seeds").Select(s => Seed(s, problems)).OfType<ClusterSeed>()],
            SilentFor: problems.Positive(fleet, "cluster.silent-for"),
            StableAfter: problems.Positive(fleet, "cluster.stable-after"),
            TakeOverAfter: problems.Positive(fleet, "cluster.take-over-after"));
        if (options.IsOneOfMany && HostPort.Problem(options.Address) is { } problem)
            problems.Add("fleet.cluster.address", problem);
        if (options.IsOneOfMany != options.Seeds.Count > 0 && !problems.Told("cluster.seeds"))
            problems.Add("fleet.cluster.seeds", "and fleet.cluster.address belong together: set both, or neither where this node is alone");
        if (options.IsOneOfMany && storage.Provider != StorageProvider.PostgreSql && !problems.Told("storage.provider"))
            problems.Add("fleet.storage.provider", "must be postgresql where headquarters has several nodes (fleet.cluster.address): they share its database");
        return options;
    }

    private static ClusterSeed? Seed(string text, Problems problems)
    {
        var (address, isName) = text.StartsWith(ClusterSeed.Dns, StringComparison.Ordinal) ? (text[ClusterSeed.Dns.Length..], true) : (text, false);
        if (HostPort.Problem(address) is not { } problem)
            return new ClusterSeed(address, isName);
        problems.Add("fleet.cluster.seeds", problem);
        return null;
    }
}

/// <summary>Where a starting node finds others.</summary>
/// <param name="Address"><c>host:port</c>.</param>
/// <param name="ByDns">Whether the host stands for every address that DNS has for it.</param>
public sealed record ClusterSeed(string Address, bool ByDns)
{
    /// <summary>How such a seed is written: <c>dns:NAME:PORT</c>.</summary>
    public const string Dns = "dns:";
}
