using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Web;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/status</c> and the event stream <c>/api/v1/events</c>.</summary>
internal static class FleetEndpoints
{
    public static void MapFleet(this IEndpointRouteBuilder api)
    {
        api.MapGet("/status", Status).WithTags("Fleet").WithSummary("The fleet in numbers.");
        api.MapGet("/events", Events).WithTags("Fleet").WithSummary(
            "What happens, as server-sent events: 'history' with an event document and its position as id, 'changed' when presence or state changed. "
            + "Begins now, or behind 'after' or the Last-Event-ID header.")
            .Produces<EventResource>(contentType: ServerSentEvents.ContentType);
    }

    private static async Task<Ok<StatusResource>> Status(ReadModelQueries queries, ProgramFacts program)
    {
        var s = await queries.Status();
        return TypedResults.Ok(new StatusResource(
            program.Version, program.StartedAt, s.Offices, s.Nodes, s.LinkedNodes, s.Devices, s.Converged, s.Clones, s.Policies, s.Incidents, program.AuthorityNotAfter,
            s.Unreadable.Count == 0 ? null : [.. s.Unreadable.Select(r => new UnreadableRowResource(r.PersistenceId, r.Kind, r.SequenceNr, r.Position, r.Manifest, r.Why))]));
    }

    private static async Task Events(HttpContext http, long? after, ReadModelQueries queries, ReadModelStore store, ProgramFacts program)
    {
        var position = after
            ?? (long.TryParse(http.Request.Headers["Last-Event-ID"], System.Globalization.CultureInfo.InvariantCulture, out var last) ? last : await queries.Position());
        await ServerSentEvents.Stream(http, store.Changes, program.Stopping, async stream =>
        {
            while (await queries.EventsAfter(position, PageRequest.MaxTake) is { Count: > 0 } events)
            {
                foreach (var e in events)
                    await stream.Send("history", Resources.Of(e), ApiJson.Default.EventResource, e.Position);
                position = events[^1].Position;
            }

            await stream.Send("changed");
        });
    }
}
