using System.Collections.Immutable;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Rules;

/// <summary>Lets the rule book act on an office's devices. Pure.</summary>
internal static class Placement
{
    private const string By = "rules";

    /// <summary>Rules move one device at most this often: two offices whose rules disagree do not play ball with it.</summary>
    private static readonly TimeSpan MoveQuiet = TimeSpan.FromHours(1);

    /// <summary>What rules do to the device now; empty: nothing.</summary>
    public static IReadOnlyList<IOfficeEvent> Of(Office office, Device device, DateTimeOffset now)
    {
        var subject = Subject.Of(office.Id, device);
        var acting = office.Rules.Rules.Where(r => r.Enabled && r.Conditions.HasAgent != false && subject.Meets(r.Conditions) && MayAct(office, device, r)).ToList();
        return Placed(office, device, acting, now);
    }

    private static IReadOnlyList<IOfficeEvent> Placed(Office office, Device device, List<PlacementRule> acting, DateTimeOffset now)
    {
        if (acting.Count == 0)
            return [];
        var labels = Given(acting).Aggregate(device.Known.Labels.ToImmutableSortedDictionary(StringComparer.Ordinal), (all, l) => all.SetItem(l.Key, l.Value));
        var to = IsNode(office, device) || device.Known.Placement?.MovedAt + MoveQuiet > now ? null : acting.Select(r => r.Office).FirstOrDefault(o => o is not null && o != office.Id);
        var news = acting.Any(r => r.Mode != RuleMode.Continuous) || to is not null || !Same(labels, device.Known.Labels);
        if (!news)
            return [];
        var placed = new DevicePlaced(office.Id, device.Id, [.. acting.Select(r => r.Name)], labels, to is not null, now);
        return to is { } elsewhere ? [placed, new DeviceMovedOut(office.Id, device.Id, elsewhere, device.Apply(placed).Known, By, now)] : [placed];
    }

    /// <summary>Which of the office's devices, with and without an agent, a rule would touch.</summary>
    public static IReadOnlyList<RuleTouch> Try(Office office, PlacementRule rule)
    {
        var managed = office.Devices.Values.Where(d => Subject.Of(office.Id, d).Meets(rule.Conditions) && MayAct(office, d, rule))
            .Select(d => new RuleTouch(d.Id.Value, d.Known.Name, true, Missing(rule.Labels, d.Known.Labels), IsNode(office, d) || rule.Office == office.Id ? null : rule.Office))
            .Where(t => t.Labels.Count > 0 || t.Office is not null);
        var discovered = office.Discovered.Values.Where(d => Subject.Of(office.Id, d).Meets(rule.Conditions))
            .Select(d => new RuleTouch(d.DiscoveredId.Value, Discovery.DiscoveredRule.NameOf(d), false, rule.Labels, rule.Office == office.Id ? null : rule.Office));
        return [.. managed.Concat(discovered).OrderBy(t => t.Name, StringComparer.Ordinal).ThenBy(t => t.Id, StringComparer.Ordinal)];
    }

    /// <summary>What rules do to a discovered device in the moment in which its agent was set up there.</summary>
    public static IReadOnlyList<IOfficeEvent> AtEnrolment(Office office, DiscoveredDevice found, Device device, DateTimeOffset now)
    {
        var subject = Subject.Of(office.Id, found);
        return Placed(office, device, [.. office.Rules.Rules.Where(r => r.Enabled && subject.Meets(r.Conditions))], now);
    }

    private static bool MayAct(Office office, Device device, PlacementRule rule) => rule.Mode switch
    {
        RuleMode.Once => !HasActed(device, rule) && !office.Devices.Values.Any(d => d.Id != device.Id && HasActed(d, rule) && d.Known.Machine.Span.SequenceEqual(device.Known.Machine.Span)),
        RuleMode.OnceAndAtReenrolment => !HasActed(device, rule),
        _ => true,
    };

    private static bool HasActed(Device device, PlacementRule rule) => device.Known.Placement?.Rules.Contains(rule.Name) ?? false;

    private static IEnumerable<KeyValuePair<string, string>> Given(IEnumerable<PlacementRule> rules) => rules.SelectMany(r => r.Labels).GroupBy(l => l.Key).Select(l => l.First());

    private static Dictionary<string, string> Missing(IReadOnlyDictionary<string, string> wanted, IReadOnlyDictionary<string, string> has) =>
        wanted.Where(l => !(has.TryGetValue(l.Key, out var value) && value == l.Value)).ToDictionary(l => l.Key, l => l.Value);

    private static bool Same(ImmutableSortedDictionary<string, string> one, IReadOnlyDictionary<string, string> other) => one.Count == other.Count && Missing(one, other).Count == 0;

    // The machine of a node stays with it.
    private static bool IsNode(Office office, Device device) => office.Nodes.Values.Any(n => n.DeviceId == device.Id);
}
