using System.Collections.Concurrent;
using System.Data.Common;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// How far the read model has followed each twin's events, so that a twin deletes none that it has not read. Written with the read model, by whichever node
/// follows the journal; that one knows at once, and the others read it now and then. What is known may be a minute old, never too new.
/// </summary>
public sealed class ProjectionProgress(ReadModelStore store, TimeProvider clock)
{
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _reached = new();
    private readonly Lock _holding = new();
    private long _readAt;
    private volatile bool _held;
    /// <summary>How often it was decided here: what was read before says nothing since.</summary>
    private int _decided;

    /// <summary>From when on every node holds, and what its twins were deleting is gone.</summary>
    public static TimeSpan HeldEverywhereAfter { get; } = 2 * ReadEvery;

    /// <summary>While the read model is written anew nothing goes that it has not read: as if it had nothing yet. Other nodes hear of it when they read next.</summary>
    public void Hold(bool held)
    {
        lock (_holding)
            (_held, _decided) = (held, _decided + 1);
    }

    /// <summary>The newest event of a twin that the read model has; 0 where none is known yet.</summary>
    public long Of(string persistenceId)
    {
        var last = Interlocked.Read(ref _readAt);
        // Behind the caller's back: a twin does not wait for a database.
        if ((last == 0 || clock.GetElapsedTime(last) > ReadEvery) && Interlocked.CompareExchange(ref _readAt, clock.GetTimestamp(), last) == last)
            _ = Task.Run(Read);
        return _held ? 0 : _reached.GetValueOrDefault(persistenceId);
    }

    /// <summary>It was written here.</summary>
    public void Projected(string persistenceId, long sequenceNr) => _reached[persistenceId] = sequenceNr;

    private async Task Read()
    {
        try
        {
            var decided = Volatile.Read(ref _decided);
            var held = await store.Fact(RebuildFacts.Reached) is not null;
            lock (_holding)
                if (decided == _decided)
                    _held = held;
            foreach (var row in await store.Projected())
                _reached.AddOrUpdate(row.PersistenceId, row.SequenceNr, (_, known) => Math.Max(known, row.SequenceNr));
        }
        catch (DbException)
        {
            // Old events stay a while longer.
        }
    }
}
