using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Rollouts;

/// <summary>Says why a device does not have a version yet: the way from headquarters to it, and the step that waits. Pure.</summary>
internal static class PackagePaths
{
    private const string Headquarters = "headquarters";
    private const string OfficeStep = "office";
    private const string Point = "distribution-point";
    private const string DeviceStep = "device";
    private const string PackageStepName = "package";

    /// <summary>Of each package, the way of the newest rollout that is for the device.</summary>
    public static IReadOnlyList<PackagePath> Of(Office office, Device device, IReadOnlyList<RolloutSnapshot> rollouts, DevicePresence? presence) =>
        [.. rollouts.Where(r => UpdatePlans.Picks(r.Plan.For, office, device) && RingOf(r, office, device) is not null)
            .GroupBy(r => r.Plan.Package).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => Of(office, device, g.Last(), presence))];

    /// <summary>The office's devices of a rollout, by their names.</summary>
    public static IReadOnlyList<RolloutDevice> Devices(Office office, RolloutSnapshot rollout, bool all, Func<DeviceId, DevicePresence?> presence) =>
        [.. office.Devices.Values.Select(d => Of(office, d, rollout, presence)).OfType<RolloutDevice>().Where(d => all || d.Stand != Stand.Installed.Name())
            .OrderBy(d => d.Name, StringComparer.Ordinal).ThenBy(d => d.DeviceId.Value, StringComparer.Ordinal).Take(ListRolloutDevices.Most)];

    // Null: it is not one of its devices.
    private static RolloutDevice? Of(Office office, Device device, RolloutSnapshot rollout, Func<DeviceId, DevicePresence?> presence)
    {
        var packages = device.ReadPackages();
        var picked = ReleasePicks.For(office, device, () => packages).FirstOrDefault(p => p.Release?.Rollout == rollout.Plan.Name.Value);
        var (stand, status) = ReleaseStand.Of(rollout.Plan, packages);
        // What failed in a rollout that was halted is no longer told to have the version, and is what people look for.
        if (stand == Stand.UnderWay && Failure(rollout, device) is { } failed)
            return new RolloutDevice(device.Id, device.Known.Name, failed.Ring, (failed.RolledBack ? Stand.RolledBack : Stand.Failed).Name(), status?.InstalledVersion ?? "", failed.Detail, failed.Since);
        if (picked.Release is null && status?.Rollout != rollout.Plan.Name.Value)
            return null;
        var ring = picked.Release is null ? RingOf(rollout, office, device)?.Name ?? "" : picked.Ring.Name;
        var waits = stand == Stand.Installed ? null : Steps(office, device, rollout, presence(device.Id)).FirstOrDefault(s => s.State != StepState.Done);
        return new RolloutDevice(device.Id, device.Known.Name, ring, stand.Name(), status?.InstalledVersion ?? "", waits?.Text ?? "", waits?.Since);
    }

    private static PackagePath Of(Office office, Device device, RolloutSnapshot rollout, DevicePresence? presence) => new(
        rollout.Plan.Name, rollout.Plan.Package, rollout.Plan.PackageVersion, RingOf(rollout, office, device)!.Name, Steps(office, device, rollout, presence));

    private static IReadOnlyList<PathStep> Steps(Office office, Device device, RolloutSnapshot rollout, DevicePresence? presence)
    {
        var package = Package(device, rollout);
        // What is on the device has come all the way, whatever stands now.
        return package.State == StepState.Waits
            ? [Decided(office, device, rollout), Book(office, rollout), .. Links(office, presence), Mirrored(office, rollout), Present(presence), Obeys(device), package]
            : [package];
    }

    private static PathStep Decided(Office office, Device device, RolloutSnapshot rollout)
    {
        var ring = RingOf(rollout, office, device)?.Name ?? "";
        if (rollout.State == RolloutState.Halted)
            return new PathStep(Headquarters, StepState.Failed, $"rollout {rollout.Plan.Name} was halted: {rollout.Why}", rollout.EndedAt);
        return rollout.Plan.Rings.Take(rollout.Reached).Any(r => r.Name == ring)
            ? new PathStep(Headquarters, StepState.Done, $"ring {ring} is reached", rollout.ReachedAt)
            : new PathStep(Headquarters, StepState.Waits, $"the device is in ring {ring}, and the rollout has reached {rollout.Plan.Rings[rollout.Reached - 1].Name}{(rollout.State == RolloutState.Paused ? ", where it was paused" : "")}", rollout.ReachedAt);
    }

    private static PathStep Book(Office office, RolloutSnapshot rollout) => office.Updates.Version >= rollout.BookVersion
        ? new PathStep(OfficeStep, StepState.Done, $"{office.Id} has book {office.Updates.Version} of updates", null)
        : new PathStep(OfficeStep, StepState.Waits, $"{office.Id} has book {office.Updates.Version} of updates, and the rollout is in {rollout.BookVersion}", rollout.ReachedAt);

    // A device that syncs with headquarters itself needs no link.
    private static IEnumerable<PathStep> Links(Office office, DevicePresence? presence)
    {
        if (office.Nodes.Count == 0 || presence is { LastSync: not null, Through: null })
            yield break;
        var linked = office.Nodes.Values.Where(n => n.Linked).OrderBy(n => n.NodeId.Value, StringComparer.Ordinal).ToList();
        var last = office.Nodes.Values.MaxBy(n => n.LinkSince)!;
        yield return linked.Count > 0
            ? new PathStep(OfficeStep, StepState.Done, $"{linked[0].NodeId} is linked", linked[0].LinkSince)
            : new PathStep(OfficeStep, StepState.Waits, $"no node of {office.Id} is linked: {last.LinkReason}", last.LinkSince);
    }

    private static PathStep Mirrored(Office office, RolloutSnapshot rollout)
    {
        var points = office.Nodes.Values.Where(n => n.Roles.Contains(NodeRole.DistributionPoint)).OrderBy(n => n.NodeId.Value, StringComparer.Ordinal).ToList();
        if (points.Count == 0)
            return new PathStep(Point, StepState.Done, $"{office.Id} has none: devices fetch from headquarters", null);
        if (points.Find(p => p.Report?.Mirror is { } mirror && mirror.Whole.Contains(rollout.Plan.Manifest)) is { } whole)
            return new PathStep(Point, StepState.Done, $"{whole.NodeId} has all of {rollout.Plan.Package} {rollout.Plan.PackageVersion}", null);
        var first = points.Find(p => p.Report?.Mirror is { Problem.Length: > 0 }) ?? points[0];
        return first.Report?.Mirror is { Problem: { Length: > 0 } problem }
            ? new PathStep(Point, StepState.Waits, $"{first.NodeId}: {problem}", first.ReportedAt)
            : new PathStep(Point, StepState.Waits, $"{first.NodeId} fetches {rollout.Plan.Package} {rollout.Plan.PackageVersion}", rollout.ReachedAt);
    }

    private static PathStep Present(DevicePresence? presence) => presence switch
    {
        { State: PresenceState.Online } => new PathStep(DeviceStep, StepState.Done, $"is there: {presence.Why}", presence.Since),
        { State: PresenceState.Offline } => new PathStep(DeviceStep, StepState.Waits, $"is off: {presence.Why}", presence.Since),
        _ => new PathStep(DeviceStep, StepState.Waits, $"whether it is there is not known: {presence?.Why ?? "not heard of yet"}", presence?.Since),
    };

    private static PathStep Obeys(Device device)
    {
        var applied = device.Known.Report.IsEmpty ? 0 : DeviceReport.Parser.ParseFrom(device.Known.Report.Span).AppliedVersion;
        return applied >= device.Known.DesiredVersion
            ? new PathStep(DeviceStep, StepState.Done, $"obeys version {applied}", device.Known.ReportedAt)
            : new PathStep(DeviceStep, StepState.Waits, $"obeys version {applied} and is to obey {device.Known.DesiredVersion}: its next sync is waited for", device.Known.DesiredAt);
    }

    private static PathStep Package(Device device, RolloutSnapshot rollout)
    {
        var (stand, status) = ReleaseStand.Of(rollout.Plan, device.ReadPackages());
        var since = status?.Since?.ToDateTimeOffset();
        var named = $"{rollout.Plan.Package} {rollout.Plan.PackageVersion}";
        return (stand, status) switch
        {
            (Stand.Installed, _) => new PathStep(PackageStepName, StepState.Done, $"{named} is installed", since),
            (Stand.Failed, { } s) => new PathStep(PackageStepName, StepState.Failed, $"{named} failed: {s.Detail}", since),
            (Stand.RolledBack, { } s) => new PathStep(PackageStepName, StepState.Failed, $"{named} was rolled back to {(s.InstalledVersion.Length > 0 ? s.InstalledVersion : "nothing")}: {s.Detail}", since),
            _ when Failure(rollout, device) is { } f => new PathStep(PackageStepName, StepState.Failed, $"{named} {(f.RolledBack ? "was rolled back" : "failed")}: {f.Detail}", f.Since),
            (_, { } s) when s.WantedVersion == rollout.Plan.PackageVersion => new PathStep(PackageStepName, StepState.Waits, $"{Doing(s.Step)}{(s.Detail.Length > 0 ? $": {s.Detail}" : "")}", since),
            _ => new PathStep(PackageStepName, StepState.Waits, $"the device has not told of {named} yet", null),
        };
    }

    private static string Doing(PackageStep step) => step switch
    {
        PackageStep.Fetching => "fetches its content",
        PackageStep.Waiting => "has its content, and waits",
        PackageStep.Installing => "installs it",
        _ => "has begun",
    };

    private static RolloutFailure? Failure(RolloutSnapshot rollout, Device device) => rollout.Failures.FirstOrDefault(f => f.DeviceId == device.Id);

    // Reached or not.
    private static RingPlan? RingOf(RolloutSnapshot rollout, Office office, Device device) =>
        rollout.Plan.Rings.FirstOrDefault(r => UpdatePlans.Picks(r.Picks, office, device) && ReleasePicks.IsAmong(r.Percent, device.Id, rollout.Plan.Name.Value));
}
