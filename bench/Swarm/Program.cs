using System.CommandLine;
using Fleet.Contracts.Storage;
using Fleet.NatLab;
using Fleet.NatLab.Topologies;
using Fleet.Swarm;
using Fleet.Swarm.Scenarios;

var scenario = new Option<string>("--scenario") { Description = $"What the offices do: {string.Join(", ", Scenario.ShippedNames)}, or a JSON file.", DefaultValueFactory = _ => "idle" };
var offices = new Option<int>("--offices") { Description = "How many offices, one node each.", DefaultValueFactory = _ => 100 };
var devices = new Option<int>("--devices") { Description = "How many devices in all; each office's node is one of its devices.", DefaultValueFactory = _ => 1000 };
var identities = new Option<string>("--identities") { Description = "Folder that keeps who was enrolled, for the next run on the same headquarters. Holds keys: it is secret.", Required = true };
var data = new Option<string?>("--headquarters") { Description = "Start a headquarters of this swarm's own, on this data directory." };
var set = new Option<string[]>("--set") { Description = "A setting of that headquarters, key=value.", DefaultValueFactory = _ => [] };
var server = new Option<string?>("--server") { Description = "Host name of a headquarters that runs, on the usual ports." };
var token = new Option<string?>("--admin-token") { Description = "File with an administrator's token for it (admin.token in its data directory)." };
var process = new Option<int?>("--process") { Description = "Its process, where it runs on this machine: memory and CPU are charted." };
var always = new Option<bool>("--always-connected") { Description = "Devices keep a line open (a policy 'swarm' is applied)." };
var json = new Option<string?>("--json") { Description = "File for the report as JSON." };
var html = new Option<string?>("--html") { Description = "File for the report with charts." };
var root = new RootCommand("""
    Loads a headquarters with simulated offices and devices: real certificates, the real protocols over real TLS. Enrols what --identities lacks.
    For machines that are there to be tried: it adds offices and devices named swarm-... to the headquarters.

    Examples:
      swarm --offices 100 --devices 1000 --headquarters /srv/try/hq --identities /srv/try/ids --scenario churn --html report.html
      swarm --offices 1000 --devices 100000 --always-connected --server hq.example.net --admin-token admin.token --identities ids --scenario mixed --json report.json
    """)
{ scenario, offices, devices, identities, data, set, server, token, process, always, json, html };
using var endings = new Endings();
root.SetAction(async (parsed, _) =>
{
    try
    {
        var wanted = new SwarmWish(
            Scenario.Load(parsed.GetValue(scenario)!), parsed.GetValue(offices), parsed.GetValue(devices), parsed.GetValue(identities)!, parsed.GetValue(always),
            parsed.GetValue(data), parsed.GetValue(set)!, parsed.GetValue(server), parsed.GetValue(token), parsed.GetValue(process));
        var report = await wanted.Run(Console.WriteLine, endings.Token).ConfigureAwait(false);
        report.Write(parsed.GetValue(json), parsed.GetValue(html));
        foreach (var phase in report.Phases)
            Console.WriteLine($"  {phase.Phase}: {phase.Seconds} s, headquarters {phase.HqMegabytesLast} MB (peak {phase.HqMegabytesPeak}), {phase.HqCpuPercent} % of a core (peak {phase.HqCpuPercentPeak}), {phase.MessagesPerSecond} messages/s, files grew {phase.JournalBytesPerHour / 1e6:0.0} MB/h");
        return 0;
    }
    catch (OperationCanceledException)
    {
        return 130;
    }
    catch (Exception fault) when (fault is LabException or TimeoutException or IOException or StorageException or UnauthorizedAccessException)
    {
        await Console.Error.WriteLineAsync($"swarm: {fault.Message}").ConfigureAwait(false);
        return 1;
    }
});
var given = root.Parse(args);
var result = await given.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }).ConfigureAwait(false);
return given.Errors.Count > 0 ? 2 : result;
