using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Discovery;

/// <summary>Which discovered device a sighting is of, and what the device is then. Sightings are clean ones. Pure.</summary>
internal static class DiscoveredRule
{
    /// <summary>The device's best name: the most trusted, else an address, else its MAC.</summary>
    public static string NameOf(DiscoveredDevice device) =>
        device.Names.Count > 0 ? device.Names[0].Name : device.Addresses.Count > 0 ? device.Addresses[0].Address : device.Mac.Length > 0 ? device.Mac : device.Identity;

    /// <summary>
    /// The devices that the sighting is of, the one to keep first: by MAC, then by a directory's identity, then by a name or address where no MAC speaks
    /// against it. Several: what was taken for two is one.
    /// </summary>
    public static IReadOnlyList<DiscoveredDevice> Match(IEnumerable<DiscoveredDevice> known, Sighting seen)
    {
        var sure = known.Where(d => seen.Mac.Length > 0 && d.Mac == seen.Mac || seen.Identity.Length > 0 && d.Identity == seen.Identity && (d.Mac.Length == 0 || seen.Mac.Length == 0 || d.Mac == seen.Mac))
            .OrderByDescending(d => seen.Mac.Length > 0 && d.Mac == seen.Mac).ToList();
        if (sure.Count > 0)
            return sure;
        // A name or an address proves nothing against two MACs or two entries of a directory.
        var open = known.Where(d => (d.Mac.Length == 0 || seen.Mac.Length == 0) && (d.Identity.Length == 0 || seen.Identity.Length == 0)).ToList();
        var named = open.Where(d => SharesName(d, seen)).ToList();
        if (named.Count > 0)
            // Names that several have ("android") tell nobody.
            return named.Count == 1 ? named : [.. named.Where(d => SharesAddress(d, seen)).Take(1)];
        return [.. open.Where(d => SharesAddress(d, seen) && (d.Names.Count == 0 || seen.Names.Count == 0)).Take(1)];
    }

    public static DiscoveredDevice New(DiscoveredId id, Sighting seen, NodeId by, PollMethod with) => new(
        id, seen.Mac, seen.Identity, [.. seen.Addresses.Select(a => new SeenAddress(a, seen.At))], seen.Names, seen.Services, seen.OperatingSystem,
        seen.At, seen.At, by, with, [with], Ignored: false, HostKey: "");

    /// <summary>The device with what the sighting adds; what it does not speak of stays.</summary>
    public static DiscoveredDevice With(this DiscoveredDevice known, Sighting seen, NodeId by, PollMethod with)
    {
        var at = seen.At > known.LastSeen ? seen.At : known.LastSeen;
        return known with
        {
            Mac = seen.Mac.Length > 0 ? seen.Mac : known.Mac,
            Identity = seen.Identity.Length > 0 ? seen.Identity : known.Identity,
            Addresses = Newest([.. seen.Addresses.Select(a => new SeenAddress(a, seen.At)), .. known.Addresses]),
            Names = Names(seen.Names, known.Names),
            // Of open ports the newest look counts whole.
            Services = seen.Services.Count > 0 ? Services(seen.Services, known.Services, with) : known.Services,
            OperatingSystem = seen.OperatingSystem.Length > 0 ? seen.OperatingSystem : known.OperatingSystem,
            LastSeen = at,
            SeenBy = by,
            SeenWith = with,
            Methods = known.Methods.Contains(with) ? known.Methods : [.. known.Methods.Append(with).Order()],
        };
    }

    /// <summary>The device with what another one, found to be the same, was known by.</summary>
    public static DiscoveredDevice With(this DiscoveredDevice known, DiscoveredDevice other) => known with
    {
        Mac = known.Mac.Length > 0 ? known.Mac : other.Mac,
        Identity = known.Identity.Length > 0 ? known.Identity : other.Identity,
        Addresses = Newest([.. known.Addresses, .. other.Addresses]),
        Names = Names(known.Names, other.Names),
        Services = known.Services.Count > 0 ? known.Services : other.Services,
        OperatingSystem = known.OperatingSystem.Length > 0 ? known.OperatingSystem : other.OperatingSystem,
        FirstSeen = known.FirstSeen < other.FirstSeen ? known.FirstSeen : other.FirstSeen,
        Methods = [.. known.Methods.Union(other.Methods).Order()],
        HostKey = known.HostKey.Length > 0 ? known.HostKey : other.HostKey,
    };

