using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>Each way to wake a device fails in turn, without a word: the next is used in bounded time, no wake-up is lost, and none runs twice.</summary>
internal static class WakeLadder
{
    private const double Interval = 20;

    // The times of fleet.wake, and what a step of the ladder costs a busy machine.
    private const double Push = 2;
    private const double Datagram = 3;
    private const double Slack = 1.5;

    // office.relay.presence-interval: when headquarters hears of a sync that it did not ask for.
    private const double Digest = 10;

    public static Journey Journey { get; } = new("wake-ladder", "two-nodes", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        // Headquarters believes that it reaches the LAN; the translators know better.
        lab.HeadquartersSettings = ["wake.reachable-networks=[\"192.168.1.0/24\"]"];
        var till = lab.Topology.Device("till-1");
        var nodes = lab.Topology.Offices[0].Nodes;
        bool OfNode(string line) => nodes.Any(n => n.Id.Value == line);
        await lab.StartAll(step, $"{Interval}s", d => d == till).ConfigureAwait(false);
        await lab.WantLines(lab.Topology.Offices[0]).ConfigureAwait(false);
        var at = await lab.LineOf(till, OfNode).ConfigureAwait(false);
        step($"{till.Name} keeps a line open to {at}");

        await Woken(lab, till, step, "all is well", "office-push", 1).ConfigureAwait(false);

        await Flooded(lab, till, nodes[1], step).ConfigureAwait(false);

        lab.Block(till, "tcp", 13295);
        await Woken(lab, till, step, "the line is cut and the translators drop headquarters' datagram", "datagram-from-an-office-node", Push + Datagram + Slack).ConfigureAwait(false);
        lab.Unblock(till);

        lab.Block(till, "tcp", 13295);
        lab.Block(till, "udp", 15000);
        await Woken(lab, till, step, "the LAN drops datagrams too", "periodic-sync", Interval + Digest + Slack).ConfigureAwait(false);
        lab.Unblock(till);

        at = await lab.LineOf(till, OfNode).ConfigureAwait(false);
        var holder = nodes.Single(n => n.Id.Value == at);
        await lab.KillNode(holder).ConfigureAwait(false);
        await Woken(lab, till, step, $"{at}, which held the line, is killed at that moment", null, Push + Datagram + Slack).ConfigureAwait(false);
        var other = await lab.LineOf(till, n => n != at && OfNode(n)).ConfigureAwait(false);
        await Woken(lab, till, step, $"the line moved to {other}", "office-push", 1).ConfigureAwait(false);

        await SwitchedOn(lab, till, step).ConfigureAwait(false);

        await lab.KillNode(nodes.Single(n => n.Id.Value == other)).ConfigureAwait(false);
        await lab.LineOf(till, n => n == "headquarters").ConfigureAwait(false);
        await Woken(lab, till, step, "no push server is left in the office: the line goes to headquarters", "headquarters-push", 1).ConfigureAwait(false);

        var twice = lab.LinesOf(till.Name, ", woken by ").GroupBy(l => l[(l.IndexOf(", woken by ", StringComparison.Ordinal) + 11)..].Split(',')[0]).Where(g => g.Count() > 1).Select(g => g.Key).ToList();
        Require(twice.Count == 0, $"wake-ups {string.Join(", ", twice)} ran twice");
        step("no wake-up ran twice");
    }

    /// <summary>Signals that nobody at headquarters signed, from the device's own LAN.</summary>
    private static async Task Flooded(ProcessFleet lab, TopologyDevice device, TopologyNode from, Action<string> step)
    {
        const int Datagrams = 50_000;
        var before = lab.LinesOf(device.Name, "").Count;
        using (var socket = lab.DatagramSocketOf(from))
        {
            var to = new IPEndPoint(device.Address, 15000);
            var signal = new byte[32];
            "FWK1"u8.CopyTo(signal);
            signal[7] = 1;
            for (var n = 0; n < Datagrams; n++)
            {
                // The counter of a signal yet to come, the rest made up.
                BinaryPrimitives.WriteInt64BigEndian(signal.AsSpan(8), long.MaxValue - n);
                Random.Shared.NextBytes(signal.AsSpan(16));
                await socket.SendToAsync(signal, to).ConfigureAwait(false);
            }
        }

        var after = lab.LinesOf(device.Name, "").Count;
        Require(after - before <= 1, $"after {Datagrams} forged signals the agent logged {after - before} lines more than before");
        await Woken(lab, device, step, $"after {Datagrams} forged signals, for which it neither synced nor logged a line", "office-push", 1).ConfigureAwait(false);
    }

    /// <summary>The device is off; its network card hears the magic packet, and it starts.</summary>
    private static async Task SwitchedOn(ProcessFleet lab, TopologyDevice device, Action<string> step)
    {
        await lab.KillDevice(device).ConfigureAwait(false);
        await lab.Until(async shown => (await shown.Device(device.Name).ConfigureAwait(false))!.Presence == "offline", $"{device.Name} is shown offline", TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        using var card = lab.DatagramSocketOf(device);
        card.Bind(new IPEndPoint(IPAddress.Any, 9));
        var waking = lab.Operator.Wake(device.Name);
        var packet = new byte[256];
        var length = await card.ReceiveAsync(packet).WaitAsync(TimeSpan.FromSeconds(Datagram + Slack + 5)).ConfigureAwait(false);
        Require(length == 102 && packet.Take(6).All(b => b == 255), $"the network card heard {length} bytes, which is no magic packet");
        await lab.StartDevice(device).ConfigureAwait(false);
        var wake = await waking.ConfigureAwait(false);
        // A line that opens is a better channel, and is tried at once.
        Require(wake is { State: "woken", Channel: "wake-on-lan" or "office-push" }, $"the device that was off: {wake.State} by {wake.Channel}");
        step($"the device was off: a magic packet came to its network card, it started and synced ({wake.Channel})");
    }

    private static async Task Woken(ProcessFleet lab, TopologyDevice device, Action<string> step, string when, string? by, double within)
    {
        var wake = await lab.Operator.Wake(device.Name).ConfigureAwait(false);
        var took = (wake.Milliseconds ?? 0) / 1000;
        Require(wake.State == "woken" && (by is null || wake.Channel == by), $"{when}: woken by {wake.Channel ?? "nothing"} ({wake.State}), not {by}; before that {string.Join("; ", wake.Failures)}");
        Require(took <= within, string.Create(CultureInfo.InvariantCulture, $"{when}: took {took:0.000} s, over {within:0.0} s"));
        step(string.Create(CultureInfo.InvariantCulture, $"{when}: {wake.Channel} after {took:0.000} s{(wake.Failures.Count == 0 ? "" : $" ({string.Join("; ", wake.Failures)})")}"));
    }
}
