using System.CommandLine;
using Fleet.Contracts.Storage;
using Fleet.Messages.Log;

namespace Fleet.Office.Commands;

/// <summary><c>office run</c>.</summary>
internal static class RunCommand
{
    public static Command Make()
    {
        var (data, config, sets) = (NodeCommands.Data(), NodeCommands.Config(), NodeCommands.Sets());
        var command = new Command("run", """
            Runs the node until it is told to stop. It serves its office also while headquarters is out of reach.

            Examples:
              office run --data /var/lib/fleet-office
              office run --data /var/lib/fleet-office --config /etc/fleet/office.hocon --set gateway.bind=192.168.1.10
            """)
        { data, config, sets };
        command.SetAction((parsed, cancellation) => NodeCommands.Guarded(() =>
            Run(parsed.GetValue(data)!, OfficeOptions.Load(parsed.GetValue(config), parsed.GetValue(sets) ?? []), cancellation)));
        return command;
    }

    private static async Task<int> Run(string path, OfficeOptions options, CancellationToken cancellation)
    {
        using var logging = ProcessLog.Create(options.Log);
        using var data = DataDirectory.Open(path, OfficeNode.DataKind);
        await using var node = await OfficeNode.Start(new OfficeSetup(options, data, TimeProvider.System, logging));
        Console.WriteLine($"office node {node.Node} is ready");
        var stopped = new TaskCompletionSource();
        await using var _ = cancellation.Register(stopped.SetResult);
        await stopped.Task;
        return NodeCommands.Done;
    }
}
