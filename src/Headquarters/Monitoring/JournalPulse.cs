using System.Collections.Concurrent;

namespace Fleet.Headquarters.Monitoring;

/// <summary>
/// Whether the journal worked when it was last needed, and how slow it is. A twin that recovers reads it, so that a quiet headquarters notices as well that it
/// is back. A write counts while it is under way: of a journal that stands still none would end. For several threads.
/// </summary>
public sealed class JournalPulse(TimeProvider clock)
{
    /// <summary>By persistence id, since when: each twin has one write under way at most.</summary>
    private readonly ConcurrentDictionary<string, long> _underWay = new();
    private volatile string? _problem;
    private long _slowest;

    /// <summary>Why it failed the last time; null: it worked, or was not needed yet.</summary>
    public string? Problem => _problem;

    /// <summary>A twin has read its events.</summary>
    public void Read(string persistenceId)
    {
        _problem = null;
        _underWay.TryRemove(persistenceId, out _);
    }

    /// <summary>A twin hands over a batch.</summary>
    public void Begun(string persistenceId) => _underWay[persistenceId] = clock.GetTimestamp();

    /// <summary>Its batch is stored.</summary>
    /// <returns>How long that took.</returns>
    public TimeSpan Stored(string persistenceId)
    {
        _problem = null;
        if (!_underWay.TryRemove(persistenceId, out var begun))
            return TimeSpan.Zero;
        var (took, known) = (clock.GetElapsedTime(begun), Volatile.Read(ref _slowest));
        while (took.Ticks > known)
        {
            var seen = Interlocked.CompareExchange(ref _slowest, took.Ticks, known);
            if (seen == known)
                break;
            known = seen;
        }

        return took;
    }

    /// <summary>It could not be read or written for a twin.</summary>
    public void Failed(string persistenceId, string why)
    {
        _problem = why;
        _underWay.TryRemove(persistenceId, out _);
    }

    /// <summary>The longest that a batch took since this was last asked, or has taken so far.</summary>
    public TimeSpan TakeSlowest()
    {
        var slowest = TimeSpan.FromTicks(Interlocked.Exchange(ref _slowest, 0));
        return _underWay.Select(w => clock.GetElapsedTime(w.Value)).Append(slowest).Max();
    }
}
