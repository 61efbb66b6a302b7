using System.Net;
using Fleet.Messages.Link;

namespace Fleet.Office.Discovery;

/// <summary>What a sighting may hold: texts are cleaned, and what is over the caps is left out.</summary>
internal static class SightingRule
{
    public static Sighting Made(DateTimeOffset at, MacAddress? mac, string identity, IEnumerable<IPAddress> addresses, IEnumerable<SeenName> names,
        IEnumerable<SeenService> services, string operatingSystem) => new(
            at, mac is { IsCard: true } card ? card.ToString() : "", SeenText.Clean(identity) ?? "",
            Capped(addresses.Select(a => Zones.Without(a).ToString()), Sighting.MostAddresses),
            Capped(names.Select(n => SeenText.Clean(n.Name) is { } name ? n with { Name = name } : null).OfType<SeenName>(), Sighting.MostNames),
            Capped(services.Select(s => s with { Name = SeenText.Clean(s.Name) ?? "" }), Sighting.MostServices),
            SeenText.Clean(operatingSystem) ?? "");

    /// <summary>What a run knows the device by: its card, else what names it for good, else an address; null: nothing does.</summary>
    public static string? KeyOf(Sighting seen) => seen.Mac.Length > 0 ? seen.Mac : seen.Identity.Length > 0 ? seen.Identity : seen.Addresses.FirstOrDefault();

    /// <summary>Both as one: a later sighting of a run holds what the earlier did.</summary>
    public static Sighting Joined(Sighting before, Sighting now) => new(
        now.At, now.Mac.Length > 0 ? now.Mac : before.Mac, now.Identity.Length > 0 ? now.Identity : before.Identity,
        Capped(before.Addresses.Concat(now.Addresses), Sighting.MostAddresses),
        Capped(before.Names.Concat(now.Names), Sighting.MostNames),
        Capped(before.Services.Concat(now.Services), Sighting.MostServices),
        now.OperatingSystem.Length > 0 ? now.OperatingSystem : before.OperatingSystem);

    /// <summary>The most bytes that it takes on the wire, for frames that must stay small.</summary>
    public static int SizeOf(Sighting seen) => 64 + (3 * (seen.Identity.Length + seen.OperatingSystem.Length)) + (seen.Addresses.Count * 48)
        + seen.Names.Sum(n => 8 + (3 * n.Name.Length)) + seen.Services.Sum(s => 16 + (3 * s.Name.Length));

    private static IReadOnlyList<T> Capped<T>(IEnumerable<T> all, int most) => [.. all.Distinct().Take(most)];
}
