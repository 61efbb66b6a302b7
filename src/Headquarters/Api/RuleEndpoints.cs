using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Rules;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/rules</c>: placement rules.</summary>
internal static class RuleEndpoints
{
    private const int OfficesAtOnce = 16;
    private static readonly Dictionary<RuleMode, string> Modes = new()
    {
        [RuleMode.Once] = "once",
        [RuleMode.OnceAndAtReenrolment] = "once-and-at-re-enrolment",
        [RuleMode.Continuous] = "continuous",
    };

    public static void MapRules(this IEndpointRouteBuilder api)
    {
        var rules = api.MapGroup("/rules").WithTags("Rules");
        rules.MapGet("", List).WithSummary("Lists the placement rules in their order.");
        rules.MapGet("/{name}", Show).WithSummary("Shows a rule.");
        rules.MapPut("/{name}", Put).WithSummary("Adds a rule behind all others, or changes the one of this name.");
        rules.MapDelete("/{name}", Remove).WithSummary("Removes a rule; what it gave stays.");
        rules.MapPost("/{name}/move", Move).WithSummary("Moves a rule in the order.");
        rules.MapPost("/{name}/enabled", Switch).WithSummary("Turns a rule on or off.");
        rules.MapPost("/{name}/try", Try).WithSummary("Lists the devices that the rule would touch now; changes nothing.");
    }

