using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary><c>/api/v1/rollouts</c>: brings published versions of packages to devices.</summary>
internal static class RolloutEndpoints
{
    private const string OnlyRing = "all";
    private static readonly TimeSpan UsualSoak = TimeSpan.FromHours(1);

    public static void MapRollouts(this IEndpointRouteBuilder api)
    {
        var rollouts = api.MapGroup("/rollouts").WithTags("Rollouts");
        rollouts.MapGet("", List).WithSummary("Lists rollouts, those that go on first; 'open' and 'package' narrow the list.");
        rollouts.MapPost("", Create).WithSummary("Begins a rollout of a published version of a package; the same again changes nothing.");
        rollouts.MapGet("/{name}", Show).WithSummary("Shows a rollout and how its rings stand.");
        rollouts.MapGet("/{name}/events", Events).WithSummary("The history of a rollout, newest first.");
        rollouts.MapGet("/{name}/devices", RolloutDeviceEndpoints.Devices).WithSummary("Lists the devices of a rollout that do not have the version, and what each waits for; all of them with 'all'.");
        api.MapGet("/devices/{id}/packages", RolloutDeviceEndpoints.Packages).WithTags("Devices").WithSummary("Why a device does not have a package yet: the way from headquarters to it, and the step that waits.");
        rollouts.MapPost("/{name}/pause", Pause).WithSummary("Begins no further ring until it is resumed; devices of the rings that are reached go on.");
        rollouts.MapPost("/{name}/resume", Resume).WithSummary("Lets a paused rollout go on.");
        rollouts.MapPost("/{name}/halt", Halt).WithSummary("Ends a rollout: no device that does not have the version begins to install it.");
    }

