using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Fleet.Messages.Link;
using Fleet.Messages.Networks;
using Fleet.Office.Discovery.Names;
using Fleet.Office.Discovery.Networks;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>
/// Sweeps address ranges. In the machine's own networks by ARP, beyond them by ICMP echo and TCP; who answers is asked for names, and in a full poll for
/// open ports. A quick poll sends a silent address two packets, a full one three. Where no ranges are given, IPv6 neighbours are asked for as well.
/// </summary>
public sealed class IpRangePoll(DiscoveryOptions options) : IPollMethod
{
    private const int QuickPasses = 2;
    private const int FullPasses = 3;

    /// <summary>TCP ports by which a quick poll asks behind routers whether a machine is there.</summary>
    private const int QuickPorts = 3;

    /// <summary>Machines that are looked at at a time.</summary>
    private const int MaxLooks = 64;

    /// <summary>Addresses for which one card may answer: beyond, it answers for others (a proxy).</summary>
    private const int MaxPerCard = Sighting.MostAddresses;

    /// <summary>Between two packets to one silent address.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(300);

    public async Task Run(PollRun run, CancellationToken stop)
    {
        var networks = LocalNetworks.Now(options.SkipCards);
        var ranges = run.Order.Ranges.Count > 0 ? run.Order.Ranges : OwnRanges(networks, run);
        var own = run.Order.Ranges.Count == 0 ? networks.Six : [];
        if (ranges.Count == 0 && own.Count == 0)
            throw new PollFailedException("this machine stands in no network that can be polled: name ranges");

        var sweep = new Sweep(ranges, run.Order.Full ? FullPasses : QuickPasses);
        foreach (var address in networks.Four.Select(n => n.Own).Concat(networks.Six.SelectMany(l => l.Own)))
            sweep.Take(address);
        run.ProgressIs(() => (sweep.Done, sweep.Total));
        await Task.WhenAll(
            SweepAll(run, sweep, networks, ranges, stop),
            Ipv6Neighbours.Look(own, run, stop));
    }

    private IReadOnlyList<AddressRange> OwnRanges(LocalNetworks networks, PollRun run)
    {
        var ranges = new List<AddressRange>();
        foreach (var network in networks.Four)
            if (RangeList.TooMany([network.Range], force: false) is { } tooMany)
                run.CannotSee($"the whole of {network.Own}/{network.Prefix} on {network.Card}: {tooMany}");
            else
                ranges.Add(network.Range);
        return RangeList.Merged(ranges);
    }

    private async Task SweepAll(PollRun run, Sweep sweep, LocalNetworks networks, IReadOnlyList<AddressRange> ranges, CancellationToken stop)
    {
        var answers = new Answers();
        await using var probes = Probes.Open(networks, ranges, PortsFor(run), options.PortTimeout, answers, run);
        await using var looks = new Looks(networks, options, run);
        var looking = Parallel.ForEachAsync(answers.All(stop), new ParallelOptions { MaxDegreeOfParallelism = MaxLooks, CancellationToken = stop },
            async (answer, cancel) =>
            {
                if (sweep.Take(answer.Address))
                    await looks.At(answer, cancel);
            });
        try
        {
            for (var pass = run.Order.Full ? FullPasses : QuickPasses; pass > 0; pass--)
            {
                var began = run.Clock.GetTimestamp();
                while (sweep.Next() is { } address)
                    await probes.Ask(address, last: pass == 1, stop);
                if (pass > 1 && Again - run.Clock.GetElapsedTime(began) is { Ticks: > 0 } rest)
                    await Task.Delay(rest, run.Clock, stop);
            }

            await probes.Settle(stop);
        }
        finally
        {
            answers.End();
            // Cancelled or not, no look outlives what it looks with.
            await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await looking;
    }

    private IReadOnlyList<int> PortsFor(PollRun run) => run.Order.Full ? options.Ports : [.. options.Ports.Take(QuickPorts)];

    /// <summary>Looks closer at machines that answered.</summary>
    private sealed class Looks(LocalNetworks networks, DiscoveryOptions options, PollRun run) : IAsyncDisposable
    {
        private const int DnsPort = 53;

        private readonly ConcurrentDictionary<MacAddress, int> _addresses = new();
        private readonly NetBiosAsker _netBios = new(run.Pace, run.Clock);
        private readonly ReverseNames _reverse = new([.. networks.Names.Select(n => new IPEndPoint(n, DnsPort))], run.Pace, run.Clock);

        public async ValueTask At(Answer answer, CancellationToken stop)
        {
            if (answer.Mac is { } card && _addresses.AddOrUpdate(card, 1, (_, count) => count + 1) > MaxPerCard)
            {
                run.CannotSee($"who is behind {card}, which answers for more than {MaxPerCard} addresses: it stands in for others (proxy ARP)");
                return;
            }

            var four = answer.Address.AddressFamily == AddressFamily.InterNetwork;
            var netBios = four ? _netBios.Ask(answer.Address, stop) : Task.FromResult<NetBiosStatus?>(null);
            var reverse = _reverse.Ask(answer.Address, stop);
            var ports = run.Order.Full ? Ports(answer.Address, stop) : Task.FromResult<IReadOnlyList<SeenService>>([]);
            await Task.WhenAll(netBios, reverse, ports);
            var names = new List<SeenName>();
            if (await reverse is { } name)
                names.Add(new SeenName(NameSource.ReverseDns, name));
            if (await netBios is { } status)
                names.Add(new SeenName(NameSource.NetBios, status.Name));
            run.See(answer.Mac ?? (await netBios)?.Mac, [answer.Address], names, await ports);
        }

        public async ValueTask DisposeAsync()
        {
            await _netBios.DisposeAsync();
            await _reverse.DisposeAsync();
        }

        private async Task<IReadOnlyList<SeenService>> Ports(IPAddress address, CancellationToken stop)
        {
            var states = await Task.WhenAll(options.Ports.Select(p => TcpProbe.Try(new IPEndPoint(address, p), options.PortTimeout, run.Pace, run.Clock, stop)));
            return [.. options.Ports.Zip(states).Where(p => p.Second == PortState.Open).Select(p => new SeenService(p.First, "tcp", ServiceNames.Of(p.First)))];
        }
    }
}
