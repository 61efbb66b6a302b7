using System.Diagnostics;
using Fleet.Device.Settings;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// An office with two gateways loses either: all devices are back through the other in under 10 s, without waiting for their next sync, nobody is shown
/// offline meanwhile, they return without going to and fro, and every event is recorded once.
/// </summary>
internal static class GatewayTakeover
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    // Shorter than by default, so that the return is seen; the real agents keep theirs.
    private static readonly TimeSpan ReturnAfter = TimeSpan.FromSeconds(20);

    public static Journey Journey { get; } = new("gateway-takeover", "gateway-takeover", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var (first, second) = (fleet.Topology.Offices[0].Nodes[0], fleet.Topology.Offices[0].Nodes[1]);
        await fleet.StartAll(step, interval: "10m").ConfigureAwait(false);
        await fleet.WantLines(fleet.Topology.Offices[0]).ConfigureAwait(false);

        var crowd = await fleet.JoinCrowd(fleet.Topology.Offices[0], "crowd", fleet.Crowd, DeviceOptions.Default with { ReturnAfter = ReturnAfter }).ConfigureAwait(false);
        try
        {
            await fleet.KeepLines(crowd, Patience).ConfigureAwait(false);
            var holders = crowd.GroupBy(d => d.State.ReachedThrough).ToDictionary(g => g.Key, g => g.Count());
            step($"{crowd.Count} devices are connected: {string.Join(", ", holders.Select(h => $"{h.Value} sync through {h.Key}"))}");
            var moves = crowd.Select(d => new Moves(d)).ToList();

            using var enough = new CancellationTokenSource();
            var offline = Watch(fleet, enough.Token);
            await Dies(fleet, step, crowd, first, second).ConfigureAwait(false);
            await Returns(fleet, step, first, holders.GetValueOrDefault(first.Id.Value)).ConfigureAwait(false);
            await Dies(fleet, step, crowd, second, first).ConfigureAwait(false);
            await enough.CancelAsync().ConfigureAwait(false);
            var seen = await offline.ConfigureAwait(false);
            Require(seen.Count == 0, $"shown offline, though nobody was: {string.Join(", ", seen.Take(5))}");
            step("nobody was ever shown offline");
            Require(moves.All(m => m.Count <= 4), $"a device went to and fro: {moves.Max(m => m.Count)} moves");
            step($"no device moved more than {moves.Max(m => m.Count)} times");

            foreach (var device in crowd)
                await Recorded(fleet, device).ConfigureAwait(false);
            foreach (var device in fleet.Topology.Devices)
                await fleet.AssertEventsOnceInOrder(device).ConfigureAwait(false);
            step($"every event of {crowd.Count + fleet.Topology.Devices.Count()} devices is recorded once and in order");
        }
        finally
        {
            await Task.WhenAll(crowd.Select(d => d.DisposeAsync().AsTask())).ConfigureAwait(false);
        }
    }

    private static async Task Dies(IFleetUnderTest fleet, Action<string> step, IReadOnlyList<LabDevice> crowd, TopologyNode dying, TopologyNode other)
    {
        var lost = crowd.Where(d => d.State.ReachedThrough == dying.Id.Value).ToList();
        // Mid-traffic: each has something new that may be on its way just then.
        foreach (var device in crowd)
        {
            device.Record($"before {dying.Id} died");
            device.SyncSoon();
        }

        var began = Stopwatch.StartNew();
        await fleet.KillNode(dying).ConfigureAwait(false);
        foreach (var device in crowd)
            device.Record($"after {dying.Id} died");
        await TestSupport.Until.True(() => lost.All(d => d.State.ReachedThrough == other.Id.Value), $"all {lost.Count} devices of {dying.Id} sync through {other.Id}", Limit).ConfigureAwait(false);
        var synced = began.Elapsed;
        await fleet.Until(async shown => await Connected(shown, other).ConfigureAwait(false) >= crowd.Count,
            $"headquarters shows all {crowd.Count} connected to {other.Id}", Limit - began.Elapsed).ConfigureAwait(false);
        step($"{dying.Id} was killed: its {lost.Count} devices sync through {other.Id} after {synced.TotalSeconds:0.0} s, and headquarters shows all {crowd.Count} connected there after {began.Elapsed.TotalSeconds:0.0} s");
    }

    private static async Task Returns(IFleetUnderTest fleet, Action<string> step, TopologyNode node, int preferred)
    {
        var began = Stopwatch.StartNew();
        await fleet.StartNode(node).ConfigureAwait(false);
        await fleet.Until(async shown => await Connected(shown, node).ConfigureAwait(false) >= preferred, $"the lines of {node.Id} return", Patience).ConfigureAwait(false);
        step($"{node.Id} came back: {preferred} lines have returned to it after {began.Elapsed.TotalSeconds:0.0} s");
    }

    /// <summary>Every device that is shown offline while this looks.</summary>
    private static async Task<IReadOnlyCollection<string>> Watch(IFleetUnderTest fleet, CancellationToken enough)
    {
        var seen = new HashSet<string>();
        using var timer = new PeriodicTimer(LookEvery);
        while (!enough.IsCancellationRequested)
        {
            seen.UnionWith((await fleet.Shown.Devices().ConfigureAwait(false)).Where(d => d.Presence == "offline").Select(d => $"{d.Name}: {d.PresenceWhy}"));
            await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false);
        }

        return seen;
    }

    private static async Task<int> Connected(FleetReader shown, TopologyNode to) =>
        (await shown.Devices().ConfigureAwait(false)).Count(d => d.Name.StartsWith("crowd-", StringComparison.Ordinal) && LineIn(d) == to.Id.Value);

    private static async Task Recorded(IFleetUnderTest fleet, LabDevice device)
    {
        device.SyncSoon();
        await TestSupport.Until.True(() => !device.State.AwaitsAck, $"the events of {device.Id} are stored", Patience).ConfigureAwait(false);
        await fleet.AssertNumbered(device.Id.Value, device.Id.Value, atLeast: 4).ConfigureAwait(false);
    }

    /// <summary>How often a device's syncs went another way than the one before.</summary>
    private sealed class Moves
    {
        private string _last;
        private int _count;

        public Moves(LabDevice device)
        {
            _last = device.State.ReachedThrough;
            device.RoundEnded += _ =>
            {
                if (device.State.ReachedThrough == _last)
                    return;
                _last = device.State.ReachedThrough;
                Interlocked.Increment(ref _count);
            };
        }

        public int Count => Volatile.Read(ref _count);
    }
}
