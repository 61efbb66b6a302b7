using Akka.Event;
using Fleet.Contracts;
using Fleet.Headquarters.Installs;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Discovery;

/// <summary>
/// Takes what the office's poller tells, and keeps what of it is not journaled: when devices were last seen, and how far polls are. Part of the office twin,
/// on its thread; a restart forgets it.
/// </summary>
internal sealed class OfficeNetwork(OfficeTools tools, ILoggingAdapter log)
{
    private const int MostWhy = 400;
    private const int MostCannotSee = 16;

    // Devices with newer times than the journal's.
    private readonly Dictionary<DiscoveredId, DiscoveredDevice> _newest = [];
    private readonly Dictionary<PollId, (PollProgress Progress, DateTimeOffset HeardAt)> _progress = [];
    private readonly KnownMachines _machines = new();
    private readonly Dictionary<DiscoveredId, DiscoveredSeen> _discoveredChanged = [];
    private readonly Dictionary<DeviceId, DeviceSeenOnNetwork> _devicesChanged = [];
    private readonly HashSet<PollId> _pollsChanged = [];
    private readonly Dictionary<InstallId, InstallProgress> _installsChanged = [];
    private DateTimeOffset _fullToldAt;

    private DiscoveryOptions Options => tools.Options.Discovery;

    public IReadOnlyList<IOfficeEvent> Take(Office office, NodeId node, PollProgress progress, DateTimeOffset now)
    {
        if (!Polls(office, node))
            return [];
        IReadOnlyList<IOfficeEvent> begun = [];
        if (!office.Polling.Open.TryGetValue(progress.PollId, out var open))
        {
            // One that comes by the plan; a second of the same method can't be, so the first is over.
            begun = [.. office.Polling.Open.Values.Where(p => p.Method == progress.Method).SelectMany(p => Given(office, p, "another poll of the method began", now)),
                new PollBegun(office.Id, node, progress.PollId, progress.Method, progress.Full, [], false, "", now)];
        }
        else if (open.NodeId != node)
            return [];
        _progress[progress.PollId] = (progress, now);
        _pollsChanged.Add(progress.PollId);
        return begun;
    }

    public IReadOnlyList<IOfficeEvent> Take(Office office, NodeId node, PollEnded ended, DateTimeOffset now)
    {
        if (office.Polling.Open.GetValueOrDefault(ended.PollId) is { } open && open.NodeId == node)
            return [new PollFinished(office.Id, node, Clean(ended, open, now), now)];
        // Also without an open one: a poll may be over before its first word of progress.
        return Polls(office, node) && ended.Outcome is PollOutcome.Completed or PollOutcome.Failed
            ? [new PollBegun(office.Id, node, ended.PollId, ended.Method, ended.Full, [], false, "", now), new PollFinished(office.Id, node, Clean(ended, null, now), now)]
            : [];
    }

    public IReadOnlyList<IOfficeEvent> Take(Office office, NodeId node, Sightings sightings, DateTimeOffset now)
    {
        if (!Polls(office, node))
        {
            log.Warning("Node {NodeId} told of devices on the network of office {OfficeId}, and is not its poller; dropped", node, office.Id);
            return [];
        }

        var events = new List<IOfficeEvent>();
        var working = office;
        foreach (var seen in sightings.Seen.Take(Sightings.Most).Select(s => CleanSighting.Of(s, now)).OfType<Sighting>())
        {
            var more = Take(working, node, sightings.Method, seen, now).ToList();
            events.AddRange(more);
            working = working.Apply(more);
            // The next one's address may be what this one has just been taken.
            Journaled(more);
        }

        return events;
    }

    public void Take(Office office, NodeId node, InstallProgress progress)
    {
        if (office.Installs.GetValueOrDefault(progress.InstallId)?.Begun.NodeId == node)
            _installsChanged[progress.InstallId] = progress;
    }