    private static async Task<Results<Ok<ListPage<RolloutResource>>, ProblemHttpResult>> List([AsParameters] PageParameters paging, bool? open, string? package, RolloutQueries queries)
    {
        if (paging.Read(out var page) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Rollouts(page, open, package)).Shown(page, RolloutResources.Of));
    }

    private static async Task<Results<Ok<RolloutResource>, ProblemHttpResult>> Show(string name, RolloutQueries queries)
    {
        if (ApiIds.Read(name, out RolloutName rollout) is { } wrong)
            return wrong.Problem();
        return await queries.Rollout(rollout) is { } found ? TypedResults.Ok(RolloutResources.Of(found)) : (await Missing(name, queries)).Problem();
    }

    internal static async Task<Refusal> Missing(string name, RolloutQueries queries) =>
        new(RefusalCode.NotFound, $"there is no rollout '{name}'{NearMiss.Hint(name, await queries.Names())}");

    private static async Task<Results<Ok<ListPage<RolloutEventResource>>, ProblemHttpResult>> Events(string name, [AsParameters] PageParameters paging, RolloutQueries queries)
    {
        PageRequest page = default;
        if ((ApiIds.Read(name, out RolloutName rollout) ?? paging.Read(out page)) is { } wrong)
            return wrong.Problem();
        return TypedResults.Ok((await queries.Events(rollout, page)).Shown(page, RolloutResources.Of));
    }

    private static async Task<Results<Ok<RolloutResource>, ProblemHttpResult>> Create(NewRollout wanted, TenantRepository repository, Owners owners, RolloutQueries queries, Settled settled)
    {
        if (Missing(wanted) is { } missing)
            return Refusal.Invalid(missing).Problem();
        if (repository.Find(wanted.Package, wanted.Version) is not { } published)
            return new Refusal(RefusalCode.NotFound, $"{wanted.Package} {wanted.Version} is not published{Hint(wanted, repository)}").Problem();
        if (Read(wanted, published, out var plan) is { } wrong)
            return wrong.Problem();
        return await Settle(await owners.Ask(new CreateRollout(plan!, Owners.Administrator)), plan!.Name, queries, settled, _ => true);
    }

    private static Task<Results<Ok<RolloutResource>, ProblemHttpResult>> Pause(string name, Owners owners, RolloutQueries queries, Settled settled) =>
        Change(name, r => new PauseRollout(r, Owners.Administrator), owners, queries, settled, r => r.State == RolloutState.Paused);

    private static Task<Results<Ok<RolloutResource>, ProblemHttpResult>> Resume(string name, Owners owners, RolloutQueries queries, Settled settled) =>
        Change(name, r => new ResumeRollout(r, Owners.Administrator), owners, queries, settled, r => r.State != RolloutState.Paused);

    private static Task<Results<Ok<RolloutResource>, ProblemHttpResult>> Halt(string name, RolloutHalt halt, Owners owners, RolloutQueries queries, Settled settled) =>
        Change(name, r => new HaltRollout(r, halt.RollBack, Owners.Administrator), owners, queries, settled, r => r.State == RolloutState.Halted && (r.RolledBack || !halt.RollBack));

    private static async Task<Results<Ok<RolloutResource>, ProblemHttpResult>> Change(
        string name, Func<RolloutName, ICompanyCommand> command, Owners owners, RolloutQueries queries, Settled settled, Func<RolloutSnapshot, bool> shown)
    {
        if (ApiIds.Read(name, out RolloutName rollout) is { } wrong)
            return wrong.Problem();
        return await Settle(await owners.Ask(command(rollout)), rollout, queries, settled, shown);
    }

    private static async Task<Results<Ok<RolloutResource>, ProblemHttpResult>> Settle(Answer answer, RolloutName name, RolloutQueries queries, Settled settled, Func<RolloutSnapshot, bool> shown)
    {
        if (answer.Refusal is { } refusal)
            return refusal.Problem();
        return await settled.When(() => queries.Rollout(name), r => r is not null && shown(r.Rollout)) is { } rollout
            ? TypedResults.Ok(RolloutResources.Of(rollout))
            : Refusal.NotFound("rollout", name.Value).Problem();
    }

    // JSON may leave out, or have null, what the resource's types say is there.
    private static string? Missing(NewRollout wanted) =>
        wanted.Package is null || wanted.Version is null ? "package and version are missing"
        : (wanted.Rings ?? []).Any(r => r?.Name is null) ? "a ring without a name"
        : (wanted.Parameters ?? new Dictionary<string, string>()).Values.Any(v => v is null) ? "a parameter without a value"
        : (wanted.Rings ?? []).Select(r => r.Picks).Append(wanted.For).SelectMany(s => s?.Labels?.Values ?? []).Any(v => v is null) ? "a label without a value"
        : null;

    private static string Hint(NewRollout wanted, TenantRepository repository)
    {
        var versions = repository.Packages.Where(p => p.Name == wanted.Package).Select(p => p.Version).ToList();
        return versions.Count > 0 ? $"; there is {string.Join(", ", versions.Take(5))}" : NearMiss.Hint(wanted.Package, repository.Packages.Select(p => p.Name).Distinct());
    }

    private static Refusal? Read(NewRollout wanted, PublishedPackage published, out RolloutPlan? plan)
    {
        plan = null;
        var rings = new List<RingPlan>();
        var given = wanted.Rings is { Count: > 0 } some ? some : [new NewRing(OnlyRing)];
        foreach (var ring in given)
        {
            if (Read(ring.Picks, out var picks) is { } unread)
                return unread;
            if (ring.SoakSeconds is < 0 or > int.MaxValue)
                return Refusal.Invalid($"ring {ring.Name}: soakSeconds is 0 or more, and at most 60 days");
            var soak = ring.SoakSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : given.Count == 1 ? TimeSpan.Zero : UsualSoak;
            rings.Add(new RingPlan(ring.Name, picks!, ring.Percent, ring.SuccessPercent, ring.FailCount ?? (ring.FailPercent is > 0 ? 0 : 1), ring.FailPercent ?? 0, soak));
        }

        if (Read(wanted.For, out var selector) is { } wrong)
            return wrong;
        if (ApiIds.Read(wanted.Name ?? NameOf(published), out RolloutName name) is { } misnamed)
            return misnamed;
        plan = new RolloutPlan(name, published.Name, published.Version, Fleet.Updates.Packages.InstallKinds.Name(published.Kind), published.Manifest.Value, published.Length, selector!, rings,
            wanted.RollBack, wanted.Parameters ?? new Dictionary<string, string>());
        return null;
    }

    private static Refusal? Read(DeviceSelector? selector, out ReleaseSelector? read)
    {
        read = null;
        IReadOnlyList<DeviceId> devices = [];
        if ((ApiIds.Each(selector?.Offices, ApiIds.Read, out IReadOnlyList<OfficeId> offices) ?? ApiIds.Each(selector?.Devices, ApiIds.Read, out devices)) is { } wrong)
            return wrong;
        read = new ReleaseSelector(offices, selector?.Labels ?? new Dictionary<string, string>(), devices);
        return null;
    }

    // A version has characters that names do not.
    private static string NameOf(PublishedPackage package)
    {
        var version = new string([.. package.Version.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-')]);
        var name = $"{package.Name}-{version}";
        return name[..Math.Min(name.Length, IdText.MaxLength)].TrimEnd('-');
    }
}
