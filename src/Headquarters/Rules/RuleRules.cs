using Fleet.Contracts;
using Fleet.Headquarters.Company;
using Fleet.Messages.Company;
using Fleet.Messages.Networks;

namespace Fleet.Headquarters.Rules;

/// <summary>What the company decides on its rule book. Pure.</summary>
internal static class RuleRules
{
    private const int MostRules = 200;
    private const int MostEach = 50;
    private const int MostText = 128;

    public static CompanyDecision Decide(Company.Company company, PutRule command, DateTimeOffset now)
    {
        var (rule, rules) = (command.Rule, company.Rules.Rules);
        if (Problem(rule) is { } wrong)
            return Company.Company.Refuse(RefusalCode.Invalid, wrong);
        if (rule.Conditions.Offices.Append(rule.Office ?? default).FirstOrDefault(o => o.Value is not null && !company.Offices.ContainsKey(o.Value)) is { Value: not null } unknown)
            return Company.Company.Refuse(RefusalCode.NotFound, $"the rule names office {unknown}, which does not exist{NearMiss.Hint(unknown.Value, company.Offices.Keys)}");
        var known = rules.Any(r => r.Name == rule.Name);
        if (!known && rules.Count >= MostRules)
            return Company.Company.Refuse(RefusalCode.Busy, $"there are {MostRules} rules, the most that a company has; remove one first");
        return Changed(company, known ? rules.Select(r => r.Name == rule.Name ? rule : r) : rules.Append(rule), $"{rule.Name} {(known ? "changed" : "created")}", command.By, now);
    }

    public static CompanyDecision Decide(Company.Company company, MoveRule command, DateTimeOffset now)
    {
        if (Find(company, command.Name, out var moved) is { } missing)
            return missing;
        var others = company.Rules.Rules.Where(r => r.Name != command.Name).ToList();
        if (command.Before is not { } before)
            return Changed(company, others.Append(moved!), $"{command.Name} moved behind all", command.By, now);
        if (before == command.Name)
            return Company.Company.Refuse(RefusalCode.Invalid, $"rule {before} can't be moved before itself");
        if (Find(company, before, out _) is { } nowhere)
            return nowhere;
        return Changed(company, others.SelectMany(r => r.Name == before ? [moved!, r] : new[] { r }), $"{command.Name} moved before {before}", command.By, now);
    }

    public static CompanyDecision Decide(Company.Company company, EnableRule command, DateTimeOffset now)
    {
        if (Find(company, command.Name, out var rule) is { } missing)
            return missing;
        return rule!.Enabled == command.Enabled
            ? new CompanyDecision([], new CompanyAccepted())
            : Changed(company, company.Rules.Rules.Select(r => r.Name == command.Name ? r with { Enabled = command.Enabled } : r), $"{command.Name} turned {(command.Enabled ? "on" : "off")}", command.By, now);
    }

    public static CompanyDecision Decide(Company.Company company, RemoveRule command, DateTimeOffset now) =>
        Find(company, command.Name, out _) ?? Changed(company, company.Rules.Rules.Where(r => r.Name != command.Name), $"{command.Name} removed", command.By, now);

    /// <summary>What follows from an office's end: rules that give it are turned off, or devices would be sent there and come back for ever.</summary>
    public static IReadOnlyList<ICompanyEvent> Without(Company.Company company, OfficeRemoved gone)
    {
        var giving = company.Rules.Rules.Where(r => r.Enabled && r.Office == gone.OfficeId).ToList();
        return giving.Count == 0 ? [] : Changed(company, company.Rules.Rules.Select(r => giving.Contains(r) ? r with { Enabled = false } : r),
            $"{string.Join(", ", giving.Select(r => r.Name))} turned off: office {gone.OfficeId} is gone", gone.By, gone.At).Events;
    }

    /// <summary>What is wrong with a rule; null: nothing that its own text shows.</summary>
    public static string? Problem(PlacementRule rule)
    {
        var c = rule.Conditions;
        if (rule.Labels.Count == 0 && rule.Office is null)
            return "the rule gives neither labels nor an office";
        if (c.Addresses.Count + c.Names.Count + c.Systems.Count + c.Offices.Count + c.Labels.Count + c.Vendors.Count == 0 && c.HasAgent is null)
            return "the rule has no condition: it would take every device; say which, or name=* for all";
        if (!Enum.IsDefined(rule.Mode))
            return "a rule acts once, once and at re-enrolment, or continuously";
        if (c.HasAgent == false && rule.Mode != RuleMode.Continuous && rule.Office is null)
            return "labels are given to devices with an agent; a rule for devices without one gives the office in which their agent enrols";
        var texts = c.Names.Concat(c.Systems).Concat(c.Vendors).Concat(c.Addresses).ToList();
        if (texts.Count > MostEach || c.Offices.Count > MostEach || c.Labels.Count > MostEach || rule.Labels.Count > MostEach)
            return $"a rule has at most {MostEach} conditions of a kind, and labels";
        if (texts.Concat(rule.Labels.Keys).Concat(c.Labels.Keys).Any(t => t.Length is 0 or > MostText) || rule.Labels.Values.Concat(c.Labels.Values).Any(t => t.Length > MostText))
            return $"patterns, labels and their values have 1 to {MostText} characters";
        try
        {
            foreach (var text in c.Addresses)
                AddressRange.Parse(text);
            return null;
        }
        catch (FormatException wrong)
        {
            return wrong.Message;
        }
    }

    private static CompanyDecision? Find(Company.Company company, RuleName name, out PlacementRule? rule)
    {
        rule = company.Rules.Rules.FirstOrDefault(r => r.Name == name);
        return rule is null ? Company.Company.Refuse(RefusalCode.NotFound, $"there is no rule {name}{NearMiss.Hint(name.Value, company.Rules.Rules.Select(r => r.Name.Value))}") : null;
    }

    private static CompanyDecision Changed(Company.Company company, IEnumerable<PlacementRule> rules, string what, string by, DateTimeOffset now) =>
        new([new RuleBookChanged(new RuleBook(company.Rules.Version + 1, [.. rules]), what, by, now)], new CompanyAccepted());
}
