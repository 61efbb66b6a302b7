using Akka.Configuration;
using Fleet.Messages.Settings;

namespace Fleet.Headquarters.Company;

/// <summary>How many may stay connected in the whole company: <c>fleet.links.max-always-connected</c> and <c>fleet.devices.max-always-connected</c>.</summary>
public sealed record ConnectionBudgets(int Links, int Devices)
{
    public const string LinksSetting = "fleet.links.max-always-connected";
    public const string DevicesSetting = "fleet.devices.max-always-connected";

    private const int Most = 10_000_000;

    public static ConnectionBudgets From(Config fleet, Problems problems) => new(
        Links: problems.Number(fleet, "links.max-always-connected", 0, Most),
        Devices: problems.Number(fleet, "devices.max-always-connected", 0, Most));
}
