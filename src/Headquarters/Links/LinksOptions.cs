using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Links;

/// <summary>Block <c>fleet.links</c>: headquarters' side of the links.</summary>
/// <param name="Address">Which of the addresses that office nodes are told is this headquarters node's own; empty: it is not said.</param>
public sealed record LinksOptions(IPAddress Bind, int Port, int HellosPerSecond, TimeSpan WelcomeTimeout, TimeSpan FrameTimeout, TimeSpan PresenceEvery, string Address = "")
{
    public static LinksOptions From(Config fleet, Problems problems) => new(
        Bind: problems.Address(fleet, "links.bind"),
        Port: problems.Port(fleet, "links.port"),
        HellosPerSecond: problems.Number(fleet, "links.hellos-per-second", 1, 100_000),
        WelcomeTimeout: problems.Positive(fleet, "links.welcome-timeout"),
        FrameTimeout: problems.Positive(fleet, "links.frame-timeout"),
        PresenceEvery: problems.Positive(fleet, "links.presence-every"),
        Address: OwnAddress(fleet, problems));

    private static string OwnAddress(Config fleet, Problems problems)
    {
        var address = problems.Optional(fleet, "links.address");
        var all = fleet.HasPath("offices.headquarters-link-addresses") ? problems.Texts(fleet, "offices.headquarters-link-addresses") : [];
        if (address.Length > 0 && !all.Contains(address))
            problems.Add("fleet.links.address", $"'{address}' is none of fleet.offices.headquarters-link-addresses");
        return address;
    }
}
