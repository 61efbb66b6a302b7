using Fleet.Contracts;
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
        cluster.MapPost("/invitations", Invite).WithSummary("Makes an invitation with which one more headquarters node joins, once.");
        // The invitation itself is the permission: the new machine has no administrator token.
        cluster.MapPost("/join", Join).AllowAnonymous().WithSummary("Gives headquarters' identity to who shows an invitation.");
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

    private static Results<Ok<ClusterInvitationResource>, ProblemHttpResult> Invite(ClusterInvitations invitations, ClusterOptions options)
    {
        if (!options.IsOneOfMany)
            return new Refusal(RefusalCode.NotAllowed,
                "this headquarters is one node alone: set fleet.storage.provider = postgresql, fleet.updates.directory, fleet.cluster.address and fleet.cluster.seeds, and start it anew (docs/operations.md, \"A cluster\")").Problem();
        var (invitation, expires) = invitations.Make(Owners.Administrator);
        return TypedResults.Ok(new ClusterInvitationResource(invitation.ToText(), expires));
    }

    private static Results<Ok<ClusterIdentityResource>, ProblemHttpResult> Join(HttpContext http, ClusterInvitations invitations)
    {
        const string prefix = "Bearer ";
        var shown = http.Request.Headers.Authorization.ToString();
        return shown.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && invitations.Take(shown[prefix.Length..].Trim(), $"{http.Connection.RemoteIpAddress}") is { } files
            ? TypedResults.Ok(new ClusterIdentityResource(files))
            : new Refusal(RefusalCode.NotAllowed, "this invitation is not known here, was used, or is older than 15 minutes: make another, 'fleet cluster join'").Problem();
    }

    private static ClusterNodeResource Of(ClusterNodeView node, DateTimeOffset now) => new(
        node.Address, node.State is { Draining: true } ? "draining" : node.Status.ToString().ToLowerInvariant(), node.Oldest, node.Self, node.Version, node.State?.StartedAt, node.State?.Links,
        node.Offices, node.State?.MemoryBytes, node.State?.Processors, node.State is { } state ? Math.Round((state.Now - now).TotalSeconds, 1) : null, node.State is { Overload.Length: > 0 } strained ? strained.Overload : null);
}
