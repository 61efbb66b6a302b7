using System.Globalization;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;
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
        offices.MapPost("/{id}/wake", Wake).WithSummary("Wakes all devices of an office; each one's outcome is its 'wake'.");
        offices.MapPost("/wake", WakeAll).WithSummary("Wakes all devices of these offices, or of all; each one's outcome is its 'wake'.");
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

    private static async Task<Results<Accepted<OfficeWakeRequested>, ProblemHttpResult>> Wake(string id, Owners owners, TimeProvider clock)
    {
        if (ApiIds.Read(id, out OfficeId office) is { } wrong)
            return wrong.Problem();
        var (reply, refusal) = await owners.Ask(new WakeOffice(office, Owners.Administrator));
        if (refusal is not null)
            return refusal.Problem();
        var now = clock.GetUtcNow();
        return TypedResults.Accepted($"/api/v1/devices?office={id}", new OfficeWakeRequested(id, now,
            [.. ((OfficeWakeAccepted)reply!).Wakes.Select(w => new WakeRequested(w.DeviceId.Value, w.Counter.ToString(CultureInfo.InvariantCulture), now))]));
    }

    // All at once: the twins decide side by side, and the journal takes them in turn.
    private static async Task<Results<Accepted<OfficesWakeRequested>, ProblemHttpResult>> WakeAll(OfficesToWake wanted, Owners owners, ReadModelQueries queries, TimeProvider clock)
    {
        var meant = new List<OfficeId>();
        foreach (var text in wanted.Offices?.Distinct() ?? [])
        {
            if (ApiIds.Read(text, out OfficeId office) is { } wrong)
                return wrong.Problem();
            meant.Add(office);
        }

        if (wanted.Offices is null)
            meant.AddRange(await queries.OfficeIds());
        var answers = await Task.WhenAll(meant.Select(async office => (Office: office, Answer: await owners.Ask(new WakeOffice(office, Owners.Administrator)))));
        return TypedResults.Accepted("/api/v1/devices", new OfficesWakeRequested(clock.GetUtcNow(), answers.Count(a => a.Answer.Refusal is null),
            answers.Sum(a => (a.Answer.Reply as OfficeWakeAccepted)?.Wakes.Count ?? 0),
            [.. answers.Where(a => a.Answer.Refusal is not null).Select(a => new OfficeNotWoken(a.Office.Value, a.Answer.Refusal!.Detail))]));
    }

    private static async Task<Results<Ok<ListPage<EventResource>>, ProblemHttpResult>> Events(string id, [AsParameters] PageParameters paging, ReadModelQueries queries)
    {
        PageRequest page = default;
        if ((ApiIds.Read(id, out OfficeId office) ?? paging.Read(out page)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.OfficeEvents(office, page)).Shown(page, Resources.Of));
    }
}
