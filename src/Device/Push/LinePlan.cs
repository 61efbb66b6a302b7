using Fleet.Contracts;
using Fleet.Contracts.Agents;

namespace Fleet.Device.Push;

/// <summary>Where a device should keep its line, best first; nothing: it is periodic.</summary>
public static class LinePlan
{
    /// <summary>The push servers of the office, in an order of the device's own, then headquarters' unless <paramref name="gatewayOnly"/>.</summary>
    public static IReadOnlyList<string> Addresses(DeviceId device, DesiredDocument? desired, bool gatewayOnly) => desired?.Connection == ConnectionMode.Always
        ? [.. Rendezvous.Order(device, desired.PushServers, s => s.NodeId).SelectMany(s => s.Addresses)
            .Concat(gatewayOnly ? [] : desired.HeadquartersPushAddresses).Distinct(StringComparer.OrdinalIgnoreCase)]
        : [];
}
