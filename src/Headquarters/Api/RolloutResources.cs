using System.Text.Json;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Api;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Api;

/// <summary>Rollouts as the API shows them.</summary>
internal static class RolloutResources
{
    public static RolloutResource Of(RolloutView view)
    {
        var (rollout, plan) = (view.Rollout, view.Rollout.Plan);
        return new RolloutResource(
            plan.Name.Value, plan.Package, plan.PackageVersion, Name(rollout.State), Of(plan.For), [.. plan.Rings.Select((r, at) => Of(r, at < rollout.Reached, view.Of(r.Name)))],
            plan.RollBack, rollout.RolledBack, plan.Parameters, Text(rollout.Why), Text(view.WaitsFor),
            [.. rollout.Failures.Select(f => new FailureResource(f.DeviceId.Value, f.Name, f.OfficeId.Value, f.Ring, f.RolledBack, f.Detail, f.Since))], rollout.CreatedAt, rollout.By, rollout.EndedAt);
    }

    public static string Name(RolloutState state) => state.ToString().ToLowerInvariant();

    public static RolloutEventResource Of(RolloutEventView e) => new(e.At, e.Kind, e.Text);

    public static RolloutDeviceResource Of(OfficeId office, RolloutDevice d) => new(d.DeviceId.Value, d.Name, office.Value, d.Ring, d.Stand, Text(d.Installed), Text(d.Detail), d.Since);

    public static PackagePathResource Of(DeviceId device, PackagePath path) => new(
        device.Value, path.Rollout.Value, path.Package, path.PackageVersion, path.Ring, path.Steps.FirstOrDefault(s => s.State != StepState.Done)?.Where,
        [.. path.Steps.Select(s => new PathStepResource(s.Where, s.State.ToString().ToLowerInvariant(), s.Text, s.Since))]);

    public static PackageResource Of(PackageStatus p) => new(
        p.Name, Text(p.WantedVersion), Text(p.InstalledVersion), JsonNamingPolicy.KebabCaseLower.ConvertName(p.Step.ToString()), Text(p.Detail), p.Since?.ToDateTimeOffset(), Text(p.Rollout));

    public static CounterResource Of(ContentCountView c) => new(
        c.NodeId.Office.Value, c.NodeId.Value, Text(c.Count.Package), Text(c.Count.PackageVersion), c.Count.Total, c.Count.Here, c.Count.FromSources, c.Count.FromPeers, c.Count.ToDevices,
        c.Count.FromCache, c.Count.Healed, c.Count.DeltaSaved, c.Since, c.At);

    private static RingResource Of(RingPlan ring, bool reached, RingCount count) => new(
        ring.Name, reached, count.Picked, count.Installed, count.Failed, count.RolledBack, Of(ring.Picks), ring.Percent, ring.SuccessPercent, ring.FailCount, ring.FailPercent, ring.Soak.TotalSeconds);

    private static DeviceSelector Of(ReleaseSelector selector) => new(
        selector.Offices.Count > 0 ? [.. selector.Offices.Select(o => o.Value)] : null,
        selector.Labels.Count > 0 ? selector.Labels : null,
        selector.Devices.Count > 0 ? [.. selector.Devices.Select(d => d.Value)] : null);

    private static string? Text(string text) => text.Length > 0 ? text : null;
}
