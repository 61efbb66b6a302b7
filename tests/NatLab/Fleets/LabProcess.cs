using System.Diagnostics;
using Fleet.NatLab.Topologies;
using Fleet.TestSupport;

namespace Fleet.NatLab.Fleets;

/// <summary>One program of the fleet: started, watched line by line, ended by its id.</summary>
internal sealed class LabProcess : IDisposable
{
    private const int KeptLines = 20_000;
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly Queue<string> _output = new();
    private readonly Queue<string> _errors = new();
    private readonly string _what;

    private LabProcess(string what, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment)
    {
        _what = what;
        _process = new Process { StartInfo = new(command[0], command.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true } };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            _process.StartInfo.Environment[name] = value;
        _process.OutputDataReceived += (_, line) => Take(line.Data, _output);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, _errors);
    }

    public int Id => _process.Id;

    public bool Ended => _process.HasExited;

    /// <summary>Starts a program and waits until it has printed a line that holds <paramref name="ready"/>.</summary>
    /// <exception cref="LabException">It ended, or did not get ready in time.</exception>
    public static async Task<LabProcess> Start(string what, IReadOnlyList<string> command, string ready, TimeSpan within)
    {
        var process = Launch(what, command);
        try
        {
            await Until.True(() => process._process.HasExited || process.Lines(ready).Count > 0, $"{what} says '{ready}'", within).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            process.Dispose();
            throw new LabException($"{late.Message}\n{process.Tail()}");
        }

        if (process.Lines(ready).Count > 0)
            return process;
        var tail = process.Tail();
        process.Dispose();
        throw new LabException($"{what} ended at its start\n{tail}");
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> Run(
        string what, IReadOnlyList<string> command, TimeSpan within, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var process = Launch(what, command, environment);
        using var patience = new CancellationTokenSource(within);
        try
        {
            await process._process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new LabException($"{what} did not end in {within.TotalSeconds:0} s\n{process.Tail()}");
        }

        lock (process._output)
            return (process._process.ExitCode, string.Join('\n', process._output), string.Join('\n', process._errors));
    }

    /// <summary>What it printed so far that holds this text.</summary>
    public IReadOnlyList<string> Lines(string text)
    {
        lock (_output)
            return [.. _output.Concat(_errors).Where(l => l.Contains(text, StringComparison.Ordinal))];
    }

    /// <summary>The last lines, without those of syncs that went well: there are too many to see anything else.</summary>
    public string Tail()
    {
        lock (_output)
            return string.Join('\n', _output.Where(IsTelling).TakeLast(12).Concat(_errors.Where(IsTelling).TakeLast(12)).Select(l => $"    {_what}: {l}"));
    }

    private static bool IsTelling(string line) => !line.Contains("INFO  synced: ", StringComparison.Ordinal);

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        if (_process.HasExited)
            return;
        _process.Kill();
        _process.WaitForExit(EndPatience);
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    /// <summary>Starts a program that says nothing when it is ready.</summary>
    public static LabProcess Launch(string what, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var process = new LabProcess(what, command, environment);
        process._process.Start();
        process._process.StandardInput.Close();
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;
    }

    private void Take(string? line, Queue<string> into)
    {
        if (line is null)
            return;
        lock (_output)
        {
            into.Enqueue(line);
            if (into.Count > KeptLines)
                into.Dequeue();
        }
    }
}
