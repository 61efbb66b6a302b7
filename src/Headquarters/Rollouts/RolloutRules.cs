using Fleet.Contracts;
using Fleet.Headquarters.Company;
using Fleet.Messages.Company;
using Fleet.Messages.Serialization;
using MessagePack;

namespace Fleet.Headquarters.Rollouts;

/// <summary>What the company decides on rollouts. Pure.</summary>
internal static class RolloutRules
{
    private const int MostRollouts = 200;
    private const int MostRings = 20;
    private const int MostEach = 500;
    private const int MostParameters = 50;
    private const int MostText = 1000;
    private const int Hundred = 100;
    private static readonly TimeSpan LongestSoak = TimeSpan.FromDays(60);

    public static CompanyDecision Decide(Company.Company company, CreateRollout command, DateTimeOffset now)
    {
        var plan = command.Plan;
        if (Problem(plan) is { } wrong)
            return Company.Company.Refuse(RefusalCode.Invalid, wrong);
        if (Selectors(plan).SelectMany(s => s.Offices).FirstOrDefault(o => !company.Offices.ContainsKey(o.Value)) is { Value: not null } unknown)
            return Company.Company.Refuse(RefusalCode.NotFound, $"the rollout names office {unknown}, which does not exist{NearMiss.Hint(unknown.Value, company.Offices.Keys)}");
        if (company.Rollouts.FirstOrDefault(r => r.Name == plan.Name) is { } known)
            return Same(known.Plan, plan)
                ? Accept()
                : Company.Company.Refuse(RefusalCode.AlreadyExists, $"there is a rollout {plan.Name} already, of {known.Plan.Package} {known.Plan.PackageVersion}; name this one otherwise");
        if (Forgotten(company, now) is not { } forgotten)
            return Company.Company.Refuse(RefusalCode.Busy, $"there are {MostRollouts} rollouts that still say what devices should have, the most that a company has; halt some with roll-back, or let newer ones take their place");
        return Changed(company, [.. forgotten, new RolloutCreated(plan, company.Updates.Version + 1, command.By, now)], $"rollout {plan.Name} created", command.By, now);
    }

    public static CompanyDecision Decide(Company.Company company, PauseRollout command, DateTimeOffset now) => Find(company, command.Name, out var rollout) ?? rollout!.Known.State switch
    {
        RolloutState.Paused => Accept(),
        RolloutState.Running => new CompanyDecision([new RolloutPaused(command.Name, command.By, now)], new CompanyAccepted()),
        _ => Over(rollout),
    };

    public static CompanyDecision Decide(Company.Company company, ResumeRollout command, DateTimeOffset now) => Find(company, command.Name, out var rollout) ?? rollout!.Known.State switch
    {
        RolloutState.Running => Accept(),
        RolloutState.Paused => new CompanyDecision([new RolloutResumed(command.Name, command.By, now)], new CompanyAccepted()),
        _ => Over(rollout),
    };

    /// <param name="tally">How it stands.</param>
    public static CompanyDecision Decide(Company.Company company, HaltRollout command, Func<Rollout, RolloutTally> tally, DateTimeOffset now)
    {
        if (Find(company, command.Name, out var rollout) is { } missing)
            return missing;
        // One that was halted may be rolled back later.
        if (rollout!.Known.State == RolloutState.Halted && (rollout.Known.RolledBack || !command.RollBack))
            return Accept();
        var why = $"{command.By} halted it{(command.RollBack ? " with roll-back" : "")}";
        return Changed(company, [new RolloutHalted(command.Name, why, command.RollBack, tally(rollout).Rings, command.By, now, tally(rollout).Failures)], $"rollout {command.Name} halted", command.By, now);
    }

    /// <inheritdoc cref="Decide(Company.Company, HaltRollout, Func{Rollout, RolloutTally}, DateTimeOffset)"/>
    public static CompanyDecision Decide(Company.Company company, WithdrawVersion command, Func<Rollout, RolloutTally> tally, DateTimeOffset now)
    {
        // Nobody can be told to have what is no longer signed, so what has it gets the version before.
        var halted = company.Rollouts.Where(r => r.Plan.Package == command.Package && r.Plan.PackageVersion == command.PackageVersion && !r.Known.RolledBack)
            .Select(r => new RolloutHalted(r.Name, $"{command.By} withdrew {command.Package} {command.PackageVersion}", RolledBack: true, tally(r).Rings, command.By, now, tally(r).Failures));
        return Changed(company, [.. halted], $"{command.Package} {command.PackageVersion} withdrawn", command.By, now);
    }

