using Fleet.Contracts;
using Fleet.Headquarters.Installs;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Discovery;

/// <summary>What follows for the office's network from what happens in the office: who polls then, and which discovered devices have an agent now. Pure.</summary>
internal static class NetworkFollows
{
    /// <param name="office">As the events leave it.</param>
    public static IReadOnlyList<IOfficeEvent> Of(Office office, IReadOnlyList<IOfficeEvent> events, TimeSpan moveAfter, DateTimeOffset now)
    {
        var follows = new List<IOfficeEvent>();
        Add(events.OfType<NodeLinkChanged>().Where(l => !l.Up).SelectMany(l => PollerRule.Interrupted(office, l.NodeId, $"the link of {l.NodeId} went down: {l.Reason}", now)));
        // The new key opens nothing that was sealed for the one before.
        Add(events.OfType<NodeCertified>().Where(c => c.NodeId == office.Polling.Poller && HasPasswords(office)).SelectMany(c => PollerRule.Raised(office, c.NodeId, now)));
        if (events.Any(e => e is NodeRolesAssigned or NodeLinkChanged or NodeRemoved or NodeReported))
            Add(PollerRule.Step(office.Apply(follows), moveAfter, now));
        if (office.Discovered.Count > 0)
            Add(events.OfType<IDeviceEvent>().Where(e => e is DeviceReported or DeviceMovedIn).Select(e => e.DeviceId).Distinct().SelectMany(d => Managed(office, d, now)));
        if (office.Installs.Count > 0)
            Add(InstallRules.Follows(office, events, now));
        return follows;

        void Add(IEnumerable<IOfficeEvent> more) => follows.AddRange([.. more]);
    }

    private static bool HasPasswords(Office office) => office.Polling.Plan?.Schedules.Any(s => s.Directories.Any(d => !d.Password.IsEmpty)) ?? false;

    private static IEnumerable<IOfficeEvent> Managed(Office office, DeviceId id, DateTimeOffset now)
    {
        if (!office.Devices.TryGetValue(id, out var device))
            return [];
        var macs = KnownMachines.MacsOf(device);
        return office.Discovered.Values.Where(d => d.Mac.Length > 0 && macs.Contains(d.Mac))
            .Select(d => new DiscoveredDeviceGone(office.Id, d.DiscoveredId, $"it has an agent now: {id}", now));
    }
}
