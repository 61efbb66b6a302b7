using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Rollouts;
using Fleet.Messages.Company;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Rollouts;

/// <summary>Rollouts as the pure rules see them.</summary>
internal static class RolloutSituation
{
    public const string Manifest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    public static readonly ReleaseSelector Everybody = new([], new Dictionary<string, string>(), []);
    public static readonly ReleaseSelector Canaries = Labelled("ring", "canary");
    public static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static ReleaseSelector Labelled(string key, string value) => new([], new Dictionary<string, string> { [key] = value }, []);

    public static RingPlan Ring(string name, ReleaseSelector? picks = null, int percent = 100, TimeSpan soak = default) => new(name, picks ?? Everybody, percent, SuccessPercent: 100, FailCount: 1, FailPercent: 0, soak);

    public static RolloutPlan Plan(string version, params RingPlan[] rings) => new(
        new RolloutName($"tills-{version.Replace('.', '-')}"), "tills", version, "archive", Manifest, 1000, Everybody, rings.Length > 0 ? rings : [Ring("all")], RollBack: false, new Dictionary<string, string>());

    public static Company.Company With(this Company.Company company, ICompanyCommand command, DateTimeOffset? now = null)
    {
        var decision = company.Decide(command, now ?? Noon);
        Assert.IsNotType<CompanyRefused>(decision.Reply);
        return company.With(decision.Events);
    }

    public static Company.Company With(this Company.Company company, IEnumerable<ICompanyEvent> events) => events.Aggregate(company, (c, e) => c.Apply(e));

    /// <summary>What follows from how devices stand.</summary>
    public static Company.Company Stepped(this Company.Company company, DateTimeOffset now, params RingCount[] counts) => company.With(RolloutRules.Step(company, Tally(counts), now));

    /// <summary>Whole where the newest ring was counted.</summary>
    public static Func<Rollout, RolloutTally> Tally(params RingCount[] counts) => r => new RolloutTally(counts.Any(c => c.Rollout == r.Name && c.Ring == r.Ring.Name), [.. counts.Where(c => c.Rollout == r.Name)], []);

    public static RingCount Count(string version, string ring, int picked, int installed, int failed = 0, int rolledBack = 0) =>
        new(new RolloutName($"tills-{version.Replace('.', '-')}"), ring, picked, installed, failed, rolledBack);

    public static Rollout Of(this Company.Company company, string version) => company.Rollouts.Single(r => r.Plan.PackageVersion == version);

    public static DeviceReport WithPackage(this DeviceReport report, string wanted, string installed, PackageStep step, string rollout)
    {
        report.Packages.Add(new PackageStatus { Name = "tills", WantedVersion = wanted, InstalledVersion = installed, Step = step, Rollout = rollout });
        return report;
    }
}
