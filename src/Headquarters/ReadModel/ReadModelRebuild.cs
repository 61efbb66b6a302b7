using Akka.Actor;
using Akka.Event;
using Fleet.Headquarters.Storage;

namespace Fleet.Headquarters.ReadModel;

/// <summary>
/// Writes the read model anew from the journal, beside the one that serves, which it then replaces at once. Of a twin whose oldest events are gone, a snapshot
/// says what they came to. Histories keep what only they know any more. A row that can't be read is named and passed over.
/// </summary>
internal sealed class ReadModelRebuild : IAsyncDisposable
{
    /// <summary>Rows in one transaction; one may hold many events.</summary>
    private const int Rows = 100;

    private readonly ILoggingAdapter _log;
    private readonly RowReader _reader;
    private readonly JournalRows _rows;
    private readonly ReadModelStore _served;
    private readonly ReadModelStore _fresh;
    /// <summary>By twin, the snapshot that it begins at and has not yet.</summary>
    private readonly Dictionary<string, long> _beginnings = [];
    private IReadOnlyDictionary<string, FirstRow> _firsts = new Dictionary<string, FirstRow>();

    private ReadModelRebuild(ActorSystem system, IJournalStore journal, ReadModelStore served, ReadModelStore fresh) =>
        (_log, _reader, _rows, _served, _fresh) = (Logging.GetLogger(system, typeof(ReadModelRebuild)), new RowReader(journal, system), new JournalRows(journal), served, fresh);

    /// <summary>The row of the journal up to which it is written.</summary>
    public long Reached { get; private set; }

    /// <summary>From beginning to end, while nobody else writes the read model.</summary>
    /// <param name="from">Where the one that serves must stand; null: wherever.</param>
    /// <returns>The position that it reached.</returns>
    public static async Task<long> Run(ActorSystem system, IJournalStore journal, ReadModelStore served, long? from, CancellationToken cancellation)
    {
        await using var rebuild = await Begin(system, journal, served, cancellation);
        await rebuild.Fill((_, _) => { }, cancellation);
        rebuild.TakeOver(from);
        return rebuild.Reached;
    }

    /// <summary>Finds out where each twin begins. From here on no twin may delete events, or it is for nothing.</summary>
    public static async Task<ReadModelRebuild> Begin(ActorSystem system, IJournalStore journal, ReadModelStore served, CancellationToken cancellation)
    {
        var rebuild = new ReadModelRebuild(system, journal, served, await served.Beside(cancellation));
        try
        {
            rebuild.Begin();
            return rebuild;
        }
        catch
        {
            await rebuild.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes all that the journal has now.</summary>
    /// <param name="told">Where it is, and where it will be.</param>
    public async Task Fill(Action<long, long> told, CancellationToken cancellation)
    {
        // What is written behind it follows from there.
        var end = await _rows.CompleteTo(cancellation);
        FillTo(end, told, cancellation);
    }

    /// <summary>Writes what lies up to a position before which no event is still to come.</summary>
    public void FillTo(long end, Action<long, long> told, CancellationToken cancellation)
    {
        while (_reader.After(Reached, Rows).Where(r => r.Ordering <= end).ToList() is { Count: > 0 } rows)
        {
            cancellation.ThrowIfCancellationRequested();
            Write(rows);
            Reached = rows[^1].Ordering;
            told(Reached, end);
        }
    }

    /// <summary>Lets it replace the one that serves, all at once.</summary>
    /// <param name="from">Where that one must stand; null: wherever.</param>
    /// <exception cref="InvalidOperationException">It is elsewhere; nothing was replaced.</exception>
    /// <exception cref="EventsGoneException">Events went before they were read; nothing was replaced.</exception>
    public void TakeOver(long? from)
    {
        foreach (var (twin, sequenceNr) in _beginnings)
            _fresh.Write(Reached, [], projection => projection.Begin(Reached, SnapshotOf(twin, sequenceNr)), Reached);
        if (_rows.Firsts().Values.FirstOrDefault(f => _firsts.TryGetValue(f.PersistenceId, out var then) && f.SequenceNr > then.SequenceNr) is { } gone)
            throw Gone(gone.PersistenceId);
        _served.TakeOver(_fresh, Reached, from, [.. _firsts.Values]);
    }

    public ValueTask DisposeAsync() => _fresh.DisposeAsync();

    /// <summary>Says once that a row can't be read.</summary>
    public static void Say(ILoggingAdapter log, UnreadableRow row) => log.Error(
        "{Kind} {SequenceNr} of {PersistenceId} ({Manifest}, position {Position}) in the journal can't be read and is set aside: {Why}. What it said is missing; everything else goes on",
        row.Kind, row.SequenceNr, row.PersistenceId, row.Manifest, row.Position, row.Why);

    private static EventsGoneException Gone(string twin) => new($"{twin} deleted events before they were read");

    private void Begin()
    {
        // In this order: events go after the snapshots that have them.
        var (snapshots, unreadable) = _reader.Snapshots();
        _firsts = _rows.Firsts();
        foreach (var twin in snapshots)
        {
            // The oldest from which all that is left goes on; where there is none, the newest is the best there is.
            var first = _firsts.GetValueOrDefault(twin.Key)?.SequenceNr ?? long.MaxValue;
            if (first > 1)
                _beginnings[twin.Key] = twin.Where(s => s >= first - 1).DefaultIfEmpty(twin.Max()).Min();
        }

        foreach (var row in unreadable)
            Say(_log, row);
        if (unreadable.Count > 0)
            _fresh.Write(0, [], projection => Name(projection, unreadable), from: 0);
    }

    private void Write(IReadOnlyList<ReadRow> rows)
    {
        List<UnreadableRow> unreadable = [.. rows.Select(r => r.Unreadable).OfType<UnreadableRow>()];
        _fresh.Write(rows[^1].Ordering, [.. rows.GroupBy(r => r.PersistenceId).Select(g => new ProjectedRow { PersistenceId = g.Key, SequenceNr = g.Max(r => r.SequenceNr) })], projection =>
        {
            projection.Expect(rows.Select(r => r.Event).OfType<object>());
            foreach (var row in rows)
            {
                if (_beginnings.TryGetValue(row.PersistenceId, out var at) && row.SequenceNr > at)
                    Begin(projection, row, at);
                if (row.Event is { } happened)
                    projection.Apply(row.Ordering, happened);
                if (_beginnings.TryGetValue(row.PersistenceId, out at) && row.SequenceNr == at)
                    Begin(projection, row, at);
            }

            Name(projection, unreadable);
        }, Reached);
        foreach (var row in unreadable)
            Say(_log, row);
    }

    private void Begin(Projection projection, ReadRow row, long at)
    {
        projection.Begin(row.Ordering, SnapshotOf(row.PersistenceId, at));
        _beginnings.Remove(row.PersistenceId);
    }

    private object SnapshotOf(string twin, long sequenceNr) => _reader.Snapshot(twin, sequenceNr) ?? throw Gone(twin);

    private static void Name(Projection projection, IEnumerable<UnreadableRow> unreadable)
    {
        foreach (var row in unreadable)
            projection.Name(row);
    }
}

/// <summary>A twin has deleted what was still to be read. What is begun anew finds in a newer snapshot what it came to.</summary>
internal sealed class EventsGoneException(string message) : Exception(message);
