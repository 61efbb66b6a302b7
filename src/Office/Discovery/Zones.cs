using System.Net;
using System.Net.Sockets;

namespace Fleet.Office.Discovery;

/// <summary>The zone behind a link-local IPv6 address (<c>fe80::1%eth0</c>) is a matter of this machine, and of no one else.</summary>
internal static class Zones
{
    public static IPAddress Without(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0 ? new IPAddress(address.GetAddressBytes()) : address;
}
