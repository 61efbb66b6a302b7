using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text;

namespace Fleet.Device.Inventory;

/// <summary>
/// Tells machines apart that run on a copied data directory: SHA-256 over the system's machine id and the MACs of its hardware, salted so that it
/// serves Fleet alone (machine-id(5) asks for that). A copied virtual machine has another MAC even where the machine id was copied with it.
/// </summary>
public static class MachineFingerprint
{
    private const string Salt = "fleet machine 1";

    /// <summary>The fingerprint of this machine.</summary>
    public static byte[] Read() => Of(MachineId(), HardwareMacs());

    /// <summary>The fingerprint of a machine with this id and these MACs; their order does not matter.</summary>
    public static byte[] Of(string machineId, IEnumerable<string> macs) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{Salt}\n{machineId}\n{string.Join('\n', macs.Order(StringComparer.Ordinal))}"));

    private static string MachineId()
    {
        foreach (var path in (string[])["/etc/machine-id", "/var/lib/dbus/machine-id"])
        {
            try
            {
                return File.ReadAllText(path).Trim();
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // The next place, then none.
            }
        }

        return OperatingSystem.IsWindows()
            ? Microsoft.Win32.Registry.GetValue(@"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography", "MachineGuid", "") as string ?? ""
            : "";
    }

    // Bridges, tunnels and containers' interfaces come and go; locally administered addresses (second bit, IEEE 802) are made up by software.
    private static IEnumerable<string> HardwareMacs() =>
        NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.NetworkInterfaceType is NetworkInterfaceType.Ethernet or NetworkInterfaceType.Wireless80211
                && (!OperatingSystem.IsLinux() || Path.Exists($"/sys/class/net/{i.Name}/device")))
            .Select(i => i.GetPhysicalAddress().GetAddressBytes())
            .Where(mac => mac.Length == 6 && (mac[0] & 2) == 0)
            .Select(Convert.ToHexStringLower);
}
