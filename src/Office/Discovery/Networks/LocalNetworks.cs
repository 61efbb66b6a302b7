using System.IO.Enumeration;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Fleet.Messages.Networks;

namespace Fleet.Office.Discovery.Networks;

/// <summary>One IPv4 network that a card of this machine stands in.</summary>
/// <param name="Index">The kernel's number of the card.</param>
public sealed record LocalNetwork(string Card, int Index, MacAddress Mac, IPAddress Own, int Prefix)
{
    public AddressRange Range { get; } = AddressRange.Network(Own, Prefix);
}

/// <summary>A card of this machine with IPv6.</summary>
/// <param name="Own">Its addresses, the link-local one first.</param>
public sealed record LocalLink(string Card, int Index, IReadOnlyList<IPAddress> Own);

/// <summary>The networks that this machine stands in.</summary>
/// <param name="Names">Servers that it asks for names.</param>
public sealed record LocalNetworks(IReadOnlyList<LocalNetwork> Four, IReadOnlyList<LocalLink> Six, IReadOnlyList<IPAddress> Names)
{
    /// <param name="skip">Patterns of cards that lead to no office network (bridges of containers), such as <c>docker*</c>.</param>
    public static LocalNetworks Now(IReadOnlyList<string> skip)
    {
        var four = new List<LocalNetwork>();
        var six = new List<LocalLink>();
        var names = new List<IPAddress>();
        foreach (var card in NetworkInterface.GetAllNetworkInterfaces().Where(c => c.OperationalStatus == OperationalStatus.Up && c.NetworkInterfaceType != NetworkInterfaceType.Loopback))
        {
            var facts = card.GetIPProperties();
            names.AddRange(facts.DnsAddresses);
            if (MacAddress.Of(card) is not { } mac || skip.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, card.Name, ignoreCase: false)))
                continue;
            foreach (var own in facts.UnicastAddresses.Where(a => a.Address.AddressFamily == AddressFamily.InterNetwork && a.PrefixLength is > 0 and < 31))
                four.Add(new LocalNetwork(card.Name, facts.GetIPv4Properties().Index, mac, own.Address, own.PrefixLength));
            if (facts.UnicastAddresses.Where(a => a.Address.AddressFamily == AddressFamily.InterNetworkV6).Select(a => a.Address)
                .OrderBy(a => !a.IsIPv6LinkLocal).ToList() is { Count: > 0 } sixes && sixes[0].IsIPv6LinkLocal)
                six.Add(new LocalLink(card.Name, facts.GetIPv6Properties().Index, sixes));
        }

        return new LocalNetworks(four, six, [.. names.Distinct()]);
    }

    public bool IsOwn(IPAddress address) => Four.Any(n => n.Own.Equals(address)) || Six.Any(l => l.Own.Any(own => SameNumber(own, address)));

    /// <summary>The network on which an address is met without a router; null: it is behind one.</summary>
    public LocalNetwork? OnLink(IPAddress address) => Four.FirstOrDefault(n => n.Range.Contains(address));

    // A link-local address is the same with and without the card's number behind it.
    private static bool SameNumber(IPAddress one, IPAddress other) => one.AddressFamily == other.AddressFamily && one.GetAddressBytes().AsSpan().SequenceEqual(other.GetAddressBytes());
}
