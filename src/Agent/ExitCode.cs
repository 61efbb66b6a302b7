namespace Fleet.Agent;

/// <summary>What scripts read.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>Refused or failed; the reason is on standard error.</summary>
    public const int Failed = 1;

    public const int Usage = 2;

    /// <summary>Another version of the agent is to run, and whoever keeps it running starts it (EX_TEMPFAIL).</summary>
    public const int Restart = 75;
}
