using System.Diagnostics;
using System.Net;
using Fleet.NatLab.Fleets;

namespace Fleet.NatLab.Journeys;

/// <summary>The translator forgets the link's mapping, then its address changes; nobody is told. The link must work again within 20 s, by default settings.</summary>
internal static class NatForgets
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public static Journey Journey { get; } = new("nat-forgets", "one-office", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var office = fleet.Topology.Offices[0];
        await fleet.StartAll(step, devices: d => d.Name != "late").ConfigureAwait(false);

        await Survives(fleet, step, "the translator forgot its mappings", () => fleet.ForgetMappings(office.Id)).ConfigureAwait(false);
        await Survives(fleet, step, "the office's public address changed", () => fleet.ChangeAddress(office.Id, IPAddress.Parse("198.51.100.77"))).ConfigureAwait(false);

        foreach (var device in office.Devices.Where(d => d.Name != "late"))
            fleet.ChangeStateOf(device);
        await fleet.UntilConverged([.. office.Devices.Where(d => d.Name != "late")]).ConfigureAwait(false);
        step("what the devices report arrives over the new link");
    }

    private static async Task Survives(IFleetUnderTest fleet, Action<string> step, string what, Action fault)
    {
        var node = fleet.Topology.Offices[0].Nodes[0];
        var before = (await fleet.Shown.Node(node.Id).ConfigureAwait(false))!;
        var role = before.DesiredRoles.Contains("poller") ? "push-server" : "poller";

        var began = Stopwatch.StartNew();
        fault();
        await fleet.UntilLinkedAnew(before, what, Limit).ConfigureAwait(false);
        // Linked is what headquarters believes; an order obeyed and reported proves both directions.
        await fleet.UntilObeyed(node, role, Limit - began.Elapsed).ConfigureAwait(false);
        step($"{what}: the link works again after {began.Elapsed.TotalSeconds:0.0} s");
    }
}