    /// <summary>The device without addresses that are another's now, or that no poll confirmed within their lifetime.</summary>
    public static DiscoveredDevice Without(this DiscoveredDevice known, Func<SeenAddress, bool> gone) =>
        known.Addresses.Any(gone) ? known with { Addresses = [.. known.Addresses.Where(a => !gone(a))] } : known;

    /// <summary>What is new of a device, for people; empty: nothing but times.</summary>
    public static string Difference(DiscoveredDevice before, DiscoveredDevice after)
    {
        var what = new List<string>();
        Say("MAC", before.Mac, after.Mac);
        Say("identity", before.Identity, after.Identity);
        Say("addresses", Text(before.Addresses.Select(a => a.Address).Order(StringComparer.Ordinal)), Text(after.Addresses.Select(a => a.Address).Order(StringComparer.Ordinal)));
        Say("names", Text(before.Names.Select(n => n.Name)), Text(after.Names.Select(n => n.Name)));
        Say("services", Text(before.Services.Select(Name)), Text(after.Services.Select(Name)));
        Say("system", before.OperatingSystem, after.OperatingSystem);
        Say("methods", Text(before.Methods.Select(Polls.Name)), Text(after.Methods.Select(Polls.Name)));
        Say("host key", before.HostKey, after.HostKey);
        return string.Join("; ", what);

        void Say(string name, string old, string now)
        {
            if (old != now)
                what.Add($"{name} {(now.Length == 0 ? "gone" : now)}");
        }
    }

    /// <summary>A service as people read it.</summary>
    public static string Name(SeenService service) => $"{service.Port}/{service.Protocol}{(service.Name.Length > 0 ? $" {service.Name}" : "")}";

    private static string Text(IEnumerable<string> texts) => string.Join(", ", texts);

    private static IReadOnlyList<SeenAddress> Newest(IEnumerable<SeenAddress> addresses) =>
        [.. addresses.GroupBy(a => a.Address).Select(a => a.MaxBy(x => x.At)!).OrderByDescending(a => a.At).ThenBy(a => a.Address, StringComparer.Ordinal).Take(Sighting.MostAddresses)];

    // Each source's newest word, and the most trusted source first.
    private static IReadOnlyList<SeenName> Names(IReadOnlyList<SeenName> newer, IReadOnlyList<SeenName> older) =>
        [.. newer.Concat(older.Where(o => newer.All(n => n.Source != o.Source))).OrderBy(n => n.Source).ThenBy(n => n.Name, StringComparer.Ordinal).Take(Sighting.MostNames)];

    // A sweep knows ports and multicast DNS knows names: each replaces its own alone.
    private static IReadOnlyList<SeenService> Services(IReadOnlyList<SeenService> newer, IReadOnlyList<SeenService> older, PollMethod with)
    {
        var others = older.Where(s => IsAnnounced(s) != (with == PollMethod.MulticastDns));
        return [.. newer.Union(others).OrderBy(s => s.Port).ThenBy(s => s.Protocol, StringComparer.Ordinal).ThenBy(s => s.Name, StringComparer.Ordinal).Take(Sighting.MostServices)];
    }

    private static bool IsAnnounced(SeenService service) => service.Name.StartsWith('_');

    private static bool SharesAddress(DiscoveredDevice device, Sighting seen) => device.Addresses.Any(a => seen.Addresses.Contains(a.Address));

    private static bool SharesName(DiscoveredDevice device, Sighting seen) => device.Names.Any(d => seen.Names.Any(s => HostNames.AreSame(d.Name, s.Name)));
}

/// <summary>Host names as different sources write them.</summary>
internal static class HostNames
{
    /// <summary><c>till-4.shop.example.</c>, <c>TILL-4</c> and <c>till-4.local</c> name one host.</summary>
    public static bool AreSame(string one, string other) => First(one).Equals(First(other), StringComparison.OrdinalIgnoreCase);

    /// <summary>The name's first label, which is all of it that every source has.</summary>
    public static ReadOnlySpan<char> First(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? name : name.AsSpan(0, dot);
    }
}
