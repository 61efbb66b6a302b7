using System.CommandLine;
using System.Text.Json;
using Fleet.Bench;
using Fleet.Contracts.Storage;
using Fleet.NatLab;
using Fleet.NatLab.Topologies;

var target = new Option<string>("--target") { Description = $"What to measure: {string.Join(", ", Benchmark.All.Select(b => b.Name))}, or all.", Required = true };
var idle = new Option<double>("--idle-minutes") { Description = "How long footprint idles before it reads memory, and how long fleet-idle is measured in quiet.", DefaultValueFactory = _ => 10 };
var churn = new Option<double>("--churn-minutes") { Description = "How long fleet-idle is measured with churn after that.", DefaultValueFactory = _ => 10 };
var devices = new Option<int?>("--devices") { Description = "How many devices sync-throughput runs through a gateway (200; 0: only what headquarters itself takes is measured), or the benchmarks of large fleets and lists have (fleet-million 1000000, others 100000)." };
var seconds = new Option<int>("--seconds") { Description = "How long rates are measured.", DefaultValueFactory = _ => 30 };
var trips = new Option<int>("--trips") { Description = "How many wake-ups wake-latency times.", DefaultValueFactory = _ => 1000 };
var offices = new Option<int?>("--offices") { Description = "How many offices reconnect-storm has (200), or the benchmarks of large fleets (fleet-million 10000, others 1000)." };
var perOffice = new Option<int>("--devices-per-office") { Description = "How many devices each of reconnect-storm's offices has, and each that reports in sync-throughput.", DefaultValueFactory = _ => 100 };
var reporting = new Option<int>("--reporting-offices") { Description = "How many offices report to headquarters at once in sync-throughput, each with as many devices as --devices-per-office says.", DefaultValueFactory = _ => 10 };
var outage = new Option<int>("--outage-seconds") { Description = "How long it is without headquarters.", DefaultValueFactory = _ => 300 };
var nodes = new Option<int>("--nodes") { Description = "How many office nodes many-links has.", DefaultValueFactory = _ => 2000 };
var fleet = new Option<string?>("--fleet") { Description = "Directory that keeps the headquarters and the identities of a large fleet: enrolling it takes long. Default: a new one each time." };
var root = new RootCommand("""
    Measures the published programs, and ends with one line of JSON a benchmark.

    Example:
      bench --target idle-sync
    """)
{ target, idle, churn, devices, seconds, trips, offices, perOffice, reporting, outage, nodes, fleet };
using var endings = new Endings();
var directory = new Argument<string>("directory");
var serve = new Command(ContentServer.Command) { directory };
serve.Hidden = true;
serve.SetAction((parsed, _) => ContentServer.Run(parsed.GetValue(directory)!, endings.Token));
root.Subcommands.Add(serve);
root.SetAction(async (parsed, _) =>
{
    var name = parsed.GetValue(target)!;
    var benchmarks = Benchmark.All.Where(b => name == "all" || b.Name == name).ToList();
    if (benchmarks.Count == 0)
    {
        await Console.Error.WriteLineAsync($"there is no benchmark '{name}'; there are {string.Join(", ", Benchmark.All.Select(b => b.Name))} and all");
        return 2;
    }

    var options = new BenchOptions(TimeSpan.FromMinutes(parsed.GetValue(idle)), TimeSpan.FromMinutes(parsed.GetValue(churn)), parsed.GetValue(devices), parsed.GetValue(seconds), parsed.GetValue(trips),
        parsed.GetValue(offices), parsed.GetValue(perOffice), TimeSpan.FromSeconds(parsed.GetValue(outage)), parsed.GetValue(nodes), parsed.GetValue(reporting), parsed.GetValue(fleet));
    var code = 0;
    foreach (var benchmark in benchmarks)
    {
        Console.WriteLine($"{benchmark.Name}: {benchmark.What}");
        try
        {
            var figures = await benchmark.Run(options, step => Console.WriteLine($"  {step}"), endings.Token);
            foreach (var budget in benchmark.Budgets)
                if (figures.TryGetValue(budget.Figure, out var figure) && figure is double number)
                    Console.WriteLine($"  {budget.Figure,-24} {number,12:0.##} {(number < budget.Most ? "under" : "OVER "),6} {budget.Most,10:0.##}  {budget.What}");
            Console.WriteLine(JsonSerializer.Serialize(new { bench = benchmark.Name, figures }));
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
        catch (Exception fault) when (fault is LabException or TimeoutException or IOException or StorageException)
        {
            await Console.Error.WriteLineAsync($"{benchmark.Name}: {fault.Message}");
            code = 1;
        }
    }

    return code;
});
var given = root.Parse(args);
var result = await given.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
return given.Errors.Count > 0 ? 2 : result;
