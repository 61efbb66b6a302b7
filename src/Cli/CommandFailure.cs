namespace Fleet.Cli;

/// <summary>The command ends here; the message says why and what to do.</summary>
internal sealed class CommandFailure(string message, int code = ExitCode.Failed) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>What was typed can't be right.</summary>
    public static CommandFailure Usage(string message) => new(message, ExitCode.Usage);
}
