using System.CommandLine;
using Fleet.Contracts.Storage;
using Fleet.Messages.Settings;

namespace Fleet.Office.Commands;

/// <summary>What the program's commands share: options, exit codes, and what an administrator reads when they can't be done.</summary>
internal static class NodeCommands
{
    public const int Done = 0;
    public const int Failed = 1;

    public const int Usage = 2;

    public static Option<string> Data() =>
        new("--data") { Description = "The directory that holds everything of this node.", HelpName = "DIR", Required = true };

    public static Option<string?> Config() => new("--config") { Description = "A HOCON file with settings; hocon/office.hocon lists them.", HelpName = "FILE" };

    public static Option<string[]> Sets() =>
        new("--set") { Description = "One setting, such as gateway.port=13010; may repeat.", HelpName = "KEY=VALUE", DefaultValueFactory = _ => [] };

    /// <summary>Runs the program; wrong usage is told apart from what failed.</summary>
    public static async Task<int> Invoke(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(15) });
        return parsed.Errors.Count > 0 ? Usage : code;
    }

    /// <summary>What an administrator can mend becomes one clear text on standard error.</summary>
    public static async Task<int> Guarded(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (SettingsException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return Usage;
        }
        catch (StorageException fault)
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return Failed;
        }
    }
}
