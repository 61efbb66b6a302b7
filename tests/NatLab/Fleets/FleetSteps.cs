using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Device.Identity;
using Fleet.Device.Settings;
using Fleet.Messages.Transport;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Fleets;

/// <summary>Steps that most journeys share.</summary>
public static class FleetSteps
{
    private const int JoinedAtOnce = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DialAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>Waits for what headquarters shows; an API that does not answer (headquarters is down) counts as "not yet".</summary>
    public static Task Until(this IFleetUnderTest fleet, Func<FleetReader, Task<bool>> condition, string what, TimeSpan? within = null) => TestSupport.Until.True(
        async () =>
        {
            try
            {
                return await condition(fleet.Shown).ConfigureAwait(false);
            }
            catch (IOException)
            {
                return false;
            }
        },
        what,
        within ?? Patience);

    /// <summary>Starts headquarters with every office, node (as gateway) and, where wanted, device of the topology, and waits until all have synced.</summary>
    /// <param name="interval">The devices' sync interval: short, so that a journey sees many syncs.</param>
    public static async Task StartAll(this IFleetUnderTest fleet, Action<string> step, string interval = "2s", Func<TopologyDevice, bool>? devices = null)
    {
        var topology = fleet.Topology;
        await fleet.StartHeadquarters().ConfigureAwait(false);
        step("headquarters is ready");
        await fleet.Operator.ApplyPolicy(new PolicyContent("interval", Settings: new Dictionary<string, string> { ["sync.interval"] = interval })).ConfigureAwait(false);
        foreach (var office in topology.Offices)
        {
            await fleet.Operator.AddOffice(office.Id).ConfigureAwait(false);
            foreach (var node in office.Nodes)
            {
                await fleet.JoinNode(node).ConfigureAwait(false);
                step($"office node {node.Id} has joined");
            }
        }

        await fleet.Until(async shown => (await shown.Nodes().ConfigureAwait(false)).Count(n => n.Linked && n.Roles.Contains("gateway")) == topology.Offices.Sum(o => o.Nodes.Count),
            "every node is linked and is a gateway").ConfigureAwait(false);
        step($"{topology.Offices.Sum(o => o.Nodes.Count)} nodes are linked and are gateways");
        var joining = topology.Devices.Where(devices ?? (_ => true)).ToList();
        // Each is some processes that start.
        await Parallel.ForEachAsync(joining, new ParallelOptions { MaxDegreeOfParallelism = JoinedAtOnce / 2 }, async (device, _) =>
        {
            await fleet.JoinDevice(device).ConfigureAwait(false);
            step($"device {device.Name} has joined");
        }).ConfigureAwait(false);
        await fleet.UntilConverged(joining).ConfigureAwait(false);
        step($"{joining.Count} devices have synced");
    }

    public static async Task JoinNode(this IFleetUnderTest fleet, TopologyNode node)
    {
        var token = await fleet.Operator.CreateToken(node.Id.Office, "node").ConfigureAwait(false);
        if (node.Through is { } through)
            await fleet.Until(async shown => await shown.Node(through).ConfigureAwait(false) is { GatewayAddresses.Count: > 0 }, $"{through} is a gateway").ConfigureAwait(false);
        await fleet.EnrolNode(node, token.Text).ConfigureAwait(false);
        if (!node.DialsOut)
            await fleet.Operator.SetWay(node.Id, node.Through, node.Dmz ? $"{node.Address}:{LinkHocon.EdgePort}" : null).ConfigureAwait(false);
        await fleet.StartNode(node).ConfigureAwait(false);
        await fleet.Operator.Assign(node.Id, "gateway").ConfigureAwait(false);
    }

    /// <summary>Every node of the office becomes a push server, and every device is to keep a line open.</summary>
    public static async Task WantLines(this IFleetUnderTest fleet, TopologyOffice office)
    {
        foreach (var node in office.Nodes)
            await fleet.UntilObeyed(node, "push-server", Patience).ConfigureAwait(false);
        await fleet.Operator.ApplyPolicy(new PolicyContent("always", Settings: new Dictionary<string, string> { ["agent.connection"] = "always" })).ConfigureAwait(false);
    }

