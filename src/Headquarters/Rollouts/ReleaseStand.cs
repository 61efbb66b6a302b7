using Fleet.Contracts.Agents;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Rollouts;

/// <summary>How a version that a rollout brings stands on one device, by what the device reported.</summary>
/// <param name="Status">What it said of the package; null: nothing yet.</param>
internal readonly record struct ReleaseStand(Stand Stand, PackageStatus? Status)
{
    public static ReleaseStand Of(Release release, IReadOnlyList<PackageStatus> packages) => Of(release.Rollout, release.Package, release.PackageVersion, packages);

    public static ReleaseStand Of(RolloutPlan plan, IReadOnlyList<PackageStatus> packages) => Of(plan.Name.Value, plan.Package, plan.PackageVersion, packages);

    private static ReleaseStand Of(string rollout, string package, string version, IReadOnlyList<PackageStatus> packages)
    {
        var status = packages.FirstOrDefault(p => p.Name == package);
        return new ReleaseStand(status?.Step switch
        {
            PackageStep.Installed when status.InstalledVersion == version => Stand.Installed,
            // What failed in another rollout is tried anew in this one.
            PackageStep.Failed when status.Rollout == rollout => Stand.Failed,
            PackageStep.RolledBack when status.Rollout == rollout => Stand.RolledBack,
            _ => Stand.UnderWay,
        }, status);
    }
}

internal enum Stand
{
    UnderWay = 1,
    Installed = 2,
    Failed = 3,
    RolledBack = 4,
}

internal static class Stands
{
    public static string Name(this Stand stand) => stand switch
    {
        Stand.Installed => "installed",
        Stand.Failed => "failed",
        Stand.RolledBack => "rolled-back",
        _ => "under-way",
    };

    /// <summary>One more device that stands so.</summary>
    public static RingCount With(this RingCount count, Stand stand) => stand switch
    {
        Stand.Installed => count with { Installed = count.Installed + 1 },
        Stand.Failed => count with { Failed = count.Failed + 1 },
        Stand.RolledBack => count with { RolledBack = count.RolledBack + 1 },
        _ => count,
    };
}
