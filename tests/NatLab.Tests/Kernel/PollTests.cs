using System.Net;
using System.Text.Json;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Tests.Kernel;

/// <summary>The office's own way of looking, on a real network of fifty machines of known kinds. Root on Linux, with avahi-daemon.</summary>
[Collection(KernelLabTests.OneAtATime)]
public sealed class PollTests : IDisposable
{
    private static readonly string[] WithoutRawSockets = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly KernelLab _lab;
    private readonly NetworkNamespace _poller;

    public PollTests()
    {
        Skip.If(KernelLab.Unable() is not null, KernelLab.Unable());
        Skip.If(LanHost.Unable() is not null, LanHost.Unable());
        _lab = KernelLab.Build(Topology.Load("poll-subnet"));
        _poller = _lab.MachineOf(_lab.Topology.Offices[0].Nodes[0]);
    }

    public void Dispose() => _lab.Dispose();

    [SkippableFact]
    public void With_CAP_NET_RAW_every_machine_is_found_with_its_card_its_names_and_its_services()
    {
        var seen = Poll([], "--full");

        Assert.Empty(seen.CannotSee);
        Assert.All(_lab.Hosts, host => Assert.Contains(host.Mac, seen.Machines.Keys));
        Assert.All(Of(HostKind.Open), host => Assert.Contains("22/tcp ssh", seen.Machines[host.Mac]));
        Assert.All(Of(HostKind.MulticastDns), host => Assert.Contains("631/tcp _ipp._tcp", seen.Machines[host.Mac]));
        Assert.All(Of(HostKind.MulticastDns), host => Assert.Contains(host.Host.Name.Replace("mdns", "printer", StringComparison.Ordinal) + ".local", seen.Machines[host.Mac]));
    }

    [SkippableFact]
    public void Without_CAP_NET_RAW_the_kernels_own_ARP_finds_who_has_IPv4_and_the_poll_says_what_it_can_not_see()
    {
        var seen = Poll(WithoutRawSockets);

        var missed = _lab.Hosts.Where(h => !seen.Machines.ContainsKey(h.Mac)).Select(h => h.Host.Kind).ToList();
        Assert.Equal([HostKind.Ipv6Only], missed);
        Assert.Contains(seen.CannotSee, c => c.Contains("this process may not send ARP itself", StringComparison.Ordinal) && c.Contains("CAP_NET_RAW", StringComparison.Ordinal));
        Assert.Contains(seen.CannotSee, c => c.Contains("IPv6", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void A_machine_that_has_gone_is_not_found_although_the_kernel_remembers_it()
    {
        var gone = Of(HostKind.Open).First();
        _poller.DoubtNeighboursSoon();
        Assert.Contains(gone.Mac, Poll(WithoutRawSockets).Machines.Keys);

        gone.Unplug();

        Assert.DoesNotContain(gone.Mac, Poll(WithoutRawSockets).Machines.Keys);
    }

    [SkippableFact]
    public async Task Behind_a_router_who_answers_ping_or_has_a_port_open_is_found_without_a_card()
    {
        // Headquarters' machine is not in the office's network; the office's nodes reach it through the router.
        await using var port = _lab.Headquarters.Listen(new IPEndPoint(IPAddress.Any, 443));

        var echo = Poll([], "--method", "ip-range", "--range", "203.0.113.8-203.0.113.12");
        var without = Poll(WithoutRawSockets, "--method", "ip-range", "--range", "203.0.113.8-203.0.113.12");
        _lab.Headquarters.IgnorePings();
        var silent = Poll([], "--method", "ip-range", "--range", "203.0.113.8-203.0.113.12");

        Assert.All([echo, without, silent], seen => Assert.Equal(["203.0.113.10"], seen.Machines.Keys));
        Assert.Contains(without.CannotSee, c => c.Contains("behind routers", StringComparison.Ordinal));
    }

    private IEnumerable<LanHost> Of(HostKind kind) => _lab.Hosts.Where(h => h.Host.Kind == kind);

    /// <summary>Runs <c>office poll</c> on the office's node.</summary>
    private Seen Poll(IReadOnlyList<string> under, params string[] options)
    {
        var (code, output, errors) = Shell.Try("ip", ["netns", "exec", _poller.Name, .. under, "dotnet", Path.Combine(AppContext.BaseDirectory, "office.dll"), "poll", "--json", .. options], patience: Patience);
        Assert.True(code == 0, errors);
        var answer = JsonDocument.Parse(output).RootElement;
        return new Seen(
            answer.GetProperty("machines").EnumerateArray().ToDictionary(
                m => m.GetProperty("mac").GetString() is { Length: > 0 } mac ? mac : m.GetProperty("addresses")[0].GetString()!,
                m => (IReadOnlyList<string>)[.. m.GetProperty("names").EnumerateArray().Concat(m.GetProperty("services").EnumerateArray()).Select(t => t.GetString()!)]),
            [.. answer.GetProperty("cannotSee").EnumerateArray().Select(t => t.GetString()!)]);
    }

    /// <param name="Machines">By card, or address where it has none: names and services.</param>
    private sealed record Seen(IReadOnlyDictionary<string, IReadOnlyList<string>> Machines, IReadOnlyList<string> CannotSee);
}
