namespace Fleet.Cli;

/// <summary>What scripts read.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>Refused or failed; the reason is on standard error.</summary>
    public const int Failed = 1;

    public const int Usage = 2;
}
