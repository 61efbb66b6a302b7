using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Fleet.Office.Roles;

/// <summary>Where an office's agents reach a port that this machine has open.</summary>
internal static class LanAddresses
{
    /// <summary><c>host:port</c>, IPv4 first; loopback only where there is nothing else.</summary>
    public static IReadOnlyList<string> Of(IPEndPoint open)
    {
        if (!open.Address.Equals(IPAddress.Any) && !open.Address.Equals(IPAddress.IPv6Any))
            return [open.ToString()];
        var found = NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses.Select(a => a.Address))
            .Where(a => a.AddressFamily == AddressFamily.InterNetwork
                || (open.AddressFamily == AddressFamily.InterNetworkV6 && !a.IsIPv6LinkLocal))
            .OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .Select(a => new IPEndPoint(a, open.Port).ToString())
            .Distinct()
            .ToList();
        return found.Count > 0 ? found : [new IPEndPoint(IPAddress.Loopback, open.Port).ToString()];
    }
}
