using System.Globalization;
using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>
/// From a wake-up that headquarters accepted until it heard of the device's sync, by headquarters' own clock: over the line of an always-connected device
/// behind two translators, and by an office node's datagram. In the same run the same trip (out to the device and its answer back) through NATS with a
/// leaf in the office and through an MQTT broker; those keep nothing on disk, sign nothing and speak without TLS here.
/// </summary>
internal static class WakeLatency
{
    public static Benchmark Benchmark { get; } = new("wake-latency", "wake-ups of one device behind two translators, beside NATS and MQTT", Run);

    private static async Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        DebianPackages.Require("nats-server", "mosquitto");
        await using var fleet = await ProcessFleet.InKernelLab(Topology.Load("two-nodes"), step).ConfigureAwait(false);
        var (device, node) = (fleet.Topology.Device("till-1"), fleet.Topology.Offices[0].Nodes[0]);
        await fleet.StartAll(step, interval: "1h", devices: d => d == device).WaitAsync(stop).ConfigureAwait(false);

        var udp = await Wakes(fleet, device, "datagram-from-an-office-node", options.Trips, stop).ConfigureAwait(false);
        Say(step, "datagram of an office node", udp);

        await fleet.UntilObeyed(node, "push-server", TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        await fleet.Operator.ApplyPolicy(new PolicyContent("always", Settings: new Dictionary<string, string> { ["agent.connection"] = "always" })).ConfigureAwait(false);
        await fleet.KeepLines([device], TimeSpan.FromSeconds(30)).ConfigureAwait(false);
        var push = await Wakes(fleet, device, "office-push", options.Trips, stop).ConfigureAwait(false);
        Say(step, "line to the office's push server", push);

        var nats = await Peers.Nats(fleet, node, device, options.Trips, stop).ConfigureAwait(false);
        Say(step, "NATS, hub and leaf", nats);
        var mosquitto = await Peers.Mosquitto(fleet, device, options.Trips, stop).ConfigureAwait(false);
        Say(step, "mosquitto", mosquitto);
        return new Dictionary<string, double>
        {
            ["push_p50_ms"] = At(push, 0.5),
            ["push_p99_ms"] = At(push, 0.99),
            ["udp_p50_ms"] = At(udp, 0.5),
            ["udp_p99_ms"] = At(udp, 0.99),
            ["nats_p50_ms"] = At(nats, 0.5),
            ["nats_p99_ms"] = At(nats, 0.99),
            ["mosquitto_p50_ms"] = At(mosquitto, 0.5),
            ["mosquitto_p99_ms"] = At(mosquitto, 0.99),
        };
    }

    private static async Task<List<double>> Wakes(ProcessFleet fleet, TopologyDevice device, string channel, int count, CancellationToken stop)
    {
        var id = (await fleet.SelfOf(device).ConfigureAwait(false))!.Id;
        var took = new List<double>(count);
        while (took.Count < count)
        {
            stop.ThrowIfCancellationRequested();
            var wake = await fleet.Api.Wake(id).ConfigureAwait(false);
            FleetSteps.Require(wake.Channel == channel, $"wake-up {took.Count + 1}: by {wake.Channel}, not {channel}; before that {string.Join("; ", wake.Failures)}");
            took.Add(wake.Milliseconds!.Value);
        }

        return took;
    }

    private static double At(List<double> times, double part) => Math.Round(times.Order().ElementAt((int)Math.Min(times.Count - 1, times.Count * part)), 2);

    private static void Say(Action<string> step, string what, List<double> times) =>
        step(string.Create(CultureInfo.InvariantCulture, $"{what}: {times.Count} times, p50 {At(times, 0.5)} ms, p99 {At(times, 0.99)} ms, longest {times.Max():0.00} ms"));
}
