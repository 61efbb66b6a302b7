using System.Net;
using System.Threading.Channels;
using Fleet.Messages.Link;
using Fleet.Office.Discovery.Names;
using Fleet.Office.Discovery.Networks;
using Fleet.Office.Discovery.Sweeps;

namespace Fleet.Office.Discovery.Multicast;

/// <summary>
/// Asks all machines of the machine's links by multicast DNS for their services, over IPv4 and IPv6. Rounds of questions, until none is left; a full poll
/// asks more often and waits longer.
/// </summary>
public sealed class MulticastDnsPoll(DiscoveryOptions options) : IPollMethod
{
    private const int QuickAsks = 2;
    private const int FullAsks = 4;
    private const int MaxRounds = 24;

    /// <summary>Messages that wait to be read; what a flooder sends beyond is dropped.</summary>
    private const int MaxWaiting = 1024;

    // Answers to a shared question are put off by up to 120 ms, and 500 ms where more are known to come (RFC 6762, 6).
    private static readonly TimeSpan QuickRound = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan FullRound = TimeSpan.FromMilliseconds(800);

    public async Task Run(PollRun run, CancellationToken stop)
    {
        var networks = LocalNetworks.Now(options.SkipCards);
        var heard = Channel.CreateBounded<(IPAddress From, DnsMessage Message)>(new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropWrite });
        var browser = new ServiceBrowser(run.Order.Full ? FullAsks : QuickAsks);
        await using (var lines = MulticastLines.Open(networks, run, (from, packet) =>
        {
            if (DnsMessage.Read(packet) is { } message)
                heard.Writer.TryWrite((Zones.Without(from!), message));
        }))
            for (var round = 0; round < MaxRounds && browser.NextQueries() is { Count: > 0 } queries; round++)
            {
                foreach (var query in queries)
                    await lines.Send(query, run.Pace, stop);
                await Task.Delay(run.Order.Full ? FullRound : QuickRound, run.Clock, stop);
                while (heard.Reader.TryRead(out var told))
                    browser.Take(told.From, told.Message);
            }

        await Tell([.. browser.Machines().Where(m => !m.Addresses.Any(networks.IsOwn))], networks, run, stop);
    }

    private static async Task Tell(IReadOnlyList<HeardMachine> machines, LocalNetworks networks, PollRun run, CancellationToken stop)
    {
        run.ProgressIs(() => (machines.Count, machines.Count));
        var onLink = machines.Where(m => m.Mac is null).SelectMany(m => m.Addresses).Where(a => networks.OnLink(a) is not null);
        var cards = (await NeighbourTable.Asked(onLink, run, stop)).DistinctBy(n => n.Address).ToDictionary(n => n.Address, n => n.Mac);
        foreach (var machine in machines)
            run.See(machine.Mac ?? machine.Addresses.Select(a => cards.TryGetValue(a, out var card) ? card : (MacAddress?)null).FirstOrDefault(m => m is not null),
                machine.Addresses, [new SeenName(NameSource.MulticastDns, machine.Name)], machine.Services);
    }
}
