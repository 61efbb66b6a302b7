using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Office.Discovery;

/// <summary>Block <c>fleet.office.discovery</c>.</summary>
/// <param name="Jitter">How far the gap between two packets varies, in parts of itself.</param>
/// <param name="SkipCards">Patterns of network cards that lead to no office network.</param>
/// <param name="StartSpread">A poll that is due begins within this, at random.</param>
/// <param name="Ports">TCP ports that are tried, the most telling first.</param>
public sealed record DiscoveryOptions(double Jitter, IReadOnlyList<string> SkipCards, IReadOnlyList<int> Ports, TimeSpan PortTimeout, TimeSpan ProgressEvery, TimeSpan StartSpread)
{
    private const int MaxPorts = 64;

    public static DiscoveryOptions From(Config fleet, Problems problems)
    {
        var ports = problems.Texts(fleet, "office.discovery.tcp-ports").Select(t => int.TryParse(t, out var port) ? port : 0).ToList();
        if (ports.Count is 0 or > MaxPorts || ports.Any(p => p is < 1 or > 65535))
            problems.Add("fleet.office.discovery.tcp-ports", $"must be 1 to {MaxPorts} numbers from 1 to 65535");
        return new DiscoveryOptions(
            Jitter: problems.Number(fleet, "office.discovery.jitter-percent", 0, 100) / 100.0,
            SkipCards: problems.Texts(fleet, "office.discovery.skip-cards"),
            Ports: ports,
            PortTimeout: problems.Positive(fleet, "office.discovery.port-timeout"),
            ProgressEvery: problems.Positive(fleet, "office.discovery.progress-every"),
            StartSpread: problems.Positive(fleet, "office.discovery.start-spread"));
    }
}
