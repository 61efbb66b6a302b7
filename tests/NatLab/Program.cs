using System.CommandLine;
using Fleet.NatLab;
using Fleet.NatLab.Demo;
using Fleet.NatLab.Journeys;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;

using var endings = new Endings();

var journey = new Option<string?>("--journey") { Description = $"Plays a journey: {string.Join(", ", Journey.All.Select(j => j.Name))}, or all. Where FLEET_EARLIER names a folder with an earlier headquarters, cluster-rolling updates from that." };
var topology = new Option<string?>("--topology") { Description = $"Builds a topology and gives a prompt in it: {string.Join(", ", Topology.Shipped)}, or a file." };
var engine = new Option<string>("--engine")
{
    Description = $"{LabCommand.KernelEngine}: real programs behind real NAT in network namespaces, root on Linux. {LabCommand.InProcessEngine}: the same classes in one process on a simulated network, anywhere.",
    DefaultValueFactory = _ => LabCommand.KernelEngine,
};
engine.AcceptOnlyFromAmong(LabCommand.KernelEngine, LabCommand.InProcessEngine);
var lab = new Command("lab", "Plays journeys of a whole fleet through NAT, or builds a network to walk around in.") { journey, topology, engine };
lab.SetAction((parsed, _) => Guarded(() => (parsed.GetValue(journey), parsed.GetValue(topology)) switch
{
    ({ } name, var elsewhere) => LabCommand.Play(name, parsed.GetValue(engine)!, elsewhere, endings.Token),
    (null, { } place) when parsed.GetValue(engine) == LabCommand.InProcessEngine => throw new LabException($"a prompt in {place} needs the kernel engine: a simulated network has no shell"),
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
