using System.Net;
using Fleet.NatLab.Apt;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;
using static Fleet.NatLab.Fleets.FleetSteps;

namespace Fleet.NatLab.Journeys;

/// <summary>
/// Devices without any way out of their LAN install a package with the system's own apt, from a vendor's signed repository in the internet, through their
/// distribution point: over the uplink once. A byte that its disk flips is healed, a vendor that lies is refused, and what was good is served on.
/// </summary>
internal static class AptThroughDp
{
    private const int PlainPort = 13180;
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AskedAgain = FreshFor + TimeSpan.FromSeconds(1);
    private static readonly IPAddress VendorAddress = IPAddress.Parse("192.0.2.80");

    public static Journey Journey { get; } = new("apt-through-dp", "apt-through-dp", Run, KernelOnly: true);

    private static async Task Run(IFleetUnderTest fleet, Action<string> step)
    {
        if (SignedRepository.Unable() is { } lacks)
            throw new LabException(lacks);
        var lab = (ProcessFleet)fleet;
        var node = lab.Topology.Offices[0].Nodes[0];
        lab.NodeSettings = [$"distribution.apt-fresh-for={FreshFor.TotalSeconds}s"];
        await lab.StartAll(step, devices: _ => false).ConfigureAwait(false);
        await lab.UntilObeyed(node, "distribution-point", TimeSpan.FromSeconds(30)).ConfigureAwait(false);
        step($"{node.Id} is a distribution point");

        using var repository = new SignedRepository(lab.ScratchOf("vendor"));
        var (deb, length) = repository.Publish("1.0");
        var machine = lab.PlugIn("vendor", VendorAddress);
        var vendor = await VendorServer.Start(machine, new IPEndPoint(VendorAddress, 80), repository.Files).ConfigureAwait(false);
        await using var closing = vendor.ConfigureAwait(false);
        await lab.Operator.AddAptRepository("vendor", $"http://{VendorAddress}/debian", repository.Keyring, SignedRepository.Suite).ConfigureAwait(false);
        await Until200(lab, node).ConfigureAwait(false);
        step($"the vendor's repository is signed by gpg, holds {SignedRepository.Package} 1.0 ({length} bytes), and is passed on");

        var tills = lab.Topology.Devices.Select(d => new AptMachine(lab, d, $"http://{node.Address}:{PlainPort}/apt/vendor/", repository.Keyring)).ToList();
        await CostsTheUplinkOnce(vendor, machine, tills, length, step).ConfigureAwait(false);
        await Heals(lab, node, vendor, tills[1], deb, length, step).ConfigureAwait(false);
        await Refuses(lab, node, repository, tills, step).ConfigureAwait(false);
        await vendor.DisposeAsync().ConfigureAwait(false);
        await lab.Pass(AskedAgain).ConfigureAwait(false);
        await tills[2].Update().ConfigureAwait(false);
        await tills[2].Install().ConfigureAwait(false);
        Require(tills[2].Installed == "2.0", $"{tills[2].Name} has {tills[2].Installed}");
        step($"with the vendor gone, {tills[2].Name} updates and installs 2.0 all the same");
    }

    private static async Task CostsTheUplinkOnce(VendorServer vendor, NetworkNamespace machine, IReadOnlyList<AptMachine> tills, long length, Action<string> step)
    {
        await Installs(tills[0], "1.0").ConfigureAwait(false);
        var (sent, packets) = (vendor.Sent, machine.Counted());
        Require(sent.Bytes >= length && sent.Bytes < 2 * length, $"the vendor sent {sent.Bytes} bytes");
        step($"{tills[0].Name} installed 1.0: the vendor sent {sent.Bytes} bytes in {sent.Requests} requests");

        await Installs(tills[1], "1.0").ConfigureAwait(false);
        var more = machine.Counted().Bytes - packets.Bytes;
        Require(vendor.Sent == sent && more == 0, $"for {tills[1].Name} the vendor sent {vendor.Sent.Bytes - sent.Bytes} bytes more, and {more} bytes of packets passed");
        step($"{tills[1].Name} installed 1.0: 0 bytes over the uplink, by the vendor's count and by its machine's packets");
    }

