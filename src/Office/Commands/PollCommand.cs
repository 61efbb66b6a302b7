using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Fleet.Messages.Link;
using Fleet.Messages.Networks;
using Fleet.Office.Discovery;

namespace Fleet.Office.Commands;

/// <summary><c>office poll</c>: looks at the network from here and tells nobody else; to see what a poller would.</summary>
internal static class PollCommand
{
    private const int DefaultRate = 1000;
    private const int MaxRate = 100_000;

    public static Command Make()
    {
        var method = new Option<string>("--method") { Description = "ip-range or mdns; all: both at once.", HelpName = "METHOD", DefaultValueFactory = _ => "all" };
        method.AcceptOnlyFromAmong("all", Polls.Name(PollMethod.IpRange), Polls.Name(PollMethod.MulticastDns));
        var range = new Option<string[]>("--range") { Description = "192.168.1.0/24, or first-last; may repeat. Default: this machine's own subnets, and its IPv6 neighbours.", HelpName = "RANGE", DefaultValueFactory = _ => [] };
        var full = new Option<bool>("--full") { Description = "Asks more often, and for open ports." };
        var force = new Option<bool>("--force") { Description = "Allows more addresses than a /16 has." };
        var rate = new Option<int>("--rate") { Description = "Packets per second.", HelpName = "N", DefaultValueFactory = _ => DefaultRate };
        var json = new Option<bool>("--json") { Description = "For programs: one object, the names are stable." };
        var (config, sets) = (NodeCommands.Config(), NodeCommands.Sets());
        rate.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int>() is < 1 or > MaxRate)
                given.AddError($"--rate is 1 to {MaxRate} packets per second");
        });
        var command = new Command("poll", """
            Looks at the network that this machine stands in, prints what it sees, and reports it to nobody. Needs no enrolment.
            With CAP_NET_RAW it asks by ARP and ICMP itself; without, it says what it can't see.

            Examples:
              office poll
              office poll --full --range 192.168.1.0/24 --range 10.0.7.10-10.0.7.90 --json
            """)
        { method, range, full, force, rate, json, config, sets };
        command.SetAction((parsed, stop) => NodeCommands.Guarded(async () =>
        {
            var options = OfficeOptions.Load(parsed.GetValue(config), parsed.GetValue(sets)!).Discovery;
            var ranges = RangeList.Read(parsed.GetValue(range)!, parsed.GetValue(force), out var problems);
            if (problems.Count > 0)
            {
                foreach (var problem in problems)
                    await Console.Error.WriteLineAsync(problem);
                return NodeCommands.Usage;
            }

            var chosen = new[] { PollMethod.IpRange, PollMethod.MulticastDns }.Where(m => parsed.GetValue(method) is var name && (name == "all" || name == Polls.Name(m)));
            return await Run(new Wanted([.. chosen], ranges, parsed.GetValue(full), parsed.GetValue(rate), parsed.GetValue(json)), options, stop);
        }));
        return command;
    }

    private static async Task<int> Run(Wanted wanted, DiscoveryOptions options, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        var pace = new Pace(wanted.Rate, options.Jitter, TimeProvider.System);
        var seen = new List<(PollMethod Method, Sighting Sighting)>();
        var runs = wanted.Methods.Select(method => new PollRun(new PollOrder(method, wanted.Full, wanted.Ranges, []), pace, TimeProvider.System, sighting =>
        {
            lock (seen)
                seen.Add((method, sighting));
        })).ToList();
        try
        {
            var methods = PollMethods.OfThisMachine(options);
            await Task.WhenAll(runs.Select(run => methods[run.Order.Method].Run(run, stop)));
        }
        catch (PollFailedException failed)
        {
            await Console.Error.WriteLineAsync(failed.Message);
            return NodeCommands.Failed;
        }

        var machines = Machine.Merged(seen);
        var blind = runs.SelectMany(r => r.Blind).Distinct().ToList();
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        if (wanted.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { found = machines.Count, seconds = Math.Round(seconds, 3), packets = pace.Packets, cannotSee = blind, machines }, JsonSerializerOptions.Web));
            return NodeCommands.Done;
        }

        foreach (var machine in machines)
            Console.WriteLine(string.Format(CultureInfo.InvariantCulture, "{0,-18} {1,-40} {2}", machine.Mac, string.Join(' ', machine.Addresses),
                string.Join(' ', machine.Names.Concat(machine.Services))).TrimEnd());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{machines.Count} machines in {seconds:0.0} s, {pace.Packets} packets"));
        foreach (var what in blind)
            Console.WriteLine($"Can't see {what}");
        return NodeCommands.Done;
    }

    private sealed record Wanted(IReadOnlyList<PollMethod> Methods, IReadOnlyList<AddressRange> Ranges, bool Full, int Rate, bool Json);

    /// <summary>What all methods saw of one machine; told by its card, or an address where no method saw that.</summary>
    private sealed record Machine(string Mac, IReadOnlyList<string> Addresses, IReadOnlyList<string> Names, IReadOnlyList<string> Services, IReadOnlyList<string> Methods)
    {
        public static IReadOnlyList<Machine> Merged(IReadOnlyList<(PollMethod Method, Sighting Sighting)> seen)
        {
            var macs = seen.Where(s => s.Sighting.Mac.Length > 0).SelectMany(s => s.Sighting.Addresses.Select(a => (a, s.Sighting.Mac))).DistinctBy(p => p.a).ToDictionary(p => p.a, p => p.Mac);
            return [.. seen.GroupBy(s => s.Sighting.Mac is { Length: > 0 } mac ? mac
                    : s.Sighting.Addresses.Select(a => macs.GetValueOrDefault(a)).FirstOrDefault(m => m is not null) ?? s.Sighting.Addresses.FirstOrDefault() ?? s.Sighting.Identity)
                .Select(g => new Machine(
                    g.Key.Contains(':', StringComparison.Ordinal) && g.Any(s => s.Sighting.Mac.Length > 0) ? g.Key : "",
                    [.. g.SelectMany(s => s.Sighting.Addresses).Distinct()],
                    [.. g.SelectMany(s => s.Sighting.Names).Select(n => n.Name).Distinct()],
                    [.. g.SelectMany(s => s.Sighting.Services).Select(s => $"{s.Port}/{s.Protocol} {s.Name}".TrimEnd()).Distinct()],
                    [.. g.Select(s => Polls.Name(s.Method)).Distinct()]))
                .OrderBy(m => m.Addresses.FirstOrDefault()?.Length).ThenBy(m => m.Addresses.FirstOrDefault(), StringComparer.Ordinal)];
        }
    }
}
