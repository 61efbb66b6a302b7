using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fleet.NatLab.Fleets;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;

namespace Fleet.Bench;

/// <summary>
/// How much of an office's network a poll finds, how fast, and with how many packets, beside nmap, fping and arp-scan on the same machine in the same run.
/// Seconds are those of the whole process; packets are what the kernel counted at the card. Only the topology's fifty hosts count as found.
/// </summary>
internal static partial class Discovery
{
    private const string Range = "192.168.1.0/24";
    private const int Rounds = 5;

    public static Benchmark Benchmark { get; } = new("discovery", "machines found in a /24, beside nmap, fping and arp-scan", Run);

    private static Task<IReadOnlyDictionary<string, double>> Run(BenchOptions options, Action<string> step, CancellationToken stop)
    {
        DebianPackages.Require("nmap", "fping", "arp-scan");
        if (!File.Exists(Programs.Office))
            throw new LabException($"{Programs.Office} is missing: run ./build.sh publish");
        var topology = Topology.Load("poll-subnet");
        step($"building {topology.Offices[0].Hosts.Count} machines: {string.Join(", ", topology.Offices[0].Hosts.GroupBy(h => h.Kind).Select(g => $"{g.Count()} {g.Key}"))}");
        using var lab = KernelLab.Build(topology);
        var poller = lab.MachineOf(topology.Offices[0].Nodes[0]);
        var office = Programs.Office;
        Scan[] scans =
        [
            new("", $"{office} poll --json", ReadPoll),
            new("full_", $"{office} poll --full --json", ReadPoll),
            new("nmap_", $"nmap -sn -n {Range}", output => Lines(output, NmapHost())),
            new("fping_", $"fping -a -q -g {Range}", output => Lines(output, AnyAddress())),
            new("arp_scan_", $"arp-scan --interface eth0 --plain {Range}", output => Lines(output, AnyAddress())),
        ];
        var results = scans.ToDictionary(s => s, _ => new List<Result>());
        for (var round = 0; round < Rounds; round++)
            foreach (var scan in scans)
            {
                stop.ThrowIfCancellationRequested();
                results[scan].Add(Measure(scan, poller, lab.Hosts));
            }

        var figures = new Dictionary<string, double> { ["hosts"] = lab.Hosts.Count };
        foreach (var (scan, rounds) in results)
        {
            var (found, seconds, packets) = (rounds.Min(r => r.Found), Median(rounds.Select(r => r.Seconds)), Median(rounds.Select(r => (double)r.Packets)));
            step(string.Create(CultureInfo.InvariantCulture, $"{scan.Command.Replace(Path.GetDirectoryName(Programs.Office)! + "/", "", StringComparison.Ordinal)}: {found} of {lab.Hosts.Count} in {seconds:0.00} s, {packets} packets sent"));
            if (rounds.SelectMany(r => r.Missed).Distinct().ToList() is { Count: > 0 } missed)
                step($"  missed {string.Join(", ", missed.GroupBy(m => m.Host.Kind).Select(g => $"{g.Count()} {g.Key}"))}");
            (figures[$"{scan.Prefix}found"], figures[$"{scan.Prefix}seconds"], figures[$"{scan.Prefix}packets"]) = (found, Math.Round(seconds, 2), packets);
        }

        Judge(figures);
        return Task.FromResult<IReadOnlyDictionary<string, double>>(figures);
    }

    /// <summary>At least what the best of the others finds, in no more time than the fastest of those that found as much.</summary>
    private static void Judge(Dictionary<string, double> figures)
    {
        var others = new[] { "nmap_", "fping_", "arp_scan_" };
        var best = others.Max(o => figures[$"{o}found"]);
        var fastest = others.Where(o => figures[$"{o}found"] >= best).Min(o => figures[$"{o}seconds"]);
        if (figures["found"] < best || figures["seconds"] > fastest)
            throw new LabException(string.Create(CultureInfo.InvariantCulture, $"found {figures["found"]} in {figures["seconds"]} s; the best of the others {best} in {fastest} s"));
    }

    private static Result Measure(Scan scan, NetworkNamespace poller, IReadOnlyList<LanHost> hosts)
    {
        // Nobody shall live on what another has asked before.
        poller.Ip("neigh", "flush", "all");
        var before = poller.CardCounted();
        var began = Stopwatch.GetTimestamp();
        var (code, output, errors) = Shell.Try("ip", ["netns", "exec", poller.Name, .. scan.Command.Split(' ')], patience: TimeSpan.FromMinutes(3));
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var packets = poller.CardCounted().Sent - before.Sent;
        // fping ends with 1 where a host did not answer.
        if (code > 1 || (code != 0 && output.Length == 0))
            throw new LabException($"{scan.Command} failed ({code}): {errors}");
        var seen = scan.Read(output);
        var missed = hosts.Where(h => !seen.Contains(h.Mac) && (h.Host.Address is not { } address || !seen.Contains(address.ToString()))).ToList();
        return new Result(hosts.Count - missed.Count, seconds, packets, missed);
    }

    /// <summary>Cards and IPv4 addresses: a machine without IPv4 is told by its card.</summary>
    private static HashSet<string> ReadPoll(string output) =>
        [.. JsonDocument.Parse(output).RootElement.GetProperty("machines").EnumerateArray()
            .SelectMany(m => m.GetProperty("addresses").EnumerateArray().Append(m.GetProperty("mac"))).Select(t => t.GetString()!)];

    private static HashSet<string> Lines(string output, Regex address) => [.. address.Matches(output).Select(m => IPAddress.Parse(m.Groups[1].Value).ToString())];

    private static double Median(IEnumerable<double> figures) => figures.Order().ElementAt(Rounds / 2);

    [GeneratedRegex(@"^Nmap scan report for (\d+\.\d+\.\d+\.\d+)", RegexOptions.Multiline)]
    private static partial Regex NmapHost();

    [GeneratedRegex(@"^(\d+\.\d+\.\d+\.\d+)", RegexOptions.Multiline)]
    private static partial Regex AnyAddress();

    /// <param name="Prefix">Of its figures.</param>
    private sealed record Scan(string Prefix, string Command, Func<string, HashSet<string>> Read);

    private sealed record Result(int Found, double Seconds, long Packets, IReadOnlyList<LanHost> Missed);
}
