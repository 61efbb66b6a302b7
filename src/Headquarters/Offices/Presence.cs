using Fleet.Contracts;
using Fleet.Headquarters.Devices;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>Who was seen when, and through which node. Owned by the office twin, never journaled; a restart forgets it.</summary>
internal sealed class Presence(DateTimeOffset startedAt)
{
    private readonly Dictionary<DeviceId, DevicePresence> _seen = [];
    private readonly Dictionary<DeviceId, DateTimeOffset> _heard = [];
    private readonly Dictionary<DeviceId, DateTimeOffset> _suspected = [];
    private readonly HashSet<DeviceId> _direct = [];
    private readonly HashSet<DeviceId> _changed = [];

    public IReadOnlyList<DevicePresence> All => [.. _seen.Values];

    public void Seen(DeviceId device, DateTimeOffset at, DateTimeOffset now, NodeId? through)
    {
        if (through is null)
            MetDirectly(device);
        // A gateway's clock must not place anybody in the future.
        var capped = at < now ? at : now;
        if (_seen.TryGetValue(device, out var known) && known.LastSync >= capped)
            return;
        _seen[device] = new DevicePresence(device, capped, through);
        _changed.Add(device);
        // While a second machine is about, a sync no longer shows which of the two made it.
        if (!_suspected.TryGetValue(device, out var since) || since + Device.CloneQuiet < now)
            _heard[device] = capped;
    }

    /// <summary>A report told which machine spoke.</summary>
    public void Heard(DeviceId device, ReportOutcome outcome, DateTimeOffset now)
    {
        if (outcome == ReportOutcome.Cloned)
            _suspected[device] = now;
        else if (outcome is ReportOutcome.Taken or ReportOutcome.Repeated)
            _heard[device] = now;
    }

    /// <summary>When the enrolled machine last gave a sign of life. After a restart nobody knows: it gets the benefit of the doubt for one silence.</summary>
    public DateTimeOffset EnrolledHeardAt(Device device) =>
        _heard.TryGetValue(device.Id, out var at) ? at : startedAt > device.Known.ReportedAt ? startedAt : device.Known.ReportedAt;

    /// <summary>Headquarters' own gateway asked for the device.</summary>
    public void MetDirectly(DeviceId device) => _direct.Add(device);

    /// <summary>
    /// Whether headquarters' own gateway may hold the device's versions. Also after it went on to sync through a node: it may come back, and what
    /// that gateway was told before would be taken for news still.
    /// </summary>
    public bool IsDirect(DeviceId device) => _direct.Contains(device);

    public void Forget(DeviceId device)
    {
        _seen.Remove(device);
        _heard.Remove(device);
        _suspected.Remove(device);
        _direct.Remove(device);
        _changed.Remove(device);
    }

    /// <summary>What changed since the last call.</summary>
    public IReadOnlyList<DevicePresence> TakeChanges()
    {
        IReadOnlyList<DevicePresence> changes = [.. _changed.Select(d => _seen[d])];
        _changed.Clear();
        return changes;
    }
}
