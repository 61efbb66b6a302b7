using System.IO.Hashing;
using System.Text;
using Fleet.Contracts;
using Fleet.Contracts.Agents;

namespace Fleet.Device.Push;

/// <summary>Where a device should keep its line, best first; nothing: it is periodic.</summary>
public static class LinePlan
{
    /// <summary>
    /// The push servers of the office, then headquarters' unless <paramref name="gatewayOnly"/>. Each device has an order of its own among the office's
    /// (rendezvous hashing, Thaler and Ravishankar 1998): they share the devices, and those of one that fails spread over the others.
    /// </summary>
    public static IReadOnlyList<string> Addresses(DeviceId device, DesiredDocument? desired, bool gatewayOnly)
    {
        if (desired?.Connection != ConnectionMode.Always)
            return [];
        var office = desired.PushServers.OrderByDescending(s => Weight(device, s.NodeId)).SelectMany(s => s.Addresses);
        return [.. office.Concat(gatewayOnly ? [] : desired.HeadquartersPushAddresses).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    private static ulong Weight(DeviceId device, string node) => XxHash64.HashToUInt64(Encoding.UTF8.GetBytes($"{device} {node}"));
}
