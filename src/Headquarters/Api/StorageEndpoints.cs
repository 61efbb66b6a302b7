using Fleet.Contracts.Api;
using Fleet.Headquarters.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/storage</c> and <c>/api/v1/read-model</c>.</summary>
internal static class StorageEndpoints
{
    public static void MapStorage(this IEndpointRouteBuilder api)
    {
        api.MapGet("/storage", ShowStorage).WithTags("Fleet").WithSummary("How much headquarters keeps, and how far the read model is.");
        api.MapPost("/read-model/rebuild", RebuildReadModel).WithTags("Fleet").WithSummary("Writes the read model anew from the journal, while the one there is serves. GET /storage says how far it is.");
    }

    private static async Task<Ok<StorageResource>> ShowStorage(StorageView storage)
    {
        var s = await storage.Look();
        var sqlite = s.Provider == StorageProvider.Sqlite;
        return TypedResults.Ok(new StorageResource(
            sqlite ? "sqlite" : "postgresql", s.Sizes.Journal.Bytes, sqlite ? s.Sizes.Journal.Free : null, s.Sizes.Events, s.Sizes.Snapshots,
            s.Sizes.ReadModel.Bytes, sqlite ? s.Sizes.ReadModel.Free : null, s.Position, s.RebuiltAt, s.Rebuild?.Reached, s.Rebuild?.End));
    }

    private static async Task<Results<Accepted, ProblemHttpResult>> RebuildReadModel(StorageView storage) =>
        await storage.Rebuild(Owners.Administrator) is { } refusal ? refusal.Problem() : TypedResults.Accepted((string?)null);
}
