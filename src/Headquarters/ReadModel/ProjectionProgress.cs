using System.Collections.Concurrent;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// How far the read model has followed each twin's events, so that a twin deletes none that it has not read. Unknown after a start until the next event. The
/// node that writes the read model tells the others.
/// </summary>
public sealed class ProjectionProgress
{
    private readonly ConcurrentDictionary<string, long> _reached = new();
    private ConcurrentDictionary<string, long> _untold = new();

    public long Of(string persistenceId) => _reached.GetValueOrDefault(persistenceId);

    /// <summary>It was written here.</summary>
    public void Projected(string persistenceId, long sequenceNr)
    {
        _reached[persistenceId] = sequenceNr;
        Volatile.Read(ref _untold)[persistenceId] = sequenceNr;
    }

    /// <summary>Another node wrote it.</summary>
    public void Heard(IReadOnlyDictionary<string, long> reached)
    {
        foreach (var (persistenceId, sequenceNr) in reached)
            _reached.AddOrUpdate(persistenceId, sequenceNr, (_, known) => Math.Max(known, sequenceNr));
    }

    /// <summary>What was written here since this was last asked.</summary>
    public IReadOnlyDictionary<string, long> TakeUntold() => Interlocked.Exchange(ref _untold, new());
}
