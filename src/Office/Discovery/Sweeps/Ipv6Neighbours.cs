using System.Net;
using System.Net.Sockets;
using Fleet.Office.Discovery.Networks;

namespace Fleet.Office.Discovery.Sweeps;

/// <summary>
/// Finds who has IPv6 on the machine's links: an echo to all of them (ff02::1), asked from each of the machine's own addresses, since they answer by the same kind;
/// and who the kernel's neighbour table has. A subnet of IPv6 is too large to sweep.
/// </summary>
internal static class Ipv6Neighbours
{
    private const int QuickRounds = 3;
    private const int FullRounds = 4;

    private static readonly TimeSpan QuickRound = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan FullRound = TimeSpan.FromMilliseconds(400);

    /// <summary>Addresses that are kept of one link: a flooder could answer under any number.</summary>
    private const int MaxAddresses = 8192;

    public static async Task Look(IReadOnlyList<LocalLink> links, PollRun run, CancellationToken stop)
    {
        foreach (var link in links)
            await Look(link, run, stop);
    }

    private static async Task Look(LocalLink link, PollRun run, CancellationToken stop)
    {
        var answers = new Answers();
        var probes = link.Own.Select(own => EchoProbe.TryOpen(own, answers, run.Pace, run.Clock)).OfType<EchoProbe>().ToList();
        if (probes.Count == 0)
            run.CannotSee($"machines with IPv6 on {link.Card} that this machine has not spoken to: this process may not send ICMP echoes");
        var heard = new HashSet<IPAddress>();
        var hearing = Hear(answers, heard, stop);
        try
        {
            for (var round = 0; probes.Count > 0 && round < (run.Order.Full ? FullRounds : QuickRounds); round++)
            {
                foreach (var probe in probes)
                    await probe.AskAll(link.Index, stop);
                await Task.Delay(run.Order.Full ? FullRound : QuickRound, run.Clock, stop);
            }
        }
        finally
        {
            foreach (var probe in probes)
                await probe.DisposeAsync();
            answers.End();
            await hearing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await hearing;
        await Tell(link, heard, run, stop);
    }

    private static async Task Hear(Answers answers, HashSet<IPAddress> heard, CancellationToken stop)
    {
        await foreach (var answer in answers.All(stop))
            if (heard.Count < MaxAddresses)
                heard.Add(Zones.Without(answer.Address));
    }

    private static async Task Tell(LocalLink link, HashSet<IPAddress> heard, PollRun run, CancellationToken stop)
    {
        heard.ExceptWith(link.Own.Select(Zones.Without));
        // Who answered is known to the kernel as a rule.
        var table = (await NeighbourTable.Asked(heard.Select(a => new IPAddress(a.GetAddressBytes(), link.Index)), run, stop))
            .Where(n => n.Card == link.Index && n.Address.AddressFamily == AddressFamily.InterNetworkV6).DistinctBy(n => n.Address).ToDictionary(n => n.Address);
        foreach (var machine in heard.Concat(table.Where(n => n.Value.Reachable).Select(n => n.Key)).Distinct()
            .GroupBy(a => table.TryGetValue(a, out var neighbour) ? neighbour.Mac.ToString() : a.ToString()))
            run.See(table.TryGetValue(machine.First(), out var known) ? known.Mac : null, machine, [], []);
    }
}
