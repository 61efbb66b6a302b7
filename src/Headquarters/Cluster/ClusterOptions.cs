using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Cluster;

/// <summary>Block <c>fleet.cluster</c>.</summary>
public sealed record ClusterOptions(IPAddress Bind, int Port)
{
    public static ClusterOptions From(Config fleet, Problems problems) => new(
        Bind: problems.Address(fleet, "cluster.bind"),
        Port: problems.Port(fleet, "cluster.port"));
}
