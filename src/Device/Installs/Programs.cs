using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Fleet.Device.Installs;

/// <param name="Environment">Added to the agent's own.</param>
internal sealed record ProgramStart(string File, IReadOnlyList<string> Arguments, string Folder, IReadOnlyDictionary<string, string> Environment, TimeSpan Within);

/// <param name="Code">Null: it did not end in time, and was ended.</param>
/// <param name="Output">What it wrote to its standard output, at most <see cref="Programs.MaxOutput"/>.</param>
/// <param name="LastWords">The last line that it wrote anywhere.</param>
internal sealed record ProgramEnd(int? Code, string Output, string LastWords)
{
    public bool IsGood => Code == 0;

    /// <summary>For people.</summary>
    public override string ToString() => (Code is { } code ? $"ended with {code}" : "did not end in time") + (LastWords.Length > 0 ? $": {LastWords}" : "");
}

/// <summary>Runs programs of this machine. Tests have their own.</summary>
internal interface IPrograms
{
    /// <exception cref="Win32Exception">There is no such program, or it can't be started.</exception>
    /// <param name="cancellation">Ends the program with all that it started.</param>
    Task<ProgramEnd> Run(ProgramStart start, CancellationToken cancellation);
}

/// <summary>The machine's own.</summary>
internal sealed class Programs(TimeProvider clock) : IPrograms
{
    public const int MaxOutput = 64 * 1024;

    private const int MaxLine = 300;

    private const int TextFileBusy = 26;

    private const int MostStarts = 10;

    private static readonly TimeSpan StartAgainAfter = TimeSpan.FromMilliseconds(20);

    /// <summary>What a program started in the background may hold its output open for ever.</summary>
    private static readonly TimeSpan OutputAfterEnd = TimeSpan.FromSeconds(1);

    public async Task<ProgramEnd> Run(ProgramStart start, CancellationToken cancellation)
    {
        var info = new ProcessStartInfo(start.File)
        {
            WorkingDirectory = start.Folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, CreateNoWindow = true,
        };
        foreach (var argument in start.Arguments)
            info.ArgumentList.Add(argument);
        foreach (var (name, value) in start.Environment)
            info.Environment[name] = value;
        using var process = await Start(info).ConfigureAwait(false);
        // Whoever asks something gets an end instead of waiting for a person.
        process.StandardInput.Close();
        var words = new Words();
        var reading = Task.WhenAll(Read(process.StandardOutput, words, isOutput: true), Read(process.StandardError, words, isOutput: false));
        using var late = new CancellationTokenSource(start.Within, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
            await reading.WaitAsync(OutputAfterEnd, clock, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return words.End(process.ExitCode);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellation.ThrowIfCancellationRequested();
            return words.End(code: null);
        }
    }

    private async Task<Process> Start(ProcessStartInfo info)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Process.Start(info) ?? throw new Win32Exception($"{info.FileName} did not start");
            }
            catch (Win32Exception busy) when (busy.NativeErrorCode == TextFileBusy && attempt < MostStarts)
            {
                // A file written just now is still open in a child that another thread was just starting.
                await Task.Delay(StartAgainAfter, clock).ConfigureAwait(false);
            }
        }
    }

    private static async Task Read(StreamReader from, Words words, bool isOutput)
    {
        try
        {
            while (await from.ReadLineAsync().ConfigureAwait(false) is { } line)
                words.Add(line, isOutput);
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            // The program is over, and nobody waits for the rest.
        }
    }

    private sealed class Words
    {
        private readonly StringBuilder _output = new();
        private string _last = "";

        public void Add(string line, bool isOutput)
        {
            lock (_output)
            {
                if (!string.IsNullOrWhiteSpace(line))
                    _last = line.Trim() is { Length: > MaxLine } trimmed ? trimmed[..MaxLine] : line.Trim();
                if (isOutput && _output.Length + line.Length < MaxOutput)
                    _output.Append(line).Append('\n');
            }
        }

        public ProgramEnd End(int? code)
        {
            lock (_output)
                return new ProgramEnd(code, _output.ToString(), _last);
        }
    }
}