    /// <summary>Waits until all of them keep a line open. A place in the budget is granted behind a sync, and the device learns of it at its next: here at once.</summary>
    public static Task KeepLines(this IFleetUnderTest fleet, IReadOnlyList<LabDevice> crowd, TimeSpan within) => fleet.KeepLines(crowd, d => d.Id.Value, shown => shown.Id, d =>
    {
        d.SyncSoon();
        return Task.CompletedTask;
    }, within);

    /// <inheritdoc cref="KeepLines(IFleetUnderTest, IReadOnlyList{LabDevice}, TimeSpan)"/>
    public static Task KeepLines(this IFleetUnderTest fleet, IReadOnlyList<TopologyDevice> devices, TimeSpan within) =>
        fleet.KeepLines(devices, d => d.Name, shown => shown.Name, d => fleet.Operator.Wake(d.Name), within);

    private static Task KeepLines<T>(this IFleetUnderTest fleet, IReadOnlyList<T> devices, Func<T, string> key, Func<DeviceResource, string> shownKey, Func<T, Task> sync, TimeSpan within) => fleet.Until(
        async shown =>
        {
            var connected = (await shown.Devices().ConfigureAwait(false)).Where(d => LineIn(d) is not null).Select(shownKey).ToHashSet();
            var without = devices.Where(d => !connected.Contains(key(d))).ToList();
            await Task.WhenAll(without.Select(sync)).ConfigureAwait(false);
            return without.Count == 0;
        },
        $"{devices.Count} devices keep a line open", within);

