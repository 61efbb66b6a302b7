using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Updates;
using Fleet.Updates.Tuf;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/repository</c>: who signs the update repository, and what it has, as its clients read it.</summary>
internal static class RepositoryEndpoints
{
    /// <summary>At a time: the port for offices and devices is another one.</summary>
    private const int MostTransfers = 20;

    public static void MapRepository(this IEndpointRouteBuilder api)
    {
        var repository = api.MapGroup("/repository").WithTags("Repository");
        repository.MapGet("/keys", Keys).WithSummary("Shows who signs the update repository, and which keys headquarters has.");
        repository.MapPost("/keys/{role}/rotate", Rotate).WithSummary("Gives a role a new key, by a next root that trusts it; needs the root's key at hand.");
        repository.MapPost("/root/draft", Draft).WithSummary("Drafts the next root, to be signed elsewhere; signed already by the keys that are at hand.");
        // Files of another protocol, The Update Framework, and content by its SHA-256.
        UpdateFace.Files(api.ServiceProvider.GetRequiredService<TenantRepository>(), api.ServiceProvider.GetRequiredService<VendorMirrors>(), MostTransfers)
            .Map(repository.MapGroup("").ExcludeFromDescription());
        repository.MapPost("/root", Take).WithSummary("Takes the next root, signed as the present one and it itself demand.");
    }

    private static Ok<RepositoryKeysResource> Keys(TenantRepository repository) => TypedResults.Ok(Of(repository.Keys));

    private static async Task<Results<Ok<RepositoryKeysResource>, ProblemHttpResult>> Rotate(string role, TenantRepository repository, CancellationToken cancellation) =>
        (Problem(role) ?? await repository.Rotate(role, cancellation)) is { } refusal ? refusal.Problem() : TypedResults.Ok(Of(repository.Keys));

    private static async Task<Results<Ok<RootDocument>, ProblemHttpResult>> Draft(RootDraftRequest asked, TenantRepository repository, CancellationToken cancellation)
    {
        var key = asked.RootKey is { } given ? new TufKey(given.KeyType, given.Scheme, given.Public) : null;
        if (key is { Identity: null })
            return Refusal.Invalid("this is no public key that could sign a root").Problem();
        if ((asked.Rotate ?? []).Select(Problem).FirstOrDefault(p => p is not null) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok(new RootDocument(await repository.DraftRoot([.. (asked.Rotate ?? []).Distinct()], key, cancellation)));
    }

    private static async Task<Results<Ok<RepositoryKeysResource>, ProblemHttpResult>> Take(RootDocument signed, TenantRepository repository, CancellationToken cancellation) =>
        await repository.TakeRoot(signed.Document, cancellation) is { } refusal ? refusal.Problem() : TypedResults.Ok(Of(repository.Keys));

    private static Refusal? Problem(string role) => RoleNames.TopLevel.Contains(role)
        ? null
        : Refusal.Invalid($"a role is {string.Join(", ", RoleNames.TopLevel)}, not '{role}'{NearMiss.Hint(role, RoleNames.TopLevel)}");

    private static RepositoryKeysResource Of(RepositoryKeys keys) => new(
        keys.Root.Version, keys.Root.Expires,
        [.. RoleNames.TopLevel.Select(r => new RoleKeysResource(r, [.. keys.Root.Roles[r].Keys.Keys.Order(StringComparer.Ordinal)], keys.Root.Roles[r].Threshold, keys.AtHand.Contains(r)))]);
}
