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
    private long _readAt;
    private volatile bool _held;

    /// <summary>While the read model is written anew nothing goes that it has not read: as if it had nothing yet. Other nodes hear of it when they read next.</summary>
    public bool Held { get => _held; set => _held = value; }

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
            _held = await store.Fact(RebuildFacts.Reached) is not null;
            foreach (var row in await store.Projected())
                _reached.AddOrUpdate(row.PersistenceId, row.SequenceNr, (_, known) => Math.Max(known, row.SequenceNr));
        }
        catch (DbException)
        {
            // Old events stay a while longer.
        }
    }
}