    /// <summary>Waits until a device has a line that is wanted.</summary>
    /// <param name="wanted">Judges whereto it goes.</param>
    /// <returns>The node's id, or <c>headquarters</c>.</returns>
    public static async Task<string> LineOf(this IFleetUnderTest fleet, TopologyDevice device, Func<string, bool> wanted)
    {
        string? line = null;
        await fleet.Until(async shown => (line = LineIn((await shown.Device(device.Name).ConfigureAwait(false))!)) is not null && wanted(line), $"{device.Name} has a line", TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        return line!;
    }

    /// <summary>Whereto headquarters says that the device keeps a line open: a node's id, or <c>headquarters</c>; null: nowhere.</summary>
    public static string? LineIn(DeviceResource device)
    {
        const string connected = "connected to ";
        return device.Presence == "online" && device.PresenceWhy.StartsWith(connected, StringComparison.Ordinal) ? device.PresenceWhy[connected.Length..] : null;
    }

    /// <summary>Waits until a node has another link than before.</summary>
    public static Task UntilLinkedAnew(this IFleetUnderTest fleet, NodeResource before, string what, TimeSpan within) => fleet.Until(
        async shown => await shown.Node(new NodeId(before.Id)).ConfigureAwait(false) is { Linked: true } now && now.LinkSince > before.LinkSince, $"{what}: a new link of {before.Id}", within);

    /// <summary>Headquarters dials a machine that has begun to wait for that, until the machine is enrolled or refused.</summary>
    public static async Task DialUntilTaken(this IFleetUnderTest fleet, TopologyNode node, Task enrolling)
    {
        using var pause = new PeriodicTimer(DialAgain);
        while (!enrolling.IsCompleted)
        {
            try
            {
                await fleet.Operator.Dial($"{node.Address}:{LinkHocon.EdgePort}").ConfigureAwait(false);
                await enrolling.WaitAsync(Patience).ConfigureAwait(false);
            }
            catch (LabException)
            {
                // Its port is not open yet.
                await pause.WaitForNextTickAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Gives the node a role, and waits until the node says that it obeys; whether it has code for the role is another question.</summary>
    public static async Task UntilObeyed(this IFleetUnderTest fleet, TopologyNode node, string role, TimeSpan within)
    {
        await fleet.Operator.Assign(node.Id, role).ConfigureAwait(false);
        await fleet.Until(
            async shown => await shown.Node(node.Id).ConfigureAwait(false) is { } now && now.DesiredRoles.Contains(role) && now.AppliedVersion == now.DesiredVersion,
            $"{node.Id} obeys headquarters and reports it", within).ConfigureAwait(false);
    }

    public static async Task JoinDevice(this IFleetUnderTest fleet, TopologyDevice device)
    {
        var token = await fleet.Operator.CreateToken(device.Office, "agent").ConfigureAwait(false);
        if (await fleet.EnrolDevice(device, token.Text).ConfigureAwait(false) is { } refused)
            throw new LabException($"{device.Name} could not join: {refused}");
        await fleet.StartDevice(device).ConfigureAwait(false);
    }

    /// <summary>Many devices of one office inside this process, beside its first: they join through its gateways and run.</summary>
    /// <param name="prefix">Of their names.</param>
    public static async Task<IReadOnlyList<LabDevice>> JoinCrowd(this IFleetUnderTest fleet, TopologyOffice office, string prefix, int count, DeviceOptions options)
    {
        var token = await fleet.Operator.CreateToken(office.Id, "agent", uses: count).ConfigureAwait(false);
        var reach = new Reach([.. office.Nodes.Select(fleet.GatewayOf)], [], GatewayOnly: true);
        var network = fleet.NetworkOf(office.Devices[0]);
        var crowd = new ConcurrentBag<LabDevice>();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = JoinedAtOnce }, async (n, _) =>
            crowd.Add(await LabDevice.Join(network, reach, token.Text, $"{prefix}-{n}", options).ConfigureAwait(false))).ConfigureAwait(false);
        return [.. crowd];
    }

    /// <summary>Waits until headquarters has the newest report of each device, and each runs what is desired and knows that its report was stored.</summary>
    public static Task UntilConverged(this IFleetUnderTest fleet, IReadOnlyList<TopologyDevice> devices, TimeSpan? within = null) => fleet.Until(
        async shown =>
        {
            var known = (await shown.Devices().ConfigureAwait(false)).ToLookup(d => d.Name);
            foreach (var device in devices)
            {
                if (known[device.Name].SingleOrDefault() is not { Converged: true, LastSync: not null } atHeadquarters
                    || await fleet.SelfOf(device).ConfigureAwait(false) is not { } self
                    || self.AcknowledgedVersion != self.ReportedVersion
                    || atHeadquarters.ReportedVersion != self.ReportedVersion)
                    return false;
            }

            return true;
        },
        $"headquarters and {string.Join(", ", devices.Select(d => d.Name))} agree",
        within);

    /// <summary>Asserts that headquarters recorded every event of the device once and in order.</summary>
    public static async Task AssertEventsOnceInOrder(this IFleetUnderTest fleet, TopologyDevice device)
    {
        var self = await fleet.SelfOf(device).ConfigureAwait(false) ?? throw new LabException($"{device.Name} is not enrolled");
        await fleet.AssertNumbered(self.Id, device.Name).ConfigureAwait(false);
    }

    /// <summary>Asserts that headquarters recorded the device's events as 1, 2, 3….</summary>
    /// <param name="name">For the message.</param>
    public static async Task AssertNumbered(this IFleetUnderTest fleet, string device, string name, int atLeast = 1)
    {
        var numbers = await fleet.Shown.EventNumbers(device).ConfigureAwait(false);
        Require(numbers.Count >= atLeast, $"headquarters has {numbers.Count} events of {name}, and there are {atLeast} at least");
        Require(numbers.Select((n, i) => n == (ulong)i + 1).All(right => right), $"events of {name} are not 1, 2, 3…: {string.Join(' ', numbers)}");
    }

    /// <summary>A journey's assertion.</summary>
    /// <exception cref="LabException">It does not hold.</exception>
    public static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new LabException(otherwise);
    }

    public static TopologyDevice Device(this Topology topology, string name) => topology.Devices.Single(d => d.Name == name);
}
