using System.Net;
using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Links;

/// <summary>Block <c>fleet.links</c>: headquarters' side of the links.</summary>
public sealed record LinksOptions(IPAddress Bind, int Port, int HellosPerSecond, TimeSpan WelcomeTimeout, TimeSpan FrameTimeout)
{
    public static LinksOptions From(Config fleet, Problems problems)
    {
        var bind = problems.Text(fleet, "links.bind");
        if (!IPAddress.TryParse(bind, out var address) && bind.Length > 0)
            problems.Add("fleet.links.bind", $"'{bind}' is no IP address; use 0.0.0.0 for all");
        return new LinksOptions(
            Bind: address ?? IPAddress.Any,
            Port: problems.Port(fleet, "links.port"),
            HellosPerSecond: problems.Number(fleet, "links.hellos-per-second", 1, 100_000),
            WelcomeTimeout: problems.Positive(fleet, "links.welcome-timeout"),
            FrameTimeout: problems.Positive(fleet, "links.frame-timeout"));
    }
}
