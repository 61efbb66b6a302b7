using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Fleet.Cli.Backups;
using Fleet.Cli.Cluster;
using Fleet.Cli.Connection;
using Fleet.Cli.Devices;
using Fleet.Cli.Incidents;
using Fleet.Cli.Networks;
using Fleet.Cli.Nodes;
using Fleet.Cli.Offices;
using Fleet.Cli.Policies;
using Fleet.Cli.Rollouts;
using Fleet.Cli.Sizing;
using Fleet.Cli.Status;
using Fleet.Cli.Storage;
using Fleet.Cli.Tokens;
using Fleet.Cli.Updates;

namespace Fleet.Cli;

/// <summary>The command <c>fleet</c>: one line a subject.</summary>
internal static class FleetCli
{
    private const string Help = """
        Steers a Fleet headquarters over its REST API.

        Examples:
          fleet login --url https://hq.example.com:8443 --token @/var/lib/fleet-hq/admin.token
          fleet office add leeds --title "Leeds, Park Row"
          fleet token create --office leeds --kind node
          fleet node assign gw1.leeds --role gateway
          fleet token create --office leeds --kind agent --uses 50 --ttl 7d
          fleet device list --office leeds
          fleet policy apply patience.yaml
          fleet device sync till-4
          fleet poll run leeds
          fleet discovered list --office leeds
          fleet update publish tills --version 1.4.0 --file build/
          fleet rollout create tills --version 1.4.0
          fleet backup create --passphrase-file ~/fleet-passphrase
          fleet status --json
          fleet size --offices 200 --devices 10000

        Where headquarters is and who asks: --url and --token, else FLEET_URL and FLEET_TOKEN, else what 'fleet login' kept.
        A token may be written as @FILE. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
        """;

    public static async Task<int> Run(IReadOnlyList<string> args, Terminal terminal, CancellationToken cancellation = default)
    {
        // @FILE is read by the options that take it; the library would put the file's words in its place.
        var parsed = Root(new FleetCommands(terminal)).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        // Standard output carries results alone: who pipes it must not find a page of help in it.
        if (parsed.Action is ParseErrorAction wrong)
            (wrong.ShowHelp, wrong.ShowTypoCorrections) = (false, false);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error }, cancellation).ConfigureAwait(false);
        await terminal.Out.FlushAsync(cancellation).ConfigureAwait(false);
        if (parsed.Errors.Count == 0)
            return code;
        await terminal.Error.WriteLineAsync($"see '{Path(parsed.CommandResult)} --help'").ConfigureAwait(false);
        return ExitCode.Usage;
    }

    internal static RootCommand Root(FleetCommands commands)
    {
        var root = new RootCommand(Help)
        {
            OfficeCommands.Make(commands),
            TokenCommands.Make(commands),
            NodeCommands.Make(commands),
            DeviceCommands.Make(commands),
            PolicyCommands.Make(commands),
            IncidentCommands.Make(commands),
            PollCommands.Make(commands),
            DiscoveredCommands.Make(commands),
            RuleCommands.Make(commands),
            UpdateCommands.Make(commands),
            RolloutCommands.Make(commands),
            ClusterCommands.Make(commands),
            StorageCommands.Show(commands),
            StorageCommands.ReadModel(commands),
            BackupCommands.Make(commands),
            StatusCommand.Make(commands),
            SizeCommand.Make(commands),
            LoginCommand.Make(commands),
            CompletionCommand.Make(commands),
        };
        commands.AddGlobals(root);
        HelpWithExamples.AddTo(root);
        return root;
    }

    private static string Path(CommandResult command) => command.Parent is CommandResult above ? $"{Path(above)} {command.Command.Name}" : "fleet";
}
