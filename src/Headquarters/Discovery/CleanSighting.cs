using System.Globalization;
using System.Net;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Discovery;

/// <summary>Takes from a sighting what can be true. Its texts are what strangers on an office's network sent, and its node is a carrier: nothing of it is believed unseen.</summary>
internal static class CleanSighting
{
    private const int MacLength = 17;
    private static readonly TimeSpan Latest = TimeSpan.FromHours(1);

    /// <summary>Null: nothing is left by which a device could be told from another.</summary>
    public static Sighting? Of(Sighting seen, DateTimeOffset now)
    {
        var clean = seen with
        {
            // A node's clock must place nothing in the future, nor so long ago that it is over already: sightings come at once or not at all.
            At = seen.At < now && seen.At > now - Latest ? seen.At : now,
            Mac = Mac(seen.Mac),
            Identity = Text(seen.Identity),
            Addresses = [.. seen.Addresses.Take(Sighting.MostAddresses).Select(Address).Where(a => a.Length > 0).Distinct()],
            Names = [.. seen.Names.Take(Sighting.MostNames).Where(n => Enum.IsDefined(n.Source)).Select(n => n with { Name = Text(n.Name) }).Where(n => n.Name.Length > 0).Distinct().OrderBy(n => n.Source)],
            Services = [.. seen.Services.Take(Sighting.MostServices).Where(s => s.Port is > 0 and <= 65535 && s.Protocol is "tcp" or "udp").Select(s => s with { Name = Text(s.Name) })
                .Distinct().OrderBy(s => s.Port).ThenBy(s => s.Protocol, StringComparer.Ordinal).ThenBy(s => s.Name, StringComparer.Ordinal)],
            OperatingSystem = Text(seen.OperatingSystem),
        };
        return clean.Mac.Length + clean.Identity.Length + clean.Addresses.Count + clean.Names.Count == 0 ? null : clean;
    }

    /// <summary>A MAC of one machine as it is written here; empty: it is none.</summary>
    public static string Mac(string text)
    {
        var mac = text.ToLowerInvariant().Replace('-', ':');
        if (mac.Length != MacLength || mac is "00:00:00:00:00:00")
            return "";
        for (var at = 0; at < MacLength; at++)
            if (at % 3 == 2 ? mac[at] != ':' : !char.IsAsciiHexDigitLower(mac[at]))
                return "";
        // The lowest bit of the first byte marks a group of machines.
        return int.Parse(mac.AsSpan(0, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) % 2 == 0 ? mac : "";
    }

    private static string Address(string text)
    {
        if (!IPAddress.TryParse(text, out var address) || IPAddress.IsLoopback(address) || address.IsIPv6Multicast)
            return "";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        if (bytes.Length == 4)
            return bytes[0] is 0 or >= 224 ? "" : address.ToString();
        return address.Equals(IPAddress.IPv6Any) ? "" : new IPAddress(bytes).ToString();
    }

    private static string Text(string text) => CleanText.Of(text, Sighting.MostText);
}
