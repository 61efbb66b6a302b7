using System.Net;
using Fleet.Messages.Networks;
using Fleet.Office.Discovery.Networks;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>The ways in which this process may ask, and for each address the best: who is met without a router by ARP, others by echo and TCP.</summary>
internal sealed class Probes : IAsyncDisposable
{
    private readonly List<IProbe> _near = [];
    private readonly List<IProbe> _far = [];
    private readonly TcpProbe? _ports;

    private Probes(TcpProbe? ports) => _ports = ports;

    private IEnumerable<IProbe> All => _near.Concat(_far).Append(_ports).OfType<IProbe>();

    /// <summary>Opens what the ranges need, and tells the run what can't be seen without a right that this process lacks.</summary>
    public static Probes Open(LocalNetworks networks, IReadOnlyList<AddressRange> ranges, IReadOnlyList<int> ports, TimeSpan portTimeout, Answers answers, PollRun run)
    {
        var behindRouters = ranges.Any(r => !networks.Four.Any(n => n.Range.Contains(r.First) && n.Range.Contains(r.Last)));
        var probes = new Probes(behindRouters ? new TcpProbe(ports, portTimeout, answers, run.Pace, run.Clock) : null);
        foreach (var network in networks.Four.Where(n => ranges.Any(n.Range.Overlaps)))
            probes._near.Add(ArpProbe.TryOpen(network, answers, run.Pace, run.Clock) ?? Fallback(network, answers, run));
        foreach (var any in new[] { IPAddress.Any, IPAddress.IPv6Any })
            if (behindRouters && ranges.Any(r => r.First.AddressFamily == any.AddressFamily))
            {
                if (EchoProbe.TryOpen(any, answers, run.Pace, run.Clock) is { } echo)
                    probes._far.Add(echo);
                else
                    run.CannotSee($"machines behind routers that answer nothing but ping: this process may not send ICMP echoes ({Remedy})");
            }

        return probes;
    }

    /// <summary>Asks once by the best way; by TCP too in the last pass, where an echo would have been answered by now.</summary>
    public async ValueTask Ask(IPAddress address, bool last, CancellationToken stop)
    {
        if (_near.Find(p => p.Reaches(address)) is { } near)
        {
            await near.Ask(address, stop);
            return;
        }

        foreach (var probe in _far.Where(p => p.Reaches(address)))
            await probe.Ask(address, stop);
        if (last && _ports is not null)
            await _ports.Ask(address, stop);
    }

    public Task Settle(CancellationToken stop) => Task.WhenAll(All.Select(p => p.Settle(stop)));

    public async ValueTask DisposeAsync()
    {
        foreach (var probe in All)
            await probe.DisposeAsync();
    }

    private const string Remedy = "give it CAP_NET_RAW, as AmbientCapabilities=CAP_NET_RAW in its systemd unit does";

    private static IProbe Fallback(LocalNetwork network, Answers answers, PollRun run)
    {
        if (OperatingSystem.IsLinux())
            run.CannotSee($"machines that answer neither the kernel's ARP in the first second nor any later packet, on {network.Card}: this process may not send ARP itself "
                + $"and reads the kernel's neighbour table ({Remedy})");
        else
            run.CannotSee($"the MAC addresses of machines on {network.Card}: this system has neither packet sockets nor a neighbour table that Fleet reads");
        return new NeighbourProbe(network, answers, run.Pace, run.Clock, NeighbourTable.Now);
    }
}
