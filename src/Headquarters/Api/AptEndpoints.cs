using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Updates.Apt;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/apt</c>: the signed APT repositories that distribution points pass on. Not below <c>/updates</c>, where a package may be called apt.</summary>
internal static class AptEndpoints
{
    public static void MapApt(this IEndpointRouteBuilder api)
    {
        var apt = api.MapGroup("/apt").WithTags("Apt");
        apt.MapGet("", List).WithSummary("Lists the APT repositories that distribution points pass on.");
        apt.MapGet("/{name}", Show).WithSummary("Shows an APT repository.");
        apt.MapPut("/{name}", Put).WithSummary("Adds an APT repository, or changes the one of that name.");
        apt.MapDelete("/{name}", Remove).WithSummary("Removes an APT repository: distribution points pass it on no more.");
    }

    private static async Task<Results<Ok<ListPage<AptRepositoryResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, AptQueries queries)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Repositories(page)).Shown(page, Of));
    }

    private static async Task<Results<Ok<AptRepositoryResource>, ProblemHttpResult>> Show(string name, AptQueries queries) =>
        await queries.Repository(name) is { } found
            ? TypedResults.Ok(Of(found))
            : new Refusal(RefusalCode.NotFound, $"there is no APT repository '{name}'{NearMiss.Hint(name, await queries.Names())}").Problem();

    private static async Task<Results<Ok<AptRepositoryResource>, ProblemHttpResult>> Put(string name, AptRepositoryContent content, Owners owners, AptQueries queries, Settled settled, TimeProvider clock)
    {
        if (Read(content.Keyring, clock.GetUtcNow(), out var keyring) is { } unusable)
            return unusable.Problem();
        var wanted = new AptRepository(name, content.Url.TrimEnd('/'), keyring, content.Suites ?? []);
        if (AptRules.Problem(wanted) is { } wrong)
            return Refusal.Invalid(wrong).Problem();
        if ((await owners.Ask(new PutAptRepository(wanted, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        var shown = await settled.When(() => queries.Repository(name), r => r is not null && r.Url == wanted.Url && r.Keyring.Span.SequenceEqual(keyring) && r.Suites.SequenceEqual(wanted.Suites));
        return shown is null ? Refusal.NotFound("APT repository", name).Problem() : TypedResults.Ok(Of(shown));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Remove(string name, Owners owners, AptQueries queries, Settled settled)
    {
        if ((await owners.Ask(new RemoveAptRepository(name, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        await settled.When(() => queries.Repository(name), r => r is null);
        return TypedResults.NoContent();
    }

    /// <summary>The keys that may sign, and no more than that of them: rings of large projects are mostly others' signatures.</summary>
    private static Refusal? Read(byte[] given, DateTimeOffset now, out byte[] keyring)
    {
        keyring = [];
        try
        {
            var ring = Keyring.Read(given, "the keyring");
            keyring = ring.Slimmed(now);
            return keyring.Length > 0 ? null : Refusal.Invalid($"the keyring has no key that may sign: {string.Join("; ", ring.Problems(now))}");
        }
        catch (AptException wrong)
        {
            return Refusal.Invalid(wrong.Message);
        }
    }

    private static AptRepositoryResource Of(AptRepository r) => new(r.Name, r.Url, r.Suites, Keyring.Read(r.Keyring, r.Name).Fingerprints);
}
