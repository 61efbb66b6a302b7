using System.IO.Enumeration;
using System.Net;
using Fleet.Contracts;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Discovery;
using Fleet.Messages.Company;
using Fleet.Messages.Networks;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Rules;

/// <summary>What rules see of a device: a managed one by its inventory, a discovered one by what polls saw.</summary>
internal sealed record Subject(
    bool HasAgent, OfficeId Office, IReadOnlyList<string> Names, string System, IReadOnlyList<string> Addresses, IReadOnlyList<string> Vendors, IReadOnlyDictionary<string, string> Labels)
{
    public static Subject Of(OfficeId office, Device device)
    {
        var inventory = device.ReadInventory();
        return new Subject(
            HasAgent: true, office, [device.Known.Name, inventory.HostName], $"{inventory.OsName} {inventory.OsVersion}".Trim(),
            [.. inventory.Interfaces.SelectMany(i => i.Addresses)], [.. inventory.Interfaces.Select(i => Discovery.Vendors.Of(CleanSighting.Mac(i.Mac)))], device.Known.Labels);
    }

    public static Subject Of(OfficeId office, DiscoveredDevice device) => new(
        HasAgent: false, office, [.. device.Names.Select(n => n.Name)], device.OperatingSystem,
        [.. device.Addresses.Select(a => a.Address)], [Discovery.Vendors.Of(device.Mac)], new Dictionary<string, string>());

    public bool Meets(RuleConditions conditions) =>
        (conditions.HasAgent is not { } agent || agent == HasAgent)
        && (conditions.Offices.Count == 0 || conditions.Offices.Contains(Office))
        && conditions.Labels.All(l => Labels.TryGetValue(l.Key, out var value) && value == l.Value)
        && AnyFits(conditions.Names, Names) && AnyFits(conditions.Systems, [System]) && AnyFits(conditions.Vendors, Vendors)
        && (conditions.Addresses.Count == 0 || AnyInside(conditions.Addresses));

    // Whose pattern is wanted has a text: an unknown system is not "*".
    private static bool AnyFits(IReadOnlyList<string> patterns, IReadOnlyList<string> texts) =>
        patterns.Count == 0 || texts.Any(t => t.Length > 0 && patterns.Any(p => FileSystemName.MatchesSimpleExpression(p, t, ignoreCase: true)));

    private bool AnyInside(IReadOnlyList<string> texts)
    {
        var ranges = texts.Select(AddressRange.Parse).ToList();
        return Addresses.Any(a => IPAddress.TryParse(a, out var address) && ranges.Any(r => r.Contains(address)));
    }
}
