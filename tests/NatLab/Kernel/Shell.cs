using System.Diagnostics;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Kernel;

/// <summary>Runs the system's own commands (ip, nft, conntrack).</summary>
public static class Shell
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs a command to its end and returns what it printed.</summary>
    /// <exception cref="LabException">It failed, or did not end.</exception>
    public static string Run(string program, params IEnumerable<string> arguments) => Run(program, arguments, input: null);

    /// <summary>The same, with text on standard input.</summary>
    /// <inheritdoc cref="Run(string, IEnumerable{string})"/>
    public static string Run(string program, IEnumerable<string> arguments, string? input)
    {
        var (code, output, errors) = Try(program, arguments, input);
        return code == 0 ? output : throw new LabException($"{program} {string.Join(' ', arguments)} failed ({code}): {errors.Trim()}");
    }

    /// <summary>Runs a command whose failure is an answer too.</summary>
    public static (int Code, string Output, string Errors) Try(string program, IEnumerable<string> arguments, string? input = null, TimeSpan? patience = null)
    {
        using var process = new Process
        {
            StartInfo = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true },
        };
        process.Start();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(patience ?? Patience))
        {
            process.Kill();
            throw new LabException($"{program} {string.Join(' ', arguments)} did not end in {(patience ?? Patience).TotalSeconds:0} s");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
    }
}
