using Fleet.Contracts.Api;
using Fleet.Headquarters.Cluster;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/cluster</c>.</summary>
internal static class ClusterEndpoints
{
    public static void MapCluster(this IEndpointRouteBuilder api)
    {
        var cluster = api.MapGroup("/cluster").WithTags("Cluster");
        cluster.MapGet("/nodes", List).WithSummary("Lists the nodes of headquarters, the oldest first.");
        cluster.MapPost("/nodes/{address}/drain", Drain).WithSummary("Lets a headquarters node give its work to the others and stop.");
    }

    private static async Task<Ok<ListPage<ClusterNodeResource>>> List(ClusterView cluster, TimeProvider clock)
    {
        var nodes = await cluster.Nodes();
        var now = clock.GetUtcNow();
        return TypedResults.Ok(new ListPage<ClusterNodeResource>([.. nodes.Select(n => Of(n, now))], nodes.Count, null));
    }

    private static async Task<Results<Accepted, ProblemHttpResult>> Drain(string address, ClusterView cluster) =>
        await cluster.Drain(address, Owners.Administrator) is { } refusal ? refusal.Problem() : TypedResults.Accepted((string?)null);

    private static ClusterNodeResource Of(ClusterNodeView node, DateTimeOffset now) => new(
        node.Address, node.State is { Draining: true } ? "draining" : node.Status.ToString().ToLowerInvariant(), node.Oldest, node.Self, node.State?.Version, node.State?.StartedAt, node.State?.Links,
        node.Offices, node.State?.MemoryBytes, node.State?.Processors, node.State is { } state ? Math.Round((state.Now - now).TotalSeconds, 1) : null);
}
