using System.Collections.Concurrent;
using System.Data.Common;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// How far the read model has followed each twin's events, so that a twin deletes none that it has not read. Written with the read model, by whichever node
/// follows the journal; that one tells the others, and each reads it now and then. What is known may be some seconds old, never too new.
/// </summary>
public sealed class ProjectionProgress(ReadModelStore store, TimeProvider clock)
{
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _reached = new();
    private ConcurrentDictionary<string, long> _untold = new();
    private long _readAt;

    /// <summary>The newest event of a twin that the read model has; 0 where none is known yet.</summary>
    public long Of(string persistenceId)
    {
        var last = Interlocked.Read(ref _readAt);
        // Behind the caller's back: a twin does not wait for a database.
        if ((last == 0 || clock.GetElapsedTime(last) > ReadEvery) && Interlocked.CompareExchange(ref _readAt, clock.GetTimestamp(), last) == last)
            _ = Task.Run(Read);
        return _reached.GetValueOrDefault(persistenceId);
    }

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

    private async Task Read()
    {
        try
        {
            Heard((await store.Projected()).ToDictionary(r => r.PersistenceId, r => r.SequenceNr));
        }
        catch (DbException)
        {
            // Old events stay a while longer.
        }
    }
}
