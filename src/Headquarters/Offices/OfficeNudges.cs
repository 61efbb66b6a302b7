using Akka.Actor;
using Fleet.Contracts;
using Fleet.Headquarters.Devices;
using Fleet.Messages.Cluster;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// Tells devices that keep a line open that they are to be otherwise, so that they need not find out at their next sync: the first at once, the others one by
/// one, so that a change for the whole fleet does not bring it back in one moment. Nothing waits for an answer: the next sync makes up for a lost one. Part of
/// the office twin, on its thread.
/// </summary>
internal sealed class OfficeNudges(OfficeTools tools, OfficeLinks links, Presence presence, OfficeWakes wakes, Action<object> publish, Func<ITimerScheduler> timers)
{
    private readonly Queue<DeviceId> _turns = [];
    private readonly HashSet<DeviceId> _waiting = [];
    private int _share = 1;

    public void Journaled(Office office, IReadOnlyList<IOfficeEvent> events)
    {
        // Who reports now gets the document with the answer.
        var here = events.OfType<DeviceReported>().Select(e => e.DeviceId).ToHashSet();
        var before = _waiting.Count;
        foreach (var changed in events.OfType<DeviceDesiredChanged>().Where(e => !here.Contains(e.DeviceId) && presence.HasLine(e.DeviceId)))
            if (_waiting.Add(changed.DeviceId))
                _turns.Enqueue(changed.DeviceId);
        _share = Math.Max(1, (int)Math.Ceiling(_waiting.Count * tools.Wake.NudgeEvery / tools.Wake.NudgeWithin));
        if (before == 0 && _waiting.Count > 0)
            Next(office);
    }

    /// <summary>The turn of the next.</summary>
    public void Next(Office office)
    {
        for (var left = _share; left > 0 && _turns.TryDequeue(out var id);)
        {
            _waiting.Remove(id);
            if (office.Devices.TryGetValue(id, out var device) && Nudge(office, device))
                left--;
        }

        if (_waiting.Count > 0)
            timers().StartSingleTimer(nameof(NudgeDue), NudgeDue.Instance, tools.Wake.NudgeEvery);
    }

    private bool Nudge(Office office, Device device)
    {
        // One that is being woken syncs anyway.
        if (device.Known.Wake is { IsOver: false } || presence.LineOf(device.Id) is not { } line)
            return false;
        IReadOnlyList<IDownItem> Signal(WakeChannel channel) => [new WakeDevice(device.Id, wakes.SignalFor(device), channel, [], office.Id)];
        if (line.Node is { } node)
            links.Send(node, Signal(WakeChannel.OfficePush));
        else
            publish(new CameDownDirect(office.Id, Signal(WakeChannel.HeadquartersPush)));
        return true;
    }
}

/// <summary>Timer: the next devices are to be told.</summary>
internal sealed record NudgeDue
{
    public static NudgeDue Instance { get; } = new();
}
