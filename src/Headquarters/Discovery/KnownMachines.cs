using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Discovery;

/// <summary>
/// Which sightings are of the office's own devices, by what their agents report of their network cards. Made of the office's state alone, and anew only for
/// devices that reported since.
/// </summary>
internal sealed class KnownMachines
{
    private readonly Dictionary<DeviceId, (ReadOnlyMemory<byte> Report, Inventory Inventory)> _read = [];
    private readonly Dictionary<string, DeviceId> _macs = [];
    private readonly Dictionary<string, DeviceId> _addresses = [];
    private readonly Dictionary<string, DeviceId> _names = new(StringComparer.OrdinalIgnoreCase);
    private object? _of;

    /// <summary>The device that a clean sighting is of; null: none of the office's. By MAC; by address or name only where no MAC was seen.</summary>
    public DeviceId? Find(Office office, Sighting seen)
    {
        Read(office);
        if (seen.Mac.Length > 0)
            return Of(_macs, seen.Mac);
        return seen.Addresses.Select(a => Of(_addresses, a)).FirstOrDefault(d => d is not null)
            ?? (seen.Addresses.Count > 0 ? null : seen.Names.Select(n => Of(_names, HostNames.First(n.Name).ToString())).FirstOrDefault(d => d is not null));
    }

    /// <summary>The MACs of a device's cards.</summary>
    public static IReadOnlyList<string> MacsOf(Device device) => [.. Macs(device.ReadInventory())];

    private static DeviceId? Of(Dictionary<string, DeviceId> index, string key) => index.TryGetValue(key, out var device) ? device : null;

    private void Read(Office office)
    {
        if (ReferenceEquals(_of, office.Devices))
            return;
        foreach (var gone in _read.Keys.Where(d => !office.Devices.ContainsKey(d)).ToList())
            _read.Remove(gone);
        foreach (var device in office.Devices.Values.Where(d => !d.Known.Report.IsEmpty && !(_read.TryGetValue(d.Id, out var known) && known.Report.Equals(d.Known.Report))))
            _read[device.Id] = (device.Known.Report, device.ReadInventory());
        _macs.Clear();
        _addresses.Clear();
        _names.Clear();
        foreach (var (device, (_, inventory)) in _read)
        {
            foreach (var mac in Macs(inventory))
                _macs[mac] = device;
            foreach (var address in inventory.Interfaces.SelectMany(i => i.Addresses))
                _addresses[address] = device;
            _names[HostNames.First(inventory.HostName).ToString()] = device;
        }

        _of = office.Devices;
    }

    private static IEnumerable<string> Macs(Inventory inventory) => inventory.Interfaces.Select(i => CleanSighting.Mac(i.Mac)).Where(m => m.Length > 0);
}
