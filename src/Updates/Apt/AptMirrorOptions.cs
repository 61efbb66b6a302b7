namespace Fleet.Updates.Apt;

/// <param name="FreshFor">How long a release is served without asking its source again.</param>
/// <param name="RetryAfter">How long a source that failed is left alone.</param>
/// <param name="Patience">How long a device waits for the source's answer when an earlier release can be served.</param>
/// <param name="GenerationsKept">Releases of a suite whose indexes and packages are still passed on.</param>
/// <param name="AskedKept">How long after it was last asked for an index is brought ahead with each new release.</param>
/// <param name="SuitesKept">The most suites of a repository.</param>
public sealed record AptMirrorOptions(TimeSpan FreshFor, TimeSpan RetryAfter, TimeSpan Patience, int GenerationsKept, TimeSpan AskedKept, int SuitesKept)
{
    public static AptMirrorOptions Default { get; } = new(
        FreshFor: TimeSpan.FromMinutes(1), RetryAfter: TimeSpan.FromSeconds(15), Patience: TimeSpan.FromSeconds(10), GenerationsKept: 3, AskedKept: TimeSpan.FromDays(30), SuitesKept: 64);
}
