namespace Fleet.Cli.Networks;

/// <summary>Secrets are read from files: a command line shows in the list of processes and in the shell's history.</summary>
internal static class SecretFile
{
    private const int MaxBytes = 64 * 1024;

    /// <param name="given"><c>@FILE</c>; null: nothing.</param>
    /// <exception cref="CommandFailure">Not a file, or not readable.</exception>
    public static string? Read(string? given, string option)
    {
        if (given is null)
            return null;
        if (given is not ['@', .. var path])
            throw CommandFailure.Usage($"{option} takes a file, as @FILE: what stands on a command line is seen by others");
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
                throw new CommandFailure($"{path} is larger than {MaxBytes} bytes");
            return File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure($"{path} can't be read: {fault.Message}");
        }
    }
}
