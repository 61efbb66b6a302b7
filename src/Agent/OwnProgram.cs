using System.Collections;
using System.Runtime.InteropServices;

namespace Fleet.Agent;

/// <summary>The program that this process is, and how it becomes another: the process stays, so whoever keeps the agent running sees no end of it.</summary>
internal static partial class OwnProgram
{
    private const string StartedByName = "FLEET_AGENT_STARTED_BY";

    /// <summary>The file, links resolved.</summary>
    public static string File { get; } = new FileInfo(Environment.ProcessPath!) is var file && file.Directory!.ResolveLinkTarget(returnFinalTarget: true) is { } folder
        ? Path.Combine(folder.FullName, file.Name)
        : file.FullName;

    /// <summary>The program outside the agent's own package that became this one; null: this process was started by somebody else.</summary>
    public static string? StartedBy { get; } = Environment.GetEnvironmentVariable(StartedByName);

    /// <summary>Becomes that program, with the same arguments; comes back only where that fails.</summary>
    /// <returns>Why.</returns>
    public static string Become(string program)
    {
        if (OperatingSystem.IsWindows())
            return "Windows has no way to that; let the service start the agent from the link 'current' of its package";
        // The system's own environment is not what .NET shows, so it is handed over.
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Where(e => (string)e.Key != StartedByName).Select(e => $"{e.Key}={e.Value}");
        _ = Execve(program, [program, .. Environment.GetCommandLineArgs()[1..], null], [.. environment, $"{StartedByName}={StartedBy ?? File}", null]);
        return Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execve(string path, string?[] arguments, string?[] environment);
}
