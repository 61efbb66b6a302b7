namespace Fleet.Headquarters.Monitoring;

/// <summary>
/// Whether the journal worked when it was last needed, and how slow it was. A twin that recovers reads it, so that a quiet headquarters notices as well that it
/// is back. For several threads.
/// </summary>
public sealed class JournalPulse
{
    private volatile string? _problem;
    private long _slowest;

    /// <summary>Why it failed the last time; null: it worked, or was not needed yet.</summary>
    public string? Problem => _problem;

    /// <summary>It was read.</summary>
    public void Worked() => _problem = null;

    /// <summary>It stored a batch.</summary>
    public void Worked(TimeSpan took)
    {
        _problem = null;
        var known = Volatile.Read(ref _slowest);
        while (took.Ticks > known)
        {
            var seen = Interlocked.CompareExchange(ref _slowest, took.Ticks, known);
            if (seen == known)
                return;
            known = seen;
        }
    }

    public void Failed(string why) => _problem = why;

    /// <summary>The longest that a batch took since this was last asked.</summary>
    public TimeSpan TakeSlowest() => TimeSpan.FromTicks(Interlocked.Exchange(ref _slowest, 0));
}
