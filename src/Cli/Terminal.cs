using Spectre.Console;

namespace Fleet.Cli;

/// <summary>All that a command touches of the machine it runs on; tests bring their own.</summary>
/// <param name="Variable">Reads an environment variable.</param>
/// <param name="ConfigDirectory">Where <c>fleet login</c> keeps what it was told.</param>
/// <param name="IsInteractive">Whether a person watches: progress may be drawn and questions asked.</param>
internal sealed record Terminal(
    TextWriter Out,
    TextWriter Error,
    TextReader In,
    Func<string, string?> Variable,
    string ConfigDirectory,
    bool IsInteractive,
    TimeProvider Clock)
{
    /// <summary>Wide enough that tables are not folded where a program or a file reads them.</summary>
    private const int UnboundedWidth = 400;

    public static Terminal System() => new(
        Console.Out,
        Console.Error,
        Console.In,
        Environment.GetEnvironmentVariable,
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "fleet"),
        !Console.IsOutputRedirected && !Console.IsInputRedirected,
        TimeProvider.System);

    /// <summary>Draws tables and progress.</summary>
    public IAnsiConsole Drawing()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Out),
            Ansi = IsInteractive ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = IsInteractive ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!IsInteractive)
            console.Profile.Width = UnboundedWidth;
        return console;
    }
}
