namespace Fleet.Gateway.Push;

/// <summary>A line is not opened now: its writer is completed with this.</summary>
public sealed class LineRefusedException(TimeSpan retryAfter) : Exception("many devices open their lines just now")
{
    /// <summary>Already spread.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
