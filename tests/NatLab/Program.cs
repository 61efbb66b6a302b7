using System.CommandLine;
using Fleet.NatLab;
using Fleet.NatLab.Demo;
using Fleet.NatLab.Journeys;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;

using var endings = new Endings();

var journey = new Option<string?>("--journey") { Description = $"Plays a journey: {string.Join(", ", Journey.All.Select(j => j.Name))}, or all." };
var topology = new Option<string?>("--topology") { Description = $"Builds a topology and gives a prompt in it: {string.Join(", ", Topology.Shipped)}, or a file." };
var lab = new Command("lab", "The kernel lab: real programs behind real NAT in network namespaces. Root on Linux.") { journey, topology };
lab.SetAction((parsed, _) => Guarded(() => (parsed.GetValue(journey), parsed.GetValue(topology)) switch
{
    ({ } name, var elsewhere) => LabCommand.Play(name, elsewhere, endings.Token),
    (null, { } place) => Prompt.Run(place, endings.Token),
    _ => throw new LabException("say --journey NAME|all or --topology NAME"),
}));

var once = new Option<bool>("--once") { Description = "Ends with 0 as soon as all devices have synced, with 1 and the reason after 90 s." };
var demo = new Command("demo", "A small fleet on this machine, shown live until Ctrl-C.") { once };
demo.SetAction((parsed, _) => Guarded(() => DemoCommand.Run(parsed.GetValue(once), endings.Token)));

var given = new RootCommand("The NAT lab.") { lab, demo }.Parse(args);
var code = await given.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
return given.Errors.Count > 0 ? 2 : code;

static async Task<int> Guarded(Func<Task<int>> command)
{
    try
    {
        return await command();
    }
    catch (LabException fault)
    {
        await Console.Error.WriteLineAsync(fault.Message);
        return 1;
    }
    catch (OperationCanceledException)
    {
        return 130;
    }
}
