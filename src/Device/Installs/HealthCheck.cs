using System.ComponentModel;

namespace Fleet.Device.Installs;

/// <summary>A command of the package's own, run by the system's shell in the package's folder: it is healthy if that ends well in time.</summary>
internal sealed class HealthCheck(IPrograms programs)
{
    private static readonly Dictionary<string, string> Nothing = [];

    /// <returns>Null: it is healthy; else why not.</returns>
    public async Task<string?> Run(string command, string folder, TimeSpan within, CancellationToken cancellation)
    {
        var (shell, option) = OperatingSystem.IsWindows() ? ("cmd.exe", "/c") : ("/bin/sh", "-c");
        try
        {
            var end = await programs.Run(new ProgramStart(shell, [option, command], folder, Nothing, within), cancellation).ConfigureAwait(false);
            return end.IsGood ? null : $"its health check '{command}' {end}";
        }
        catch (Win32Exception fault)
        {
            return $"its health check '{command}' could not be run: {fault.Message}";
        }
    }
}
