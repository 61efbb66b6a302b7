using System.CommandLine;
using Fleet.Backups;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Identity;
using Fleet.Headquarters.Monitoring;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Log;
using Fleet.Messages.Settings;
using Fleet.Messages.Transport;

namespace Fleet.Headquarters.Commands;

/// <summary>The program's commands: what they take, and what an administrator reads when they can't be done.</summary>
internal static class ProcessCommands
{
    private const int Done = 0;
    private const int Failed = 1;
    private const int Usage = 2;

    public static Command Run() => Make("run", """
        Runs a headquarters node until it is told to stop.

        Examples:
          headquarters run --data /var/lib/fleet-hq
          headquarters run --data /var/lib/fleet-hq --config /etc/fleet/headquarters.hocon --set web.port=443
        """,
        async (data, options, logging, cancellation) =>
        {
            await using var node = await HeadquartersNode.Start(data, options, new TcpNetwork(), TimeProvider.System, logging, cancellation);
            System.Console.WriteLine(
                $"headquarters is ready: console https://{options.Web.Host}:{node.Web.Port}, agents {node.Agents.Port}, link {node.Links.Port}, updates {node.Updates.Port}, administrator token in {node.AdminTokenFile}");
            await using var heap = new HeapKeeper(logging.CreateLogger<HeapKeeper>());
            if (await Task.WhenAny(Stopped(cancellation), node.Ended) == node.Ended && await node.Ended is { Orderly: false } end)
                throw new NodeEndedException(end.Why);
        });

    public static Command RebuildReadModel() => Make("rebuild-read-model", """
        Writes the tables behind console and REST API anew from the journal. Stop headquarters first.

        Example:
          headquarters rebuild-read-model --data /var/lib/fleet-hq
        """,
        async (data, options, logging, cancellation) =>
        {
            await HeadquartersNode.RebuildReadModel(data, options, new TcpNetwork(), TimeProvider.System, logging, cancellation);
            System.Console.WriteLine("the read model is rebuilt");
        });

