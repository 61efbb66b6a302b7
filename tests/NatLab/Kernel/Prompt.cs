using System.Diagnostics;
using System.Net;
using Fleet.Contracts;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Kernel;

/// <summary><c>natlab lab --topology NAME</c>: a built network to walk around in.</summary>
internal static class Prompt
{
    private const string Help = """
        machines                 the lab's machines and their addresses
        on MACHINE COMMAND…      runs a command there; 'on MACHINE bash' gives a shell
        cut OFFICE, heal OFFICE  drops everything between the office and the internet, or no longer
        forget OFFICE            the office's translator forgets its mappings
        rebind OFFICE ADDRESS    the office gets another public address
        counters MACHINE         packets in and out, and to headquarters
        exit
        """;

    public static async Task<int> Run(string topology, CancellationToken stop)
    {
        using var lab = KernelLab.Build(Topology.Load(topology));
        foreach (var wall in await Walls.Assert(lab).ConfigureAwait(false))
            Console.WriteLine($"  {wall}");
        Console.WriteLine($"{topology} stands. 'help' lists the commands.");
        while (!stop.IsCancellationRequested)
        {
            Console.Write($"{topology}> ");
            if (await Console.In.ReadLineAsync(stop).ConfigureAwait(false) is not { } line || line.Trim() == "exit")
                break;
            try
            {
                Obey(lab, line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
            catch (Exception fault) when (fault is LabException or ArgumentException or FormatException or KeyNotFoundException)
            {
                Console.WriteLine(fault.Message);
            }
        }

        return 0;
    }

    private static void Obey(KernelLab lab, string[] words)
    {
        switch (words)
        {
            case []:
                break;
            case ["machines"]:
                Console.WriteLine($"headquarters {lab.Topology.Headquarters}");
                foreach (var office in lab.Topology.Offices)
                {
                    Console.WriteLine($"{office.Id}: {office.Nat} translator at {office.Outside}{(office.Carrier is null ? "" : $" behind a carrier's at {office.Carrier}")}");
                    foreach (var (name, address) in office.Nodes.Select(n => (n.Id.Value, n.Address)).Concat(office.Devices.Select(d => (d.Name, d.Address))))
                        Console.WriteLine($"  {name} {address}");
                }

                break;
            case ["on", var machine, .. var command] when command.Length > 0:
                using (var process = Process.Start("ip", ["netns", "exec", Machine(lab, machine).Name, .. command]))
                    process.WaitForExit();
                break;
            case ["cut", var office]:
                lab.CutUplink(new OfficeId(office));
                break;
            case ["heal", var office]:
                lab.HealUplink(new OfficeId(office));
                break;
            case ["forget", var office]:
                lab.ForgetMappings(new OfficeId(office));
                break;
            case ["rebind", var office, var address]:
                lab.ChangeAddress(new OfficeId(office), IPAddress.Parse(address));
                break;
            case ["counters", var machine]:
                Console.WriteLine(Machine(lab, machine).Counted());
                break;
            default:
                Console.WriteLine(Help);
                break;
        }
    }

    private static NetworkNamespace Machine(KernelLab lab, string name) =>
        name is "headquarters" or "hq" ? lab.Headquarters
        : lab.Topology.Nodes.FirstOrDefault(n => n.Id.Value == name) is { } node ? lab.MachineOf(node)
        : lab.Topology.Devices.FirstOrDefault(d => d.Name == name) is { } device ? lab.MachineOf(device)
        : throw new LabException($"there is no machine '{name}'; 'machines' lists them");
}