    /// <summary>What time alone changes: addresses and devices that no poll saw for long, and polls that fell silent.</summary>
    public IReadOnlyList<IOfficeEvent> Review(Office office, DateTimeOffset now)
    {
        if (office.Discovered.Count + office.Installs.Count + office.Polling.Open.Count == 0)
            return [];
        var events = new List<IOfficeEvent>();
        foreach (var device in office.Discovered.Values.Select(Newest))
            if (now - device.LastSeen >= (device.Ignored ? Options.ForgetIgnoredAfter : Options.ForgetAfter))
                events.Add(new DiscoveredDeviceGone(office.Id, device.DiscoveredId, $"no poll saw it for {DurationText.Of(device.Ignored ? Options.ForgetIgnoredAfter : Options.ForgetAfter)}", now));
            else if (device.Without(a => now - a.At >= Options.AddressLifetime) is var fresh && !ReferenceEquals(fresh, device))
                events.Add(new DeviceDiscovered(office.Id, fresh, DiscoveredRule.Difference(device, fresh), now));
        events.AddRange(InstallRules.Overdue(office, now));
        foreach (var silent in office.Polling.Open.Values.Where(p => now - HeardOf(p) >= Options.SilentAfter))
            events.AddRange(Given(office, silent, $"{silent.NodeId} told nothing of it for {DurationText.Of(Options.SilentAfter)}", now));
        return events;
    }

    /// <summary>Events that are journaled now overtake what was kept beside the journal.</summary>
    public void Journaled(IEnumerable<IOfficeEvent> events)
    {
        foreach (var happened in events)
            switch (happened)
            {
                case DeviceDiscovered e:
                    _newest.Remove(e.Device.DiscoveredId);
                    break;
                case DiscoveredDevicesSeen e:
                    foreach (var device in e.Devices)
                        _newest.Remove(device.DiscoveredId);
                    break;
                case DiscoveredDeviceIgnored e:
                    if (_newest.TryGetValue(e.DiscoveredId, out var kept))
                        _newest[e.DiscoveredId] = kept with { Ignored = e.Ignored };
                    break;
                case DiscoveredDeviceGone e:
                    _newest.Remove(e.DiscoveredId);
                    _discoveredChanged.Remove(e.DiscoveredId);
                    break;
                case PollFinished e:
                    _progress.Remove(e.Ended.PollId);
                    _pollsChanged.Remove(e.Ended.PollId);
                    break;
                default:
                    break;
            }
    }

    /// <summary>What is to be shown and is not in the journal, since the last call; null: nothing.</summary>
    public NetworkSeen? Changes(OfficeId office)
    {
        if (_discoveredChanged.Count + _devicesChanged.Count + _pollsChanged.Count + _installsChanged.Count == 0)
            return null;
        var changes = new NetworkSeen(office, [.. _discoveredChanged.Values], [.. _devicesChanged.Values], [.. _pollsChanged.Select(p => _progress[p].Progress)], [.. _installsChanged.Values]);
        _installsChanged.Clear();
        _discoveredChanged.Clear();
        _devicesChanged.Clear();
        _pollsChanged.Clear();
        return changes;
    }

    private IEnumerable<IOfficeEvent> Take(Office office, NodeId node, PollMethod method, Sighting seen, DateTimeOffset now)
    {
        // A managed device: the twin of its agent says all about it but that it was met here.
        if (_machines.Find(office, seen) is { } own)
        {
            _devicesChanged[own] = new DeviceSeenOnNetwork(own, seen.At, node, method);
            return [];
        }

        var matches = DiscoveredRule.Match(office.Discovered.Values.Select(Newest), seen);
        if (matches.Count == 0)
            return Room(office, now) is { } room ? [.. room, .. Stolen(office, seen, null, now), Found(office, seen, node, method, now)] : [];
        var before = matches[0];
        var after = matches.Skip(1).Aggregate(before, (device, other) => device.With(other)).With(seen, node, method);
        _newest[after.DiscoveredId] = after;
        _discoveredChanged[after.DiscoveredId] = new DiscoveredSeen(after.DiscoveredId, after.LastSeen, node, method);
        var what = DiscoveredRule.Difference(before, after);
        return
        [
            .. matches.Skip(1).Select(m => new DiscoveredDeviceGone(office.Id, m.DiscoveredId, $"it is {after.DiscoveredId}", now)),
            .. Stolen(office, seen, after.DiscoveredId, now),
            .. what.Length > 0 ? [new DeviceDiscovered(office.Id, after, what, now)]
                : after.LastSeen - office.Discovered[after.DiscoveredId].LastSeen >= Options.RememberEvery ? (IOfficeEvent[])[new DiscoveredDevicesSeen(office.Id, [after], now)] : [],
        ];
    }

