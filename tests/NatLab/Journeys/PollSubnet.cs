using System.Diagnostics;
using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// The office's poller looks at a /24 with fifty machines of known kinds: each is found once, a second poll doubles none, and of the known agent that it meets nothing
/// changes but when it was seen. A wrong range is refused; a long poll is cancelled.
/// </summary>
internal static class PollSubnet
{
    private const string LargestPoll = "10.200.0.0/16";
    private static readonly TimeSpan CancelledWithin = TimeSpan.FromSeconds(5);

    public static Journey Journey { get; } = new("poll-subnet", "poll-subnet", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var (office, till) = (lab.Topology.Offices[0], lab.Topology.Device("till-1"));
        await lab.StartAll(step).ConfigureAwait(false);
        await lab.UntilObeyed(office.Nodes[0], "poller", TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        await PollsOnItsOwn(lab, step).ConfigureAwait(false);
        var before = await Known(lab, till).ConfigureAwait(false);

        await Finds(lab, step).ConfigureAwait(false);
        await Finds(lab, step).ConfigureAwait(false);
        await LeavesAgentsAlone(lab, before, step).ConfigureAwait(false);
        await RefusesWrongRanges(lab, office, step).ConfigureAwait(false);
        await Cancels(lab, office, step).ConfigureAwait(false);
    }

    /// <summary>A poller that never polled is due: it begins without being asked.</summary>
    private static async Task PollsOnItsOwn(ProcessFleet lab, Action<string> step)
    {
        await lab.Until(async shown => (await shown.Discovered().ConfigureAwait(false)).Count >= lab.Hosts.Count, "the schedule's own first polls", TimeSpan.FromSeconds(90)).ConfigureAwait(false);
        await lab.Until(async shown => (await shown.Polls().ConfigureAwait(false)).All(p => p.EndedAt is not null), "they have ended").ConfigureAwait(false);
        step("given the role, the node polled by its schedule");
    }

    private static async Task Finds(ProcessFleet lab, Action<string> step)
    {
        foreach (var method in new[] { "ip-range", "mdns" })
        {
            var poll = await lab.Operator.Poll(lab.Topology.Offices[0].Id, method).ConfigureAwait(false);
            Require(poll.State == "completed", $"the poll by {method} is {poll.State}: {poll.Why}");
            step($"{method}: {poll.Found} found, {poll.Done} looked at, {poll.Packets} packets, {(poll.EndedAt - poll.StartedAt)!.Value.TotalSeconds:0.0} s{string.Concat(poll.CannotSee.Select(c => $"; can't see {c}"))}");
        }

        var found = await lab.Shown.Discovered().ConfigureAwait(false);
        foreach (var host in lab.Hosts)
        {
            var same = found.Where(d => d.Mac == host.Mac || d.Addresses.Any(a => a.Address == host.Host.Address?.ToString())).ToList();
            Require(same.Count == 1, $"{host.Host.Name} ({host.Mac}) is found {same.Count} times");
            Require(same[0].Mac == host.Mac, $"{host.Host.Name} is shown with {same[0].Mac}, but has {host.Mac}");
            Require(Has(same[0], host), $"{host.Host.Name} is shown without what it offers: {string.Join(' ', same[0].Services.Select(s => s.Port))} {string.Join(' ', same[0].Names.Select(n => n.Name))}");
        }

        var known = found.Count(d => lab.Topology.Devices.Any(t => d.Addresses.Any(a => a.Address == t.Address.ToString())));
        Require(known == 0, "a managed device is listed as discovered");
        step($"all {lab.Hosts.Count} hosts are shown once with their cards, the managed ones not; {found.Count} in all");
    }

    private static bool Has(DiscoveredResource found, LanHost host) => host.Host.Kind switch
    {
        HostKind.Open => found.Services.Any(s => s.Port == 22),
        HostKind.NoPing => found.Services.Any(s => s.Port == 80),
        HostKind.MulticastDns => found.Services.Any(s => s is { Port: 631, Name: "_ipp._tcp" }) && found.Names.Any(n => n.Name.EndsWith(".local", StringComparison.Ordinal)),
        HostKind.Ipv6Only => found.Addresses.All(a => a.Address.StartsWith("fe80:", StringComparison.Ordinal)),
        _ => true,
    };

    private static async Task LeavesAgentsAlone(ProcessFleet lab, DeviceDetailResource before, Action<string> step)
    {
        var after = await Known(lab, lab.Topology.Device("till-1")).ConfigureAwait(false);
        Require(after.SeenOnNetwork is not null, "headquarters does not show that the poll met till-1");
        Require((await lab.Shown.Devices().ConfigureAwait(false)).Count == 2, "the polls changed how many devices there are");
        Require(Kept(after) == Kept(before), $"the polls changed more of till-1 than when it was seen: {Kept(before)} is {Kept(after)}");
        step($"of till-1 only that {after.SeenOnNetwork!.By} saw it has changed");
    }

    private static string Kept(DeviceDetailResource device) =>
        string.Join(' ', device.Device.Id, device.Device.Name, device.Device.Office, device.Device.DesiredVersion, device.Device.ReportedVersion, device.EnrolledAt, device.CertificateSerial, device.KeyGeneration);

    private static async Task RefusesWrongRanges(ProcessFleet lab, TopologyOffice office, Action<string> step)
    {
        foreach (var (ranges, why) in new[] { (new[] { "192.168.1.0/24", "192.168.1.128/25" }, "overlaps"), ([LargestPoll, "10.201.0.0/16"], "--force"), (["printers"], "no address range") })
            try
            {
                var poll = await lab.Operator.Poll(office.Id, "ip-range", ranges).ConfigureAwait(false);
                throw new LabException($"a poll of {string.Join(", ", ranges)} was {poll.State}");
            }
            catch (LabException refused) when (refused.Message.Contains(why, StringComparison.Ordinal))
            {
                step($"refused: {refused.Message.Split('\n')[0]}");
            }
    }

    private static async Task Cancels(ProcessFleet lab, TopologyOffice office, Action<string> step)
    {
        var poll = await lab.Api.BeginPoll(new NewPoll(office.Id.Value, "ip-range", Ranges: [LargestPoll])).ConfigureAwait(false);
        await lab.Until(async shown => await shown.Poll(poll.Id).ConfigureAwait(false) is { State: "running", Packets: > 200, Total: 65534 }, "a poll of a /16 tells its progress").ConfigureAwait(false);
        var asked = Stopwatch.StartNew();
        await lab.Api.CancelPoll(poll.Id).ConfigureAwait(false);
        await lab.Until(async shown => (await shown.Poll(poll.Id).ConfigureAwait(false)).State == "cancelled", "it is cancelled", CancelledWithin).ConfigureAwait(false);
        step($"a poll of a /16 is cancelled after {asked.Elapsed.TotalSeconds:0.0} s");
    }

    private static async Task<DeviceDetailResource> Known(ProcessFleet lab, TopologyDevice device) =>
        await lab.Shown.DeviceDetail((await lab.SelfOf(device).ConfigureAwait(false))!.Id).ConfigureAwait(false);
}
