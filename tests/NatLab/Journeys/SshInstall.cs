using System.Diagnostics;
using System.Net;
using Fleet.Contracts.Api;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// A machine without an agent is found by the office's poller, which sets up the published agent there over a real SSH server, with the settings that a node ships with. The
/// agent joins, syncs through the gateway and obeys. The machine has no systemd: that the agent becomes a service is not played.
/// </summary>
internal static class SshInstall
{
    public static Journey Journey { get; } = new("ssh-install", "one-office", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        var lab = (ProcessFleet)fleet;
        var (node, bare) = (lab.Topology.Offices[0].Nodes[0], lab.Topology.Device("late"));
        await lab.StartAll(step, devices: _ => false).ConfigureAwait(false);
        var server = await StartServer(lab, bare).ConfigureAwait(false);
        await lab.UntilObeyed(node, "poller", TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        DiscoveredResource? found = null;
        await lab.Until(async shown => (found = (await shown.Discovered().ConfigureAwait(false)).FirstOrDefault(d => d.Addresses.Any(a => a.Address == bare.Address.ToString()))) is not null,
            $"a poll by the node's own schedule finds {bare.Address}", TimeSpan.FromSeconds(90)).ConfigureAwait(false);
        step($"{found!.Id} at {bare.Address} is found");

        var began = Stopwatch.StartNew();
        var install = await lab.Operator.InstallAgent(found.Id, "root", server.PrivateKeyFile).ConfigureAwait(false);
        Require(install.Node == node.Id.Value && install.HostKey.StartsWith("ssh-ed25519 SHA256:", StringComparison.Ordinal), $"set up through {install.Node}, host key {install.HostKey}");
        step($"the agent is set up through {install.Node} after {began.Elapsed.TotalSeconds:0.0} s, host key {install.HostKey}");
        await lab.Until(async shown => await shown.Device(bare.Name).ConfigureAwait(false) is { Converged: true, LastSync: not null } device && device.Id == install.Device && device.Through == node.Id.Value,
            $"device {install.Device} syncs through {node.Id}").ConfigureAwait(false);
        Require((await lab.Shown.Discovered().ConfigureAwait(false)).All(d => d.Id != found.Id), $"{found.Id} is still listed as a device without an agent");
        step($"it joined as {install.Device} and syncs after {began.Elapsed.TotalSeconds:0.0} s; the discovered device is gone");

        await lab.Operator.ApplyPolicy(new PolicyContent("greeting", Settings: new Dictionary<string, string> { ["greeting"] = "hello" })).ConfigureAwait(false);
        await lab.Until(async shown => await shown.DeviceDetail(install.Device!).ConfigureAwait(false) is { Device.Converged: true } now && now.Settings.GetValueOrDefault("greeting") == "hello",
            "the agent obeys a policy").ConfigureAwait(false);
        step("it obeys a policy");
    }

    /// <summary>An SSH server on the device's machine, whose folders for programs and their data are its own.</summary>
    private static async Task<SshdFiles> StartServer(ProcessFleet lab, TopologyDevice device)
    {
        if (SshdFiles.Unable() is { } lacks)
            throw new LabException(lacks);
        var files = await SshdFiles.Make(lab.ScratchOf("sshd"), new IPEndPoint(device.Address, 22)).ConfigureAwait(false);
        const string OwnFolders = "for folder in /usr/local /var/lib /run; do mount -t tmpfs none $folder || exit; done; mkdir /run/sshd && exec \"$@\"";
        await lab.StartOtherAt("sshd", device, "Server listening", ["sh", "-c", OwnFolders, "sh", .. files.Command]).ConfigureAwait(false);
        return files;
    }
}