    /// <summary>What follows from how devices stand and the time; empty: nothing.</summary>
    public static IReadOnlyList<ICompanyEvent> Step(Company.Company company, Func<Rollout, RolloutTally> tally, DateTimeOffset now)
    {
        var events = new List<ICompanyEvent>();
        foreach (var rollout in company.Rollouts.Where(r => !r.IsOver))
        {
            var next = rollout;
            while (next.Step(tally(next), company.Updates.Version + 1, now) is { } step)
            {
                events.Add(step);
                next = next.Apply(step);
            }
        }

        // What a newer one has taken the place of, nobody needs to bring to its end.
        var after = events.Aggregate(company, (c, e) => c.Apply(e)).Rollouts;
        events.AddRange(after.Where(r => !r.IsOver).Select(r => (Rollout: r, By: after.Skip(after.IndexOf(r) + 1).FirstOrDefault(later => later.Replaces(r))))
            .Where(r => r.By is not null).Select(r => new RolloutHalted(r.Rollout.Name, $"{r.By!.Name} has taken its place", RolledBack: false, tally(r.Rollout).Rings, Rollout.ByItself, now, tally(r.Rollout).Failures)));
        return Changed(company, events, string.Join(", ", events.Select(e => $"{((IRolloutEvent)e).Name}: {e.GetType().Name}")), Rollout.ByItself, now).Events;
    }

    /// <summary>The releases that rollouts make, oldest first; those that newer ones took the place of are left out.</summary>
    public static IReadOnlyList<Release> Releases(IReadOnlyList<Rollout> rollouts) =>
        [.. rollouts.Where((r, at) => !rollouts.Skip(at + 1).Any(later => later.Replaces(r))).Select(r => r.Release).OfType<Release>()];

    /// <summary>What is wrong with a plan; null: nothing.</summary>
    public static string? Problem(RolloutPlan plan)
    {
        if (plan.Rings.Count is 0 or > MostRings)
            return $"a rollout has 1 to {MostRings} rings, not {plan.Rings.Count}";
        if (plan.Rings.GroupBy(r => r.Name).FirstOrDefault(g => g.Count() > 1) is { Key: var twice })
            return $"there are two rings '{twice}'";
        if (plan.Parameters.Count > MostParameters || plan.Parameters.Any(p => p.Key.Length is 0 or > MostText || p.Value.Length > MostText))
            return $"a rollout has at most {MostParameters} parameters, and their names and values at most {MostText} characters";
        if (Selectors(plan).Any(s => s.Offices.Count > MostEach || s.Devices.Count > MostEach || s.Labels.Count > MostEach || s.Labels.Any(l => l.Key.Length is 0 or > MostText || l.Value.Length > MostText)))
            return $"a selector names at most {MostEach} offices, devices and labels: use labels for more";
        return plan.Rings.Select(Problem).FirstOrDefault(p => p is not null);
    }

    private static string? Problem(RingPlan ring)
    {
        if (IdText.Problem(ring.Name) is { } misnamed)
            return $"ring: {misnamed}";
        if (ring.Percent is < 1 or > Hundred || ring.SuccessPercent is < 1 or > Hundred || ring.FailPercent is < 0 or > Hundred)
            return $"ring {ring.Name}: percentages are 1 to {Hundred}";
        if (ring.FailCount < 0)
            return $"ring {ring.Name}: {ring.FailCount} devices can't fail";
        return ring.Soak < TimeSpan.Zero || ring.Soak > LongestSoak ? $"ring {ring.Name}: it soaks at most {LongestSoak.Days} days" : null;
    }

    // Null: there are too many, and none can be let go.
    private static List<RolloutForgotten>? Forgotten(Company.Company company, DateTimeOffset now)
    {
        if (company.Rollouts.Count < MostRollouts)
            return [];
        var needed = RolloutRules.Releases(company.Rollouts).Select(r => r.Rollout).ToHashSet();
        return company.Rollouts.FirstOrDefault(r => r.IsOver && !needed.Contains(r.Name.Value)) is { } oldest ? [new RolloutForgotten(oldest.Name, now)] : null;
    }

    private static IEnumerable<ReleaseSelector> Selectors(RolloutPlan plan) => plan.Rings.Select(r => r.Picks).Prepend(plan.For);

    private static CompanyDecision? Find(Company.Company company, RolloutName name, out Rollout? rollout)
    {
        rollout = company.Rollouts.FirstOrDefault(r => r.Name == name);
        return rollout is null ? Company.Company.Refuse(RefusalCode.NotFound, $"there is no rollout {name}{NearMiss.Hint(name.Value, company.Rollouts.Select(r => r.Name.Value))}") : null;
    }

    private static CompanyDecision Accept() => new([], new CompanyAccepted());

    private static CompanyDecision Over(Rollout rollout) =>
        Company.Company.Refuse(RefusalCode.NotAllowed, $"rollout {rollout.Name} is {rollout.Known.State.ToString().ToLowerInvariant()}; create another one");

    // The book follows its rollouts in the same write.
    private static CompanyDecision Changed(Company.Company company, IReadOnlyList<ICompanyEvent> events, string what, string by, DateTimeOffset now)
    {
        var releases = Releases(events.Aggregate(company, (c, e) => c.Apply(e)).Rollouts);
        return new CompanyDecision(
            Same(releases, company.Updates.Releases) ? events : [.. events, company.Changed(company.Updates with { Releases = releases }, what, by, now)],
            new CompanyAccepted());
    }

    // Record equality does not look inside collections.
    private static bool Same<T>(T one, T other) => MessagePackSerializer.Serialize(one, Codec.Options).AsSpan().SequenceEqual(MessagePackSerializer.Serialize(other, Codec.Options));
}
