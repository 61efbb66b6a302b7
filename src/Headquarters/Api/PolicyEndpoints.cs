using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/policies</c>.</summary>
internal static class PolicyEndpoints
{
    public static void MapPolicies(this IEndpointRouteBuilder api)
    {
        var policies = api.MapGroup("/policies").WithTags("Policies");
        policies.MapGet("", List).WithSummary("Lists policies.");
        policies.MapGet("/{name}", Show).WithSummary("Shows a policy.");
        policies.MapPut("/{name}", Apply).WithSummary("Adds a policy, or makes its next version when it differs.");
        policies.MapDelete("/{name}", Remove).WithSummary("Removes a policy.");
    }

    private static async Task<Results<Ok<ListPage<PolicyResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, ReadModelQueries queries)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Policies(page)).Shown(page, Resources.Of));
    }

    private static async Task<Results<Ok<PolicyResource>, ProblemHttpResult>> Show(string name, ReadModelQueries queries)
    {
        if (ApiIds.Read(name, out PolicyName policy) is { } wrong)
            return wrong.Problem();
        return await queries.Policy(policy) is { } found ? TypedResults.Ok(Resources.Of(found)) : Refusal.NotFound("policy", name).Problem();
    }

    private static async Task<Results<Ok<PolicyChanged>, ProblemHttpResult>> Apply(string name, PolicyContent content, Owners owners, ReadModelQueries queries, Settled settled)
    {
        IReadOnlyList<OfficeId> offices = [];
        if ((ApiIds.Read(name, out PolicyName policy) ?? ApiIds.Each(content.Offices, ApiIds.Read, out offices)) is { } wrong)
            return wrong.Problem();
        if (content.Name is { } own && own != name)
            return Refusal.Invalid($"the policy calls itself '{own}' and is put at '{name}'").Problem();
        var none = new Dictionary<string, string>();
        var answer = await owners.Ask(new ApplyPolicy(new PolicyDocument(policy, offices, content.Labels ?? none, content.Priority, content.Settings ?? none), Owners.Administrator));
        if (answer.Refusal is { } refusal)
            return refusal.Problem();
        var accepted = (PolicyAccepted)answer.Reply!;
        await settled.When(() => queries.Policy(policy), p => p is not null && p.Version >= accepted.Version);
        return TypedResults.Ok(new PolicyChanged(name, accepted.Version, accepted.Changed));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Remove(string name, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(name, out PolicyName policy) is { } wrong)
            return wrong.Problem();
        if ((await owners.Ask(new RemovePolicy(policy, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        await settled.When(() => queries.Policy(policy), p => p is null);
        return TypedResults.NoContent();
    }
}