    private static async Task Heals(ProcessFleet lab, TopologyNode node, VendorServer vendor, AptMachine till, string deb, long length, Action<string> step)
    {
        var file = Directory.GetFiles(lab.ScratchOf(node.Id.Value), deb, SearchOption.AllDirectories).Single();
        var whole = await File.ReadAllBytesAsync(file).ConfigureAwait(false);
        var flipped = whole.ToArray();
        flipped[length / 2] ^= 1;
        // In place, as a disk does it: the store has no part in it.
        using (var disk = new FileStream(file, FileMode.Open, FileAccess.Write))
            await disk.WriteAsync(flipped).ConfigureAwait(false);
        var before = vendor.Sent.Bytes;

        await till.TakeAgain().ConfigureAwait(false);

        var now = await File.ReadAllBytesAsync(file).ConfigureAwait(false);
        Require(till.Installed == "1.0" && whole.AsSpan().SequenceEqual(now), "the distribution point's file is not whole again");
        Require(vendor.Sent.Bytes - before == length, $"healing took {vendor.Sent.Bytes - before} bytes from the vendor");
        Require(lab.LinesOf(node.Id.Value, "damaged").Count > 0, "nobody was told of the damage");
        step($"a flipped byte was healed with {length} bytes from the vendor, told, and not seen by apt");
    }

    private static async Task Refuses(ProcessFleet lab, TopologyNode node, SignedRepository repository, IReadOnlyList<AptMachine> tills, Action<string> step)
    {
        var old = repository.Signed();
        repository.Publish("2.0");
        await lab.Pass(AskedAgain).ConfigureAwait(false);
        await Installs(tills[0], "2.0").ConfigureAwait(false);
        step($"{tills[0].Name} installed 2.0 as the vendor published it");

        repository.Show(old);
        await lab.Pass(AskedAgain).ConfigureAwait(false);
        await Installs(tills[1], "2.0").ConfigureAwait(false);
        Require(lab.LinesOf(node.Id.Value, "rolled back").Count > 0, "nobody was told that the vendor is rolled back");
        step("a vendor that shows its old release is refused and told of; 2.0 is served on");

        repository.Publish("3.0");
        repository.SignByStranger();
        await lab.Pass(AskedAgain).ConfigureAwait(false);
        await Installs(tills[0], "2.0").ConfigureAwait(false);
        Require(lab.LinesOf(node.Id.Value, "is not in the keyring").Count > 0, "nobody was told of the wrong signature");
        step("a release that somebody else signed is refused and told of; 2.0 is served on");
    }

    private static async Task Installs(AptMachine till, string version)
    {
        await till.Update().ConfigureAwait(false);
        await till.Install().ConfigureAwait(false);
        Require(till.Installed == version, $"{till.Name} has {till.Installed}, not {version}");
    }

    // The plan takes a moment from headquarters to the node.
    private static async Task Until200(ProcessFleet lab, TopologyNode node)
    {
        using var handler = new SocketsHttpHandler { ConnectCallback = async (asked, stop) => await lab.NetworkOf(lab.Topology.Devices.First()).Connect($"{asked.DnsEndPoint.Host}:{asked.DnsEndPoint.Port}", stop).ConfigureAwait(false) };
        using var http = new HttpClient(handler);
        await TestSupport.Until.True(async () =>
        {
            try
            {
                using var answer = await http.GetAsync(new Uri($"http://{node.Address}:{PlainPort}/apt/vendor/dists/{SignedRepository.Suite}/InRelease")).ConfigureAwait(false);
                return answer.StatusCode == HttpStatusCode.OK;
            }
            catch (Exception fault) when (fault is HttpRequestException or IOException)
            {
                return false;
            }
        }, "the distribution point passes the repository on", TimeSpan.FromSeconds(40)).ConfigureAwait(false);
    }
}
