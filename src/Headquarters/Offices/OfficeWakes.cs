using System.Diagnostics;
using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Contracts.Tracing;
using Fleet.Gateway.Push;
using Fleet.Headquarters.Devices;
using Fleet.Headquarters.Wakes;
using Fleet.Messages.Cluster;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Offices;

/// <summary>
/// The wake-ups that are under way: which channel each has come to, what failed on the way, and when to try the next. That one was asked for and how
/// it ended is journaled; where it stands is not, and begins anew at the top after a restart. Part of the office twin, on its thread.
/// </summary>
internal sealed class OfficeWakes(OfficeTools tools, OfficeLinks links, Presence presence, DeviceEnvelopes envelopes, Action<object> publish, Func<ITimerScheduler> timers)
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly Dictionary<DeviceId, Climb> _climbs = [];
    private readonly Dictionary<DeviceId, WakeTrace> _traces = [];
    private readonly Dictionary<NodeId, List<IDownItem>> _down = [];
    private readonly List<IDownItem> _direct = [];

    /// <summary>The counter of the next wake-up of a device.</summary>
    public ulong NextCounter(Device device) => Math.Max(envelopes.NextCounter(), (device.Known.Wake?.Counter ?? 0) + 1);

    /// <summary>A signal for the device that is of no wake-up: whether it syncs is not followed.</summary>
    public byte[] SignalFor(Device device) => envelopes.Wake(device, NextCounter(device));

    /// <summary>The wake-up of the device that begins next is traced.</summary>
    /// <param name="parent">The operator's request.</param>
    public void Trace(DeviceId device, string parent)
    {
        if (_traces.Remove(device, out var older))
            older.Span?.Dispose();
        var span = Traces.Continue("wake", parent);
        span?.SetTag("fleet.device.id", device.Value);
        _traces[device] = new WakeTrace(span, Traces.Of(span, parent)!);
    }

    /// <summary>Begins at the best channel, also where a wake-up is under way: a better channel may have come back.</summary>
    public void Begin(Office office, Device device) => Begin(office, [device]);

    /// <summary>Begins those of the wake-ups that are under way; all signals through a node go down together.</summary>
    public void Begin(Office office, IEnumerable<Device> devices)
    {
        foreach (var device in devices)
            if (device.Known.Wake is { IsOver: false } wake)
                Try(office, device, new Climb(wake.Counter, null, _climbs.GetValueOrDefault(device.Id)?.Failures ?? []));
        Send(office);
    }

    /// <summary>Begins all that are under way anew.</summary>
    public void BeginAll(Office office) => Begin(office, office.Devices.Values);

    /// <summary>A channel could not be tried, or its time is over. Nothing where the climb is past it already.</summary>
    /// <returns>The end of the wake-up, where all failed.</returns>
    public DeviceWakeEnded? Failed(Office office, Device device, ulong counter, WakeChannel channel, string why, DateTimeOffset now)
    {
        if (!_climbs.TryGetValue(device.Id, out var climb) || climb.Counter != counter || climb.Channel != channel)
            return null;
        climb = climb with { Failures = [.. climb.Failures, $"{WakeLadder.Name(channel)}: {why}"] };
        if (channel == WakeChannel.PeriodicSync)
            return Ended(office, device, climb, null, now);
        Try(office, device, climb);
        Send(office);
        return null;
    }

    /// <summary>The device synced and named the signal.</summary>
    /// <param name="trace">What the device named, by whatever carrier: it counts only where it is of the wake-up's own trace.</param>
    public DeviceWakeEnded? Woken(Office office, Device device, ulong counter, string? trace, DateTimeOffset now)
    {
        if (!_climbs.TryGetValue(device.Id, out var climb) || climb.Counter != counter)
            return null;
        if (_traces.TryGetValue(device.Id, out var traced) && Traces.AreOne(trace, traced.Text))
            using (Traces.Continue("woken", trace))
                return Ended(office, device, climb, climb.Channel, now);
        return Ended(office, device, climb, climb.Channel, now);
    }

    /// <summary>The device synced, for whatever reason: nothing is left to wake it for.</summary>
    public DeviceWakeEnded? Synced(Office office, Device device, DateTimeOffset at, DateTimeOffset now) =>
        device.Known.Wake is { IsOver: false } wake && at > wake.At && _climbs.TryGetValue(device.Id, out var climb)
            ? Ended(office, device, climb, climb.Channel == WakeChannel.WakeOnLan ? WakeChannel.WakeOnLan : WakeChannel.PeriodicSync, now)
            : null;

    /// <summary>Its end is journaled, or the device is gone.</summary>
    public void Forget(DeviceId device)
    {
        if (_climbs.Remove(device))
            timers().Cancel(TimerOf(device));
        if (_traces.Remove(device, out var traced))
            traced.Span?.Dispose();
    }

    private void Send(Office office)
    {
        foreach (var (node, items) in _down)
            links.Send(node, items);
        if (_direct.Count > 0)
            publish(new CameDownDirect(office.Id, [.. _direct]));
        _down.Clear();
        _direct.Clear();
    }

    private void Down(NodeId node, IDownItem item)
    {
        if (!_down.TryGetValue(node, out var items))
            _down[node] = items = [];
        items.Add(item);
    }

    private void Try(Office office, Device device, Climb climb)
    {
        var ways = WaysTo(office, device, climb.Channel);
        var channel = WakeLadder.Next(ways, climb.Channel);
        _climbs[device.Id] = climb with { Channel = channel };
        var traced = _traces.GetValueOrDefault(device.Id);
        traced?.Span?.AddEvent(new ActivityEvent(WakeLadder.Name(channel)));
        timers().StartSingleTimer(TimerOf(device.Id), new WakeDue(device.Id, climb.Counter, channel), Within(office, device, channel));
        switch (channel)
        {
            case WakeChannel.OfficePush:
                // One line is enough; a device has two only while it changes over.
                Down(ways.PushNodes[0], Signal());
                break;
            case WakeChannel.HeadquartersPush:
                _direct.Add(Signal());
                break;
            case WakeChannel.OfficeDatagram:
                var signal = Signal();
                foreach (var node in ways.LanNodes)
                    Down(node, signal);
                break;
            case WakeChannel.HeadquartersDatagram:
                publish(new SendDatagrams(envelopes.Wake(device, climb.Counter), ways.ReachableAddresses));
                break;
            case WakeChannel.WakeOnLan:
                foreach (var node in ways.LanNodes)
                    Down(node, new WakeDevice(device.Id, default, channel, ways.Macs, office.Id, traced?.Text));
                break;
            case WakeChannel.PeriodicSync:
                if (office.Nodes.Values.FirstOrDefault(n => n is { Periodic: true, Linked: false }) is { } dialler)
                    _climbs[device.Id] = climb with { Channel = channel, Failures = [.. climb.Failures.Except([WaitsFor(dialler)]), WaitsFor(dialler)] };
                break;
            default:
                throw new NotSupportedException($"{channel} is no channel");
        }

        WakeDevice Signal() => new(device.Id, envelopes.Wake(device, climb.Counter), channel, ways.Addresses, office.Id, traced?.Text);
    }

    /// <param name="tried">The channel that failed; null: none yet.</param>
    private WakeWays WaysTo(Office office, Device device, WakeChannel? tried)
    {
        var linked = office.Nodes.Values.Where(n => n.Linked).Select(n => n.NodeId).ToList();
        List<NodeId> push = [.. linked.Where(n => presence.HasLine(device.Id, n))];
        var pushHere = presence.HasLine(device.Id, null);
        // Its report is long to read, and who has a line is not looked for by address.
        IReadOnlyList<NetworkInterface> interfaces = tried is null && (push.Count > 0 || pushHere) ? [] : device.ReadInventory().Interfaces;
        IReadOnlyList<string> addresses = [.. interfaces.SelectMany(i => i.Addresses).Distinct()];
        return new WakeWays(
            push,
            pushHere,
            linked,
            addresses,
            [.. addresses.Where(a => tools.Wake.ReachableNetworks.Any(n => System.Net.IPAddress.TryParse(a, out var address) && n.Contains(address)))],
            presence.IsOff(device.Id) ? [.. interfaces.Select(i => i.Mac).Where(m => m.Length > 0).Distinct()] : []);
    }

    private TimeSpan Within(Office office, Device device, WakeChannel channel) => channel switch
    {
        WakeChannel.OfficePush or WakeChannel.HeadquartersPush => tools.Wake.PushWithin,
        WakeChannel.HeadquartersDatagram or WakeChannel.OfficeDatagram => tools.Wake.DatagramWithin,
        WakeChannel.WakeOnLan => tools.Wake.StartWithin,
        // By then the device has had two chances.
        _ => (2 * Policies.DesiredState.IntervalOf(office, device, tools.Options)) + Grace
            + office.Nodes.Values.Where(n => n.Periodic).Select(n => 2 * n.DialInterval).DefaultIfEmpty().Max(),
    };

    private static DeviceWakeEnded Ended(Office office, Device device, Climb climb, WakeChannel? channel, DateTimeOffset now) =>
        new(office.Id, device.Id, climb.Counter, channel, now - device.Known.Wake!.At, string.Join('\n', climb.Failures), now);

    private static string WaitsFor(NodeSnapshot node) => $"{node.NodeId} dials every {DurationText.Of(node.DialInterval)}: the wake-up waited for its next dial";

    private static string TimerOf(DeviceId device) => $"wake {device}";

    /// <param name="Span">Null: nobody records here.</param>
    /// <param name="Text">What is handed on.</param>
    private sealed record WakeTrace(Activity? Span, string Text);

    /// <param name="Channel">The one being tried; null before the first.</param>
    private sealed record Climb(ulong Counter, WakeChannel? Channel, IReadOnlyList<string> Failures);
}

/// <summary>Timer: the time of a channel is over.</summary>
internal sealed record WakeDue(DeviceId DeviceId, ulong Counter, WakeChannel Channel);
