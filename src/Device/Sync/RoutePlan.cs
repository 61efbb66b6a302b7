using Fleet.Contracts.Agents;
using Fleet.Device.Identity;

namespace Fleet.Device.Sync;

/// <summary>Which addresses a device dials, in order.</summary>
public static class RoutePlan
{
    /// <summary>
    /// The gateways headquarters named, those named at enrolment, then headquarters itself unless <paramref name="gatewayOnly"/>. What was
    /// named at enrolment stays as a last resort, so that a mistake at headquarters can't orphan a device.
    /// </summary>
    public static IReadOnlyList<string> Addresses(Reach reach, DesiredDocument? desired, bool gatewayOnly)
    {
        IEnumerable<string> gateways = [.. desired?.Gateways.SelectMany(g => g.Addresses) ?? [], .. reach.Gateways];
        IEnumerable<string> servers = gatewayOnly ? [] : [.. desired?.HeadquartersAddresses ?? [], .. reach.Servers];
        return [.. gateways.Concat(servers).Distinct(StringComparer.OrdinalIgnoreCase)];
    }
}
