namespace Fleet.Messages.Admission;

/// <summary>When a server is overloaded. A busy processor alone is no overload: what counts is how long work waits.</summary>
/// <param name="PoolDelay">So late does work begin that could begin at once.</param>
/// <param name="JournalWrite">So long does the journal take for one batch.</param>
/// <param name="ShownLate">So late is what the journal has shown.</param>
public sealed record OverloadLimits(TimeSpan PoolDelay, TimeSpan JournalWrite, TimeSpan ShownLate);

/// <summary>What was seen since the last look.</summary>
/// <param name="PoolDelay">How late work began.</param>
/// <param name="JournalWrite">The longest that a batch took in the journal, or has taken so far; zero where there was none.</param>
/// <param name="DoorFull">As many links wait for their office's twin as may.</param>
/// <param name="ShownLate">How far what is shown is behind the journal.</param>
public readonly record struct Strain(TimeSpan PoolDelay, TimeSpan JournalWrite, bool DoorFull, TimeSpan ShownLate);

/// <param name="Level">0: none; else the highest <see cref="Deferrable"/> that is put off with all below it.</param>
/// <param name="Why">For people; empty at level 0.</param>
/// <param name="StrainedSince">Null: it is not strained now.</param>
/// <param name="EasySince">Null: it is not at ease now.</param>
public sealed record OverloadStand(int Level, string Why, DateTimeOffset? StrainedSince, DateTimeOffset? EasySince)
{
    public static OverloadStand None { get; } = new(0, "", null, null);

    /// <summary>Why reports alone are put off, for people; empty: they are not.</summary>
    public string WhyReports { get; init; } = "";

    public bool IsOverloaded => PutsOff(Deferrable.Lists) || PutsOff(Deferrable.Reports);

    public bool PutsOff(Deferrable what) => Level >= (int)what || (what == Deferrable.Reports && WhyReports.Length > 0);
}

/// <summary>
/// Goes up one level each time strain has lasted for a while, so that the least missed has time to help before the next is put off; goes down one level each time
/// it was at ease for twice as long. Between strain and ease it stays as it is, and so does not swing. What is shown late is another matter: it helps to take fewer
/// reports, and does not to serve fewer lists. Pure.
/// </summary>
public static class OverloadRule
{
    public static readonly TimeSpan UpAfter = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan DownAfter = TimeSpan.FromSeconds(10);

    /// <summary>At ease is under so much of each limit.</summary>
    private const double Ease = 0.25;

    public static OverloadStand Next(OverloadStand stand, Strain strain, OverloadLimits limits, DateTimeOffset now) => Climb(stand, strain, limits, now) with
    {
        WhyReports = strain.ShownLate >= (stand.WhyReports.Length > 0 ? limits.ShownLate * Ease : limits.ShownLate)
            ? $"what is shown is {strain.ShownLate.TotalSeconds:0} s behind the journal"
            : "",
    };

    private static OverloadStand Climb(OverloadStand stand, Strain strain, OverloadLimits limits, DateTimeOffset now)
    {
        if (Problem(strain, limits) is { } why)
        {
            var since = stand.StrainedSince ?? now;
            return now - since >= UpAfter && stand.Level < (int)Deferrable.Reports
                ? new OverloadStand(stand.Level + 1, why, now, null)
                : stand with { Why = stand.Level > 0 ? why : "", StrainedSince = since, EasySince = null };
        }

        if (!IsEasy(strain, limits))
            return stand with { StrainedSince = null, EasySince = null };
        var easy = stand.EasySince ?? now;
        return stand.Level > 0 && now - easy >= DownAfter
            ? new OverloadStand(stand.Level - 1, stand.Level > 1 ? stand.Why : "", null, now)
            : stand with { StrainedSince = null, EasySince = easy };
    }

    private static string? Problem(Strain strain, OverloadLimits limits)
    {
        List<string> problems = [];
        if (strain.JournalWrite >= limits.JournalWrite)
            problems.Add($"the journal takes {strain.JournalWrite.TotalSeconds:0.#} s for a write");
        if (strain.PoolDelay >= limits.PoolDelay)
            problems.Add($"work begins {strain.PoolDelay.TotalSeconds:0.#} s late");
        if (strain.DoorFull)
            problems.Add("links wait for their offices");
        return problems.Count > 0 ? string.Join(", ", problems) : null;
    }

    private static bool IsEasy(Strain strain, OverloadLimits limits) =>
        strain.JournalWrite < limits.JournalWrite * Ease && strain.PoolDelay < limits.PoolDelay * Ease && !strain.DoorFull;
}
