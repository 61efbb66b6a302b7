using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Links;

/// <summary>Block <c>fleet.links</c>: headquarters' side of the links.</summary>
public sealed record LinksOptions(IPAddress Bind, int Port, int HellosPerSecond, TimeSpan WelcomeTimeout, TimeSpan FrameTimeout, TimeSpan PresenceEvery)
{
    public static LinksOptions From(Config fleet, Problems problems) => new(
        Bind: problems.Address(fleet, "links.bind"),
        Port: problems.Port(fleet, "links.port"),
        HellosPerSecond: problems.Number(fleet, "links.hellos-per-second", 1, 100_000),
        WelcomeTimeout: problems.Positive(fleet, "links.welcome-timeout"),
        FrameTimeout: problems.Positive(fleet, "links.frame-timeout"),
        PresenceEvery: problems.Positive(fleet, "links.presence-every"));
}
