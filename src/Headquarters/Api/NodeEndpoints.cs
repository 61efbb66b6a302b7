using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Links;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/nodes</c>.</summary>
internal static class NodeEndpoints
{
    public static void MapNodes(this IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("Nodes");
        nodes.MapGet("", List).WithSummary("Lists office nodes; 'office', 'role', 'linked', 'down' (not linked, though it should be) and 'text' (part of id or host name) narrow the list.");
        nodes.MapGet("/{id}", Show).WithSummary("Shows an office node.");
        nodes.MapPost("/{id}/roles", ChangeRoles).WithSummary("Adds and removes roles of a node.");
        nodes.MapPost("/{id}/way", ChangeWay).WithSummary("Sets how a node and headquarters come together: through another node, dialled by headquarters, or by itself.");
        nodes.MapPost("/dial", Dial).WithSummary("Dials a machine that waits to be enrolled and can't dial out ('office enroll --listen').");
        nodes.MapPost("/{id}/link", SetLink).WithSummary("Lets a node keep its link, or dial periodically, over what policies say.");
        nodes.MapDelete("/{id}", Remove).WithSummary("Removes a node; it must enrol anew to come back.");
        nodes.MapGet("/{id}/events", Events).WithSummary("The history of a node, newest first.");
    }

    private static async Task<Results<Ok<ListPage<NodeResource>>, ProblemHttpResult>> List(
        [AsParameters] PageParameters paging, string? office, string? role, bool? linked, bool? down, string? text, ReadModelQueries queries)
    {
        OfficeId? of = null;
        NodeRole? with = null;
        if ((paging.Read(out var page) ?? ApiIds.Optional(office, ApiIds.Read, out of) ?? ApiIds.Optional(role, Read, out with)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Nodes(new NodeFilter(page, of, with, linked, text, down))).Shown(page, Resources.Of));
    }

    private static async Task<Results<Ok<NodeResource>, ProblemHttpResult>> Show(string id, ReadModelQueries queries)
    {
        if (ApiIds.Read(id, out NodeId node) is { } wrong)
            return wrong.Problem();
        return await queries.Node(node) is { } found ? TypedResults.Ok(Resources.Of(found)) : Refusal.NotFound("node", id).Problem();
    }

    private static async Task<Results<Ok<NodeResource>, ProblemHttpResult>> ChangeRoles(string id, RoleChange change, Owners owners, ReadModelQueries queries, Settled settled)
    {
        IReadOnlyList<NodeRole> add = [], remove = [];
        if ((ApiIds.Read(id, out NodeId node) ?? ApiIds.Each(change.Add, Read, out add) ?? ApiIds.Each(change.Remove, Read, out remove)) is { } wrong)
            return wrong.Problem();
        if ((await owners.Ask(new AssignRoles(node.Office, node, add, remove, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        var shown = await settled.When(() => queries.Node(node), n => n is not null && add.All(n.DesiredRoles.Contains) && !remove.Any(n.DesiredRoles.Contains));
        return shown is null ? Refusal.NotFound("node", id).Problem() : TypedResults.Ok(Resources.Of(shown));
    }

    private static async Task<Results<Ok<NodeResource>, ProblemHttpResult>> ChangeWay(string id, WayChange change, Owners owners, ReadModelQueries queries, Settled settled)
    {
        NodeId? through = null;
        if ((ApiIds.Read(id, out NodeId node) ?? ApiIds.Optional(change.Through, ApiIds.Read, out through)) is { } wrong)
            return wrong.Problem();
        if ((await owners.Ask(new SetNodeWay(node.Office, node, through, change.DmzAddress, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        var shown = await settled.When(() => queries.Node(node), n => n is not null && n.Through == through && n.DmzAddress == change.DmzAddress);
        return shown is null ? Refusal.NotFound("node", id).Problem() : TypedResults.Ok(Resources.Of(shown));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Dial(NodeToDial node, EnrolmentDial dial, CancellationToken cancellation)
    {
        if (HostPort.Problem(node.Address) is { } wrong)
            return Refusal.Invalid(wrong).Problem();
        return await dial.Run(node.Address, cancellation) is { } problem ? new Refusal(RefusalCode.Busy, problem).Problem() : TypedResults.NoContent();
    }

    private static async Task<Results<Ok<NodeResource>, ProblemHttpResult>> SetLink(string id, LinkChange change, Owners owners, ReadModelQueries queries, Settled settled)
    {
        bool? always = null;
        if ((ApiIds.Read(id, out NodeId node) ?? Modes.Read(change.Mode, out always)) is { } wrong)
            return wrong.Problem();
        if ((await owners.Ask(new SetNodeLink(node.Office, node, always, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        var shown = await settled.When(() => queries.Node(node), n => n is not null && n.Mode.Set == always && (always is not { } wanted || n.Mode.Periodic != wanted || n.Mode.Why.Length > 0));
        return shown is null ? Refusal.NotFound("node", id).Problem() : TypedResults.Ok(Resources.Of(shown));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Remove(string id, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(id, out NodeId node) is { } wrong)
            return wrong.Problem();
        if ((await owners.Ask(new RemoveNode(node.Office, node, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        await settled.When(() => queries.Node(node), n => n is null);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<ListPage<EventResource>>, ProblemHttpResult>> Events(string id, [AsParameters] PageParameters paging, ReadModelQueries queries)
    {
        PageRequest page = default;
        if ((ApiIds.Read(id, out NodeId node) ?? paging.Read(out page)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.NodeEvents(node, page)).Shown(page, Resources.Of));
    }

    private static Refusal? Read(string? name, out NodeRole role)
    {
        var known = NodeRoles.Parse(name ?? "");
        role = known ?? default;
        return known is null ? Refusal.Invalid($"'{name}' is no role; there are {string.Join(", ", Enum.GetValues<NodeRole>().Select(NodeRoles.Name))}") : null;
    }
}
