using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/incidents</c>.</summary>
internal static class IncidentEndpoints
{
    public static void MapIncidents(this IEndpointRouteBuilder api) => api.MapGroup("/incidents").WithTags("Fleet")
        .MapGet("", List).WithSummary("Lists what went wrong and goes on, newest first; 'all' adds what is over, 'office' narrows the list.");

    private static async Task<Results<Ok<ListPage<IncidentResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, string? office, bool? all, ReadModelQueries queries)
    {
        OfficeId? of = null;
        if ((paging.Read(out var page) ?? ApiIds.Optional(office, ApiIds.Read, out of)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Incidents(new IncidentFilter(page, of, Open: all is not true))).Shown(page, Resources.Of));
    }
}