    private static async Task<Results<Ok<ListPage<RuleResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, ReadModelQueries queries)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        var rules = await queries.Rules();
        return TypedResults.Ok(new Page<PlacementRule>([.. rules.Skip(page.Skip).Take(page.Take)], rules.Count).Shown(page, Of));
    }

    private static async Task<Results<Ok<RuleResource>, ProblemHttpResult>> Show(string name, ReadModelQueries queries)
    {
        var (refusal, rule) = await Find(name, queries);
        return refusal is null ? TypedResults.Ok(Of(rule!)) : refusal.Problem();
    }

    private static async Task<Results<Ok<RuleResource>, ProblemHttpResult>> Put(string name, RuleResource content, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (content.Name != name)
            return Refusal.Invalid($"the rule calls itself '{content.Name}' and is put at '{name}'").Problem();
        if (Read(content, out var rule) is { } wrong)
            return wrong.Problem();
        return await Settle(await owners.Ask(new PutRule(rule!, Owners.Administrator)), name, queries, settled, r => r is not null && Same(Of(r), Of(rule!)));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Remove(string name, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(name, out RuleName rule) is { } wrong)
            return wrong.Problem();
        if ((await owners.Ask(new RemoveRule(rule, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        await settled.When(() => Known(rule, queries), r => r is null);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<RuleResource>, ProblemHttpResult>> Move(string name, RuleMove move, Owners owners, ReadModelQueries queries, Settled settled)
    {
        RuleName? before = null;
        if ((ApiIds.Read(name, out RuleName rule) ?? ApiIds.Optional(move.Before, ApiIds.Read, out before)) is { } wrong)
            return wrong.Problem();
        if ((await owners.Ask(new MoveRule(rule, before, Owners.Administrator))).Refusal is { } refusal)
            return refusal.Problem();
        var rules = await settled.When<IReadOnlyList<PlacementRule>>(async () => await queries.Rules(), r => IsBefore(r!, rule, before));
        return rules?.FirstOrDefault(r => r.Name == rule) is { } moved ? TypedResults.Ok(Of(moved)) : Refusal.NotFound("rule", name).Problem();
    }

    // Null: behind all.
    private static bool IsBefore(IReadOnlyList<PlacementRule> rules, RuleName rule, RuleName? before)
    {
        var order = rules.Select(r => (RuleName?)r.Name).ToList();
        var at = order.IndexOf(rule);
        return at >= 0 && order.ElementAtOrDefault(at + 1) == before;
    }

    private static async Task<Results<Ok<RuleResource>, ProblemHttpResult>> Switch(string name, RuleSwitch wanted, Owners owners, ReadModelQueries queries, Settled settled)
    {
        if (ApiIds.Read(name, out RuleName rule) is { } wrong)
            return wrong.Problem();
        return await Settle(await owners.Ask(new EnableRule(rule, wanted.Enabled, Owners.Administrator)), name, queries, settled, r => r?.Enabled == wanted.Enabled);
    }

    private static async Task<Results<Ok<ListPage<RuleTouchResource>>, ProblemHttpResult>> Try(string name, [AsParameters] PageParameters paging, Owners owners, ReadModelQueries queries)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        var (refusal, rule) = await Find(name, queries);
        if (refusal is not null)
            return refusal.Problem();
        var touched = new List<RuleTouchResource>();
        var offices = await queries.OfficeIds();
        foreach (var some in (rule!.Conditions.Offices is { Count: > 0 } named ? offices.Intersect(named) : offices).Chunk(OfficesAtOnce))
            foreach (var (office, answer) in some.Zip(await Task.WhenAll(some.Select(o => owners.Ask(new TryRule(o, rule))))))
            {
                if (answer.Refusal is { } silent)
                    return silent.Problem();
                touched.AddRange(((RuleTried)answer.Reply!).Touched.Select(t => new RuleTouchResource(t.Id, t.Name, office.Value, t.HasAgent, t.Labels, t.Office?.Value)));
            }

        return TypedResults.Ok(new Page<RuleTouchResource>([.. touched.Skip(page.Skip).Take(page.Take)], touched.Count).Shown(page, t => t));
    }

    private static async Task<(Refusal? Refusal, PlacementRule? Rule)> Find(string name, ReadModelQueries queries)
    {
        if (ApiIds.Read(name, out RuleName rule) is { } wrong)
            return (wrong, null);
        var rules = await queries.Rules();
        return rules.FirstOrDefault(r => r.Name == rule) is { } found
            ? (null, found)
            : (new Refusal(RefusalCode.NotFound, $"there is no rule '{name}'{NearMiss.Hint(name, rules.Select(r => r.Name.Value))}"), null);
    }

    private static async Task<PlacementRule?> Known(RuleName name, ReadModelQueries queries) => (await queries.Rules()).FirstOrDefault(r => r.Name == name);

    private static async Task<Results<Ok<RuleResource>, ProblemHttpResult>> Settle(Answer answer, string name, ReadModelQueries queries, Settled settled, Func<PlacementRule?, bool> shown)
    {
        if (answer.Refusal is { } refusal)
            return refusal.Problem();
        return await settled.When(() => Known(new RuleName(name), queries), shown) is { } rule ? TypedResults.Ok(Of(rule)) : Refusal.NotFound("rule", name).Problem();
    }

    private static Refusal? Read(RuleResource content, out PlacementRule? rule)
    {
        rule = null;
        OfficeId? to = null;
        IReadOnlyList<OfficeId> offices = [];
        if ((ApiIds.Read(content.Name, out RuleName name) ?? ApiIds.Optional(content.Office, ApiIds.Read, out to) ?? ApiIds.Each(content.InOffices, ApiIds.Read, out offices)) is { } wrong)
            return wrong;
        if (Modes.FirstOrDefault(m => m.Value == content.Mode) is not { Value: not null, Key: var mode })
            return Refusal.Invalid($"mode is {string.Join(", ", Modes.Values)}, not '{content.Mode}'{NearMiss.Hint(content.Mode, Modes.Values)}");
        var none = new Dictionary<string, string>();
        rule = new PlacementRule(name, content.Enabled,
            new RuleConditions(content.Addresses ?? [], content.Names ?? [], content.Systems ?? [], offices, content.WithLabels ?? none, content.Vendors ?? [], content.HasAgent),
            mode, content.Labels ?? none, to);
        return RuleRules.Problem(rule) is { } problem ? Refusal.Invalid(problem) : null;
    }

    private static bool Same(RuleResource one, RuleResource other) =>
        System.Text.Json.JsonSerializer.Serialize(one, ApiJson.Default.RuleResource) == System.Text.Json.JsonSerializer.Serialize(other, ApiJson.Default.RuleResource);

    private static RuleResource Of(PlacementRule r) => new(
        r.Name.Value, r.Enabled, Modes[r.Mode], r.Conditions.Addresses, r.Conditions.Names, r.Conditions.Systems, [.. r.Conditions.Offices.Select(o => o.Value)], r.Conditions.Labels, r.Conditions.Vendors,
        r.Conditions.HasAgent, r.Labels, r.Office?.Value);
}
