using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/offices</c>.</summary>
internal static class OfficeEndpoints
{
    public static void MapOffices(this IEndpointRouteBuilder api)
    {
        var offices = api.MapGroup("/offices").WithTags("Offices");
        offices.MapGet("", List).WithSummary("Lists offices; 'text' finds part of the id or title.");
        offices.MapPost("", Add).WithSummary("Adds an office.");
        offices.MapGet("/{id}", Show).WithSummary("Shows an office.");
        offices.MapDelete("/{id}", Remove).WithSummary("Removes an office; refused while nodes or devices are in it, unless 'force' is true.");
        offices.MapGet("/{id}/events", Events).WithSummary("The history of an office, newest first.");
    }

    private static async Task<Results<Ok<ListPage<OfficeResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, string? text, ReadModelQueries queries)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Offices(new OfficeFilter(page, text))).Shown(page, Resources.Of));
    }

    private static async Task<Results<Created<OfficeResource>, ProblemHttpResult>> Add(NewOffice office, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(office.Id, out OfficeId id) is { } wrong)
            return wrong.Problem();
        if (office.Title is { Length: > 200 })
            return Refusal.Invalid("the title is longer than 200 characters").Problem();
        var answer = await owners.Ask(new AddOffice(id, office.Title is { Length: > 0 } title ? title : id.Value, Owners.Administrator));
        if (answer.Refusal is { } refusal)
            return refusal.Problem();
        var shown = await settled.When(() => queries.Office(id), o => o is not null);
        return shown is null
            ? new Refusal(RefusalCode.Busy, $"office {id} is added, but the list does not show it yet; look again in a moment").Problem()
            : TypedResults.Created($"/api/v1/offices/{id}", Resources.Of(shown));
    }

    private static async Task<Results<Ok<OfficeResource>, ProblemHttpResult>> Show(string id, ReadModelQueries queries)
    {
        if (ApiIds.Read(id, out OfficeId office) is { } wrong)
            return wrong.Problem();
        return await queries.Office(office) is { } found ? TypedResults.Ok(Resources.Of(found)) : Refusal.NotFound("office", id).Problem();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Remove(string id, bool? force, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(id, out OfficeId office) is { } wrong)
            return wrong.Problem();
        if ((await owners.Ask(new RemoveOffice(office, force ?? false, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        await settled.When(() => queries.Office(office), o => o is null);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<ListPage<EventResource>>, ProblemHttpResult>> Events(string id, [AsParameters] PageParameters paging, ReadModelQueries queries)
    {
        PageRequest page = default;
        if ((ApiIds.Read(id, out OfficeId office) ?? paging.Read(out page)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.OfficeEvents(office, page)).Shown(page, Resources.Of));
    }
}
