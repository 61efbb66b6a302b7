using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Api;

/// <summary>Rollouts as the API shows them.</summary>
internal static class RolloutResources
{
    public static RolloutResource Of(RolloutView view)
    {
        var (rollout, plan) = (view.Rollout, view.Rollout.Plan);
        return new RolloutResource(
            plan.Name.Value, plan.Package, plan.PackageVersion, Name(rollout.State), Of(plan.For), [.. plan.Rings.Select((r, at) => Of(r, at < rollout.Reached, view.Of(r.Name)))],
            plan.RollBack, rollout.RolledBack, plan.Parameters, Text(rollout.Why), Text(view.WaitsFor), rollout.CreatedAt, rollout.By, rollout.EndedAt);
    }

    public static string Name(RolloutState state) => state.ToString().ToLowerInvariant();

    private static RingResource Of(RingPlan ring, bool reached, RingCount count) => new(
        ring.Name, reached, count.Picked, count.Installed, count.Failed, count.RolledBack, Of(ring.Picks), ring.Percent, ring.SuccessPercent, ring.FailCount, ring.FailPercent, ring.Soak.TotalSeconds);

    private static DeviceSelector Of(ReleaseSelector selector) => new(
        selector.Offices.Count > 0 ? [.. selector.Offices.Select(o => o.Value)] : null,
        selector.Labels.Count > 0 ? selector.Labels : null,
        selector.Devices.Count > 0 ? [.. selector.Devices.Select(d => d.Value)] : null);

    private static string? Text(string text) => text.Length > 0 ? text : null;
}
