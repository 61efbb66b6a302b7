using System.CommandLine;
using Fleet.Contracts.Storage;
using Fleet.Device.Settings;

namespace Fleet.Agent.Commands;

/// <summary>Options that several commands share, and the settings behind them.</summary>
internal static class AgentOptions
{
    private const string FileName = "agent.hocon";

    public static Option<string> Data() => new("--data") { Description = "The directory that holds everything of this agent.", HelpName = "DIR", Required = true };

    public static Option<string?> Config() => new("--config") { Description = $"A settings file; default: {FileName} in the data directory, where it is there.", HelpName = "FILE" };

    /// <summary>Reads the settings.</summary>
    /// <exception cref="SettingsException">A file is missing, or has mistakes: all of them are in the message.</exception>
    public static DeviceOptions Load(string data, string? config)
    {
        var path = config ?? Path.Combine(data, FileName);
        if (config is null && !File.Exists(path))
            return DeviceOptions.Default;
        var problems = new List<string>();
        try
        {
            var options = DeviceOptions.Load(File.ReadAllText(path), path, problems);
            return problems.Count == 0 ? options : throw new SettingsException(string.Join(Environment.NewLine, problems));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{path} can't be read: {fault.Message}");
        }
    }

    /// <summary>Runs a command; what an administrator can mend becomes one clear text on standard error.</summary>
    public static async Task<int> Guarded(Func<Task<int>> command)
    {
        try
        {
            return await command().ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is StorageException or SettingsException)
        {
            await Console.Error.WriteLineAsync(fault.Message).ConfigureAwait(false);
            return fault is SettingsException ? ExitCode.Usage : ExitCode.Failed;
        }
    }
}

/// <summary>The settings can't be used; the message lists all that is wrong.</summary>
internal sealed class SettingsException(string message) : Exception(message);
