using System.Diagnostics;
using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using Fleet.TestSupport;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>The office is cut off while devices change and one wants to join: the gateway keeps answering, nothing is lost, all is well soon after.</summary>
internal static class UplinkCut
{
    private static readonly TimeSpan Converged = TimeSpan.FromSeconds(10);

    public static Journey Journey { get; } = new("uplink-cut", "one-office", Run);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var office = fleet.Topology.Offices[0];
        var late = fleet.Topology.Device("late");
        var devices = office.Devices.Where(d => d.Name != late.Name).ToList();
        await fleet.StartAll(step, devices: d => d.Name != late.Name).ConfigureAwait(false);
        var token = await fleet.Operator.CreateToken(office.Id, "agent").ConfigureAwait(false);

        fleet.CutUplink(office.Id);
        var cut = Stopwatch.StartNew();
        await fleet.Until(async shown => await shown.Node(office.Nodes[0].Id).ConfigureAwait(false) is { Linked: false }, "headquarters knows that the office is cut off").ConfigureAwait(false);
        step($"the uplink is cut; headquarters knew after {cut.Elapsed.TotalSeconds:0.0} s");

        var refused = await fleet.EnrolDevice(late, token.Text).ConfigureAwait(false);
        Require(refused?.Contains("out of reach", StringComparison.Ordinal) == true, $"the newcomer was not told that headquarters is out of reach, but: {refused ?? "enrolled"}");
        await fleet.StartDevice(late).ConfigureAwait(false);
        step("a newcomer was told that headquarters is out of reach, and waits");

        // All through the cut each device reports changes and starts anew in between; the gateway answers, and vouches for nothing.
        const int Changes = 3;
        for (var change = 0; change < Changes; change++)
        {
            await fleet.Pass(fleet.CutLasts / Changes).ConfigureAwait(false);
            foreach (var device in devices)
            {
                var before = (await fleet.SelfOf(device).ConfigureAwait(false))!;
                fleet.ChangeStateOf(device);
                await fleet.KillDevice(device).ConfigureAwait(false);
                await fleet.StartDevice(device).ConfigureAwait(false);
                await Until.True(async () => (await fleet.SelfOf(device).ConfigureAwait(false))!.ReportedVersion > before.ReportedVersion, $"{device.Name} reports its change").ConfigureAwait(false);
                var after = (await fleet.SelfOf(device).ConfigureAwait(false))!;
                Require(after.AcknowledgedVersion == before.AcknowledgedVersion, $"somebody acknowledged a report of {device.Name} that headquarters can't have");
                Require(after.ReachedThrough == office.Nodes[0].Id.Value, $"{device.Name} was not answered by its gateway");
            }
        }

        var policy = await fleet.Operator.ApplyPolicy(new PolicyContent("during-the-cut", Settings: new Dictionary<string, string> { ["during"] = "cut" })).ConfigureAwait(false);
        step($"{fleet.CutLasts.TotalMinutes:0} min have passed; devices changed and were answered by the gateway all along; policy during-the-cut {policy} waits");

        fleet.HealUplink(office.Id);
        var healed = Stopwatch.StartNew();
        await fleet.UntilConverged(devices, Converged).ConfigureAwait(false);
        foreach (var device in devices)
        {
            var detail = await fleet.Shown.DeviceDetail((await fleet.SelfOf(device).ConfigureAwait(false))!.Id).ConfigureAwait(false);
            Require(detail.Settings.TryGetValue("during", out var value) && value == "cut", $"the policy of the cut did not reach {device.Name}");
        }

        step($"headquarters and the devices agree {healed.Elapsed.TotalSeconds:0.0} s after the cut; the policy arrived");
        await fleet.UntilConverged([late], TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        step($"the newcomer joined by itself {healed.Elapsed.TotalSeconds:0.0} s after the cut");
        foreach (var device in office.Devices)
            await fleet.AssertEventsOnceInOrder(device).ConfigureAwait(false);
        step("every event is recorded once and in order");
    }
}
