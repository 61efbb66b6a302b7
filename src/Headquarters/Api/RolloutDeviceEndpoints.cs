using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Offices;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fleet.Headquarters.Api;

/// <summary>How rollouts stand with single devices, asked of the offices' twins.</summary>
internal static class RolloutDeviceEndpoints
{
    private const int OfficesAtOnce = 16;

    public static async Task<Results<Ok<ListPage<RolloutDeviceResource>>, ProblemHttpResult>> Devices(
        string name, [AsParameters] PageParameters paging, bool? all, Owners owners, RolloutQueries rollouts, ReadModelQueries queries)
    {
        PageRequest page = default;
        if ((ApiIds.Read(name, out RolloutName id) ?? paging.Read(out page)) is { } wrong)
            return wrong.Problem();
        if (await rollouts.Rollout(id) is not { Rollout: var rollout })
            return (await RolloutEndpoints.Missing(name, rollouts)).Problem();
        var devices = new List<RolloutDeviceResource>();
        var offices = await queries.OfficeIds();
        foreach (var some in (rollout.Plan.For.Offices is { Count: > 0 } named ? offices.Intersect(named) : offices).Chunk(OfficesAtOnce))
            foreach (var (office, answer) in some.Zip(await Task.WhenAll(some.Select(o => owners.Ask(new ListRolloutDevices(o, rollout, all ?? false))))))
            {
                if (answer.Refusal is { } silent)
                    return silent.Problem();
                devices.AddRange(((RolloutDevices)answer.Reply!).Devices.Select(d => RolloutResources.Of(office, d)));
            }

        return TypedResults.Ok(new Page<RolloutDeviceResource>([.. devices.Skip(page.Skip).Take(page.Take)], devices.Count).Shown(page, d => d));
    }

    public static async Task<Results<Ok<ListPage<PackagePathResource>>, ProblemHttpResult>> Packages(string id, string? rollout, Owners owners, RolloutQueries rollouts, ReadModelQueries queries)
    {
        RolloutName? only = null;
        if ((ApiIds.Read(id, out DeviceId device) ?? ApiIds.Optional(rollout, ApiIds.Read, out only)) is { } wrong)
            return wrong.Problem();
        if (await queries.HomeOf(device) is not { } home)
            return Refusal.NotFound("device", id).Problem();
        var known = await rollouts.All();
        if (only is { } name && known.All(r => r.Plan.Name != name))
            return (await RolloutEndpoints.Missing(name.Value, rollouts)).Problem();
        // One that was rolled back is nobody's way any more, unless it is asked for.
        var answer = await owners.Ask(new ExplainDevice(home, device, [.. known.Where(r => only is { } one ? r.Plan.Name == one : !r.RolledBack)]));
        if (answer.Refusal is { } refusal)
            return refusal.Problem();
        var paths = ((DeviceExplained)answer.Reply!).Paths;
        return TypedResults.Ok(new ListPage<PackagePathResource>([.. paths.Select(p => RolloutResources.Of(device, p))], paths.Count, null));
    }
}
