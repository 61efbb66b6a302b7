using Fleet.Contracts;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Monitoring;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// Whether each device is there, since when and why that is thought: from syncs and open lines that carriers tell of. Owned by the office twin, never
/// journaled; a restart forgets it, and the carriers' next epochs tell it anew. The rule is <see cref="PresenceRule"/>.
/// </summary>
internal sealed class Presence(DateTimeOffset startedAt, PresenceCounts counts)
{
    private readonly Dictionary<DeviceId, DeviceSigns> _signs = [];
    private readonly Dictionary<DeviceId, DevicePresence> _shown = [];
    private readonly Dictionary<DeviceId, DateTimeOffset> _heard = [];
    private readonly Dictionary<DeviceId, DateTimeOffset> _suspected = [];
    private readonly HashSet<DeviceId> _direct = [];
    private readonly HashSet<DeviceId> _touched = [];
    private readonly HashSet<DeviceId> _changed = [];
    // A device's judgement may change by time alone at these moments; entries that are out of date cost one judgement each.
    private readonly PriorityQueue<DeviceId, DateTimeOffset> _due = new();
    private bool _all = true;

    /// <summary>When the judgement of a device may change by time alone; null: it changes for none.</summary>
    public DateTimeOffset? ChangesAt => _due.TryPeek(out _, out var at) ? at : null;

    public IReadOnlyList<DevicePresence> All => [.. _shown.Values];

    public void Seen(DeviceId device, DateTimeOffset at, DateTimeOffset now, NodeId? through)
    {
        if (through is null)
            MetDirectly(device);
        // A gateway's clock must not place anybody in the future.
        var capped = at < now ? at : now;
        var signs = SignsOf(device);
        if (signs.LastSync >= capped)
            return;
        _signs[device] = signs with { LastSync = capped, Through = through };
        _touched.Add(device);
        // While a second machine is about, a sync no longer shows which of the two made it.
        if (!_suspected.TryGetValue(device, out var since) || since + Device.CloneQuiet < now)
            _heard[device] = capped;
    }

    /// <summary>A carrier tells of a line. An end counts only where the line was: a device that moved to another push server is not gone.</summary>
    /// <param name="at">The node whose push server it is; null: headquarters' own.</param>
    public void Line(DeviceLine line, NodeId? at, DateTimeOffset now)
    {
        if (at is null)
            MetDirectly(line.DeviceId);
        var signs = SignsOf(line.DeviceId);
        var since = line.Since < now ? line.Since : now;
        if (line.End == LineEnd.None)
            _signs[line.DeviceId] = signs with { Line = new OpenAt(at, since), End = LineEnd.None };
        else if (line.End == LineEnd.Shutdown || HasLine(line.DeviceId, at))
            _signs[line.DeviceId] = signs with { Line = null, End = line.End, EndedAt = since, ReturnWithin = line.ReturnWithin };
        _touched.Add(line.DeviceId);
    }

    /// <summary>A node's epoch begins: the lines that it had before are lost unless it names them again.</summary>
    public void NoLinesAt(NodeId at, DateTimeOffset now)
    {
        foreach (var (device, signs) in _signs.Where(s => s.Value.Line?.Node == at).ToList())
        {
            _signs[device] = signs with { Line = null, End = LineEnd.Lost, EndedAt = now };
            _touched.Add(device);
        }
    }

    public bool HasLine(DeviceId device, NodeId? at) => SignsOf(device).Line is { } line && line.Node == at;

    public bool HasLine(DeviceId device) => SignsOf(device).Line is not null;

    /// <summary>Where the device keeps its line open; null: it keeps none.</summary>
    public OpenAt? LineOf(DeviceId device) => SignsOf(device).Line;

    /// <summary>How the device was judged at the last review; null: not yet.</summary>
    public DevicePresence? Of(DeviceId device) => _shown.GetValueOrDefault(device);

    /// <summary>Whether the device seems to be off, as of the last review.</summary>
    public bool IsOff(DeviceId device) => _shown.GetValueOrDefault(device)?.State == PresenceState.Offline;

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

    /// <summary>A link came up or went down, or the devices are others: everything is judged anew at the next review.</summary>
    public void ReviewAll() => _all = true;

    public void Forget(DeviceId device)
    {
        _signs.Remove(device);
        if (_shown.Remove(device, out var shown))
            counts.Moved(shown.State, null);
        _heard.Remove(device);
        _suspected.Remove(device);
        _direct.Remove(device);
        _touched.Remove(device);
        _changed.Remove(device);
    }

    /// <summary>The twin stops: its devices are none of this node's.</summary>
    public void ForgetAll()
    {
        foreach (var device in _shown.Keys.ToList())
            Forget(device);
    }

    /// <summary>Judges what may have changed since the last call, and returns what did.</summary>
    public IReadOnlyList<DevicePresence> Review(Office office, OfficeOptions options, DateTimeOffset now)
    {
        while (_due.TryPeek(out var device, out var at) && at <= now)
            _touched.Add(_due.Dequeue());
        if (_all)
            _touched.UnionWith(office.Devices.Keys);
        _all = false;
        if (_touched.Count == 0)
            return [];
        foreach (var id in _touched)
            if (office.Devices.TryGetValue(id, out var device))
                Judge(office, device, options, now);
        _touched.Clear();
        IReadOnlyList<DevicePresence> changes = [.. _changed.Select(d => _shown[d])];
        _changed.Clear();
        return changes;
    }

    private void Judge(Office office, Device device, OfficeOptions options, DateTimeOffset now)
    {
        var signs = SignsOf(device.Id);
        var lease = PresenceRule.LeaseOf(Policies.DesiredState.IntervalOf(office, device, options));
        var judged = PresenceRule.Judge(signs, office.Nodes, lease, Policies.DesiredState.IsAlwaysConnected(office, device), startedAt, now);
        if (judged.ChangesAt is { } at)
            _due.Enqueue(device.Id, at);
        var before = _shown.GetValueOrDefault(device.Id);
        var since = before?.State == judged.State && before.Why == judged.Why ? before.Since : judged.Since;
        var shown = new DevicePresence(device.Id, signs.LastSync, signs.Through, judged.State, since, judged.Why);
        if (shown == before)
            return;
        _shown[device.Id] = shown;
        counts.Moved(before?.State, shown.State);
        _changed.Add(device.Id);
    }

    private DeviceSigns SignsOf(DeviceId device) => _signs.GetValueOrDefault(device, DeviceSigns.None);
}