    public static Command Join()
    {
        var data = new Option<string>("--data") { Description = "The directory for everything of this node; empty, or missing.", HelpName = "DIR", Required = true };
        var from = new Option<string>("--from") { Description = "Console and REST API of a node that runs: host:port.", HelpName = "HOST:PORT", Required = true };
        var text = new Option<string>("--invitation") { Description = "What 'fleet cluster join' printed, or @FILE.", HelpName = "TEXT", Required = true };
        var command = new Command("join", """
            Makes this machine one more node of a headquarters that runs: brings its identity. Then set fleet.storage, fleet.updates.directory and fleet.cluster as on
            the other nodes, with this node's own fleet.cluster.address, and run it.

            Example:
              headquarters join --data /var/lib/fleet-hq --from hq1.example.net:8443 --invitation fleetadmin1.…
            """) { data, from, text };
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                var given = parsed.GetValue(text)!;
                if (!AdminToken.TryParse(given.StartsWith('@') ? await File.ReadAllTextAsync(given[1..], cancellation) : given, out var invitation, out _))
                {
                    await System.Console.Error.WriteLineAsync("this is no invitation: copy whole what 'fleet cluster join' printed");
                    return Usage;
                }

                await HeadquartersNode.Join(parsed.GetValue(data)!, parsed.GetValue(from)!, invitation, TimeProvider.System, cancellation);
                System.Console.WriteLine($"{parsed.GetValue(data)} is of a node of this headquarters now; set it up as the others, and run: headquarters run --data {parsed.GetValue(data)} --config FILE");
                return Done;
            }
            catch (Exception fault) when (fault is StorageException or IdentityException or IOException or UnauthorizedAccessException)
            {
                await System.Console.Error.WriteLineAsync($"joining failed: {fault.Message}");
                return Failed;
            }
        });
        return command;
    }

    public static Command Restore()
    {
        var from = new Option<string>("--from") { Description = "What 'fleet backup create' wrote.", HelpName = "FILE", Required = true };
        var passphrase = new Option<string?>("--passphrase-file") { Description = "A file with the passphrase that it was made with.", HelpName = "FILE" };
        return Make("restore", """
            Makes a headquarters of a backup: in a data directory that is missing or empty and, where fleet.storage names PostgreSQL, with a database that is empty. The
            headquarters that the backup is of must not run any more. What is written is compared with the backup; if it fails, nothing is left.

            Example:
              headquarters restore --data /var/lib/fleet-hq --from fleet.backup --passphrase-file /etc/fleet/backup-passphrase
            """,
            async (parsed, data, options, logging, cancellation) =>
            {
                var secret = parsed.GetValue(passphrase) is { } file ? BackupSeal.ReadPassphrase(file) : null;
                await HeadquartersNode.Restore(data, parsed.GetValue(from)!, secret, options, new TcpNetwork(), TimeProvider.System, logging, System.Console.WriteLine, cancellation);
                System.Console.WriteLine($"restored; start it: headquarters run --data {data}. Nodes and devices come back by themselves where its address is the old one");
            },
            from, passphrase);
    }

    public static Command SetAside()
    {
        var position = new Option<long>("--position") { Description = "The row's position, as 'fleet status' and the log name it.", HelpName = "N", Required = true };
        return Make("set-aside", """
            Takes an event that can't be read out of the journal, so that the office or the company whose it is goes on without what it said: better restore a backup
            where there is one. Stop headquarters first. The event is kept in a file of the data directory.

            Example:
              headquarters set-aside --data /var/lib/fleet-hq --position 48211
            """,
            async (parsed, data, options, logging, cancellation) =>
                System.Console.WriteLine(await HeadquartersNode.SetAside(data, parsed.GetValue(position), options, logging, cancellation)),
            position);
    }

    public static Command MoveStorage()
    {
        var to = new Option<string>("--to") { Description = "Where it is to lie.", HelpName = "sqlite|postgresql", Required = true };
        to.AcceptOnlyFromAmong("sqlite", "postgresql");
        var connection = new Option<string?>("--connection-string") { Description = "The PostgreSQL database; default: fleet.storage.connection-string.", HelpName = "TEXT" };
        var password = new Option<string?>("--password-file") { Description = "A file with the password for it; default: fleet.storage.password-file.", HelpName = "FILE" };
        return Make("move-storage", """
            Moves journal, snapshots and read model between the data directory and a PostgreSQL database. Stop headquarters first. The copy is compared with the
            source before it is used; what was interrupted is begun anew by the same command.

            Examples:
              headquarters move-storage --data /var/lib/fleet-hq --to postgresql --connection-string "Host=db.example;Username=fleet;Database=fleet" --password-file /etc/fleet/db-password
              headquarters move-storage --data /var/lib/fleet-hq --to sqlite --config /etc/fleet/headquarters.hocon
            """,
            (parsed, data, options, _, cancellation) => HeadquartersNode.MoveStorage(
                data, StorageOptions.ProviderOf(parsed.GetValue(to)!)!.Value, options.Storage.At(parsed.GetValue(connection), parsed.GetValue(password)), System.Console.WriteLine, cancellation),
            to, connection, password);
    }

    /// <summary>Runs the program; wrong usage is told apart from what failed.</summary>
    public static async Task<int> Invoke(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        // An orderly stop hands links and twins over; it takes a few seconds.
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
        return parsed.Errors.Count > 0 ? Usage : code;
    }

    private static Command Make(string name, string help, Func<string, HeadquartersOptions, ILoggerFactory, CancellationToken, Task> run) =>
        Make(name, help, (_, data, options, logging, cancellation) => run(data, options, logging, cancellation));

    private static Command Make(string name, string help, Func<ParseResult, string, HeadquartersOptions, ILoggerFactory, CancellationToken, Task> run, params IReadOnlyList<Option> own)
    {
        var data = new Option<string>("--data") { Description = "The directory that holds everything of this headquarters; made if missing.", HelpName = "DIR", Required = true };
        var config = new Option<string?>("--config") { Description = "A HOCON file with settings; docs/operations.md lists them.", HelpName = "FILE" };
        var sets = new Option<string[]>("--set") { Description = "One setting, such as web.port=443; may repeat.", HelpName = "KEY=VALUE", DefaultValueFactory = _ => [] };
        var command = new Command(name, help) { data, config, sets };
        foreach (var option in own)
            command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                var options = HeadquartersOptions.Load(parsed.GetValue(config), parsed.GetValue(sets) ?? []);
                using var logging = ProcessLog.Create(options.Log);
                await run(parsed, parsed.GetValue(data)!, options, logging, cancellation);
                return Done;
            }
            catch (SettingsException wrong)
            {
                await System.Console.Error.WriteLineAsync(wrong.Message);
                return Usage;
            }
            catch (NodeEndedException ended)
            {
                await System.Console.Error.WriteLineAsync(ended.Message);
                return Failed;
            }
            catch (BackupException wrong)
            {
                await System.Console.Error.WriteLineAsync($"the backup can't be used: {wrong.Message}");
                return Failed;
            }
            catch (Exception fault) when (fault is StorageException or IdentityException or JournalRefusedException or IOException)
            {
                await System.Console.Error.WriteLineAsync($"headquarters can't start: {fault.Message}");
                return Failed;
            }
        });
        return command;
    }

    /// <summary>It ran, and stopped by itself.</summary>
    private sealed class NodeEndedException(string why) : Exception(why);

    private static async Task Stopped(CancellationToken cancellation)
    {
        var stopped = new TaskCompletionSource();
        await using var _ = cancellation.Register(stopped.SetResult);
        await stopped.Task;
    }
}