    private DeviceDiscovered Found(Office office, Sighting seen, NodeId node, PollMethod method, DateTimeOffset now)
    {
        var device = DiscoveredRule.New(NewIds.Discovered(), seen, node, method);
        return new DeviceDiscovered(office.Id, device, $"found at {string.Join(", ", seen.Addresses.Append(seen.Mac).Where(t => t.Length > 0))}", now);
    }

    // An address is one device's at a time: the one that was seen with it last.
    private IEnumerable<IOfficeEvent> Stolen(Office office, Sighting seen, DiscoveredId? by, DateTimeOffset now)
    {
        foreach (var device in office.Discovered.Values.Where(d => d.DiscoveredId != by).Select(Newest))
            if (device.Without(a => seen.Addresses.Contains(a.Address)) is var less && !ReferenceEquals(less, device))
                yield return new DeviceDiscovered(office.Id, less, DiscoveredRule.Difference(device, less), now);
    }

    // Null: none. In a full office a newcomer takes the place of a device that was not seen for long; machines that make up MACs can't push others out.
    private IReadOnlyList<IOfficeEvent>? Room(Office office, DateTimeOffset now)
    {
        if (office.Discovered.Count < Options.MaxDevices)
            return [];
        var oldest = office.Discovered.Values.Select(Newest).Where(d => !d.Ignored).MinBy(d => d.LastSeen);
        if (oldest is not null && now - oldest.LastSeen >= Options.AddressLifetime)
            return [new DiscoveredDeviceGone(office.Id, oldest.DiscoveredId, $"office {office.Id} keeps {Options.MaxDevices} devices, and it was seen least lately", now)];
        if (now - _fullToldAt >= TimeSpan.FromHours(1))
        {
            _fullToldAt = now;
            log.Warning("Office {OfficeId} keeps {Count} discovered devices, the most that fleet.discovery.max-devices allows; more are not taken in", office.Id, office.Discovered.Count);
        }

        return null;
    }

    private static bool Polls(Office office, NodeId node) => office.Polling.Poller == node;

    private DiscoveredDevice Newest(DiscoveredDevice device) => _newest.GetValueOrDefault(device.DiscoveredId, device);

    private DateTimeOffset HeardOf(PollBegun open) => _progress.TryGetValue(open.PollId, out var told) ? told.HeardAt : open.At;

    private IEnumerable<IOfficeEvent> Given(Office office, PollBegun open, string why, DateTimeOffset now)
    {
        var progress = _progress.TryGetValue(open.PollId, out var told) ? told.Progress : null;
        yield return new PollFinished(office.Id, open.NodeId,
            new PollEnded(open.PollId, open.Method, open.Full, open.At, now, PollOutcome.Interrupted, why, progress?.Done ?? 0, progress?.Found ?? 0, progress?.Packets ?? 0, []), now);
    }

    private static PollEnded Clean(PollEnded ended, PollBegun? open, DateTimeOffset now) => ended with
    {
        Method = open?.Method ?? ended.Method,
        Full = open?.Full ?? ended.Full,
        // By headquarters' clock where it knows; schedules count from it.
        StartedAt = open?.At ?? (ended.StartedAt < now ? ended.StartedAt : now),
        EndedAt = now,
        Why = CleanText.Of(ended.Why, MostWhy),
        CannotSee = [.. ended.CannotSee.Take(MostCannotSee).Select(t => CleanText.Of(t, MostWhy))],
    };
}
