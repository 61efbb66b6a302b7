using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Offices;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/tokens</c>.</summary>
internal static class TokenEndpoints
{
    private const int MaxUses = 1_000_000;

    public static void MapTokens(this IEndpointRouteBuilder api)
    {
        var tokens = api.MapGroup("/tokens").WithTags("Tokens");
        tokens.MapGet("", List).WithSummary("Lists join tokens, newest first; 'office' and 'usable' narrow the list.");
        tokens.MapPost("", Create).WithSummary("Makes a join token; its secret is in the answer and nowhere else.");
        tokens.MapDelete("/{id}", Revoke).WithSummary("Revokes a join token.");
    }

    private static async Task<Results<Ok<ListPage<TokenResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, string? office, bool? usable, ReadModelQueries queries)
    {
        OfficeId? of = null;
        if ((paging.Read(out var page) ?? ApiIds.Optional(office, ApiIds.Read, out of)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Tokens(new TokenFilter(page, of, usable ?? false))).Shown(page, Resources.Of));
    }

    private static async Task<Results<Created<CreatedToken>, ProblemHttpResult>> Create(NewToken wanted, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(wanted.Office, out OfficeId office) is { } wrong)
            return wrong.Problem();
        if (Enum.GetValues<JoinKind>().Where(k => Resources.Name(k) == wanted.Kind).ToList() is not [var kind])
            return Refusal.Invalid("kind must be node or agent").Problem();
        if (wanted.Uses is < 1 or > MaxUses)
            return Refusal.Invalid($"uses must be from 1 to {MaxUses}").Problem();
        if (!DurationText.TryParse(wanted.TimeToLive, out var timeToLive))
            return Refusal.Invalid("timeToLive must be a duration such as 30m, 24h or 7d").Problem();
        var answer = await owners.Ask(new CreateToken(office, kind, wanted.Uses, timeToLive, Owners.Administrator));
        if (answer.Refusal is { } refusal)
            return refusal.Problem();
        var made = (TokenMade)answer.Reply!;
        await settled.When(() => queries.Token(made.TokenId), t => t is not null);
        return TypedResults.Created($"/api/v1/tokens/{made.TokenId}", new CreatedToken(made.TokenId.Value, office.Value, wanted.Kind, made.Text, made.ExpiresAt));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Revoke(string id, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(id, out TokenId token) is { } wrong)
            return wrong.Problem();
        if (await queries.Token(token) is not { } known)
            return Refusal.NotFound("token", id).Problem();
        if ((await owners.Ask(new RevokeToken(known.OfficeId, token, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        await settled.When(() => queries.Token(token), t => t is not { State: TokenState.Usable });
        return TypedResults.NoContent();
    }
}
