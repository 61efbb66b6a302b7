using LinqToDB;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Fleet.Headquarters.Storage;

/// <summary>One event as it lies in any store.</summary>
[Table("journal")]
internal sealed record JournalRow
{
    /// <summary>Where it stands in the whole journal.</summary>
    [Column("ordering"), PrimaryKey] public long Ordering { get; init; }
    [Column("created")] public long Created { get; init; }
    /// <summary>Kept for its sequence number alone: the newest of a twin whose events were all deleted.</summary>
    [Column("deleted")] public bool Deleted { get; init; }
    [Column("persistence_id"), NotNull] public string PersistenceId { get; init; } = "";
    [Column("sequence_number")] public long SequenceNr { get; init; }
    [Column("message"), NotNull] public byte[] Message { get; init; } = [];
    [Column("manifest")] public string? Manifest { get; init; }
    [Column("identifier")] public int? SerializerId { get; init; }
    [Column("writer_uuid")] public string? Writer { get; init; }
}

/// <summary>One snapshot as it lies in any store.</summary>
[Table("snapshot")]
internal sealed record SnapshotRow
{
    [Column("persistence_id", CanBeNull = false), PrimaryKey(1)] public string PersistenceId { get; init; } = "";
    [Column("sequence_number"), PrimaryKey(2)] public long SequenceNr { get; init; }
    [Column("created")] public long Created { get; init; }
    [Column("snapshot")] public byte[]? Snapshot { get; init; }
    [Column("manifest")] public string? Manifest { get; init; }
    [Column("serializer_id")] public int? SerializerId { get; init; }
}

/// <param name="Ordering">Where it stands in the whole journal.</param>
internal sealed record FirstRow(string PersistenceId, long SequenceNr, long Ordering);

/// <summary>
/// Journal and snapshots of a store as rows, whichever kind of database it is: read in one order, written with the positions they had. Nobody may write to the
/// store meanwhile, but where it says so.
/// </summary>
internal sealed class JournalRows(IJournalStore store)
{
    /// <summary>Rows written with one statement.</summary>
    private const int Batch = 500;

    /// <summary>All events in the order of their positions.</summary>
    public IEnumerable<JournalRow> Events() => Read(EventsIn);

    /// <summary>All snapshots in the order of twins and sequence numbers.</summary>
    public IEnumerable<SnapshotRow> Snapshots() => Read(SnapshotsIn);

    /// <summary>The events behind a position, but for those that stand for deleted ones.</summary>
    public IReadOnlyList<JournalRow> After(long position, int count)
    {
        using var db = Open();
        return [.. EventsIn(db).Where(r => r.Ordering > position && !r.Deleted).Take(count)];
    }

    /// <summary>The events of one twin.</summary>
    public IEnumerable<JournalRow> EventsOf(string persistenceId) => Read(db => EventsIn(db).Where(r => r.PersistenceId == persistenceId && !r.Deleted));

    /// <summary>The snapshots of one twin.</summary>
    public IEnumerable<SnapshotRow> SnapshotsOf(string persistenceId) => Read(db => SnapshotsIn(db).Where(r => r.PersistenceId == persistenceId));

    /// <summary>The oldest event that is left of each twin.</summary>
    public IReadOnlyDictionary<string, FirstRow> Firsts()
    {
        using var db = Open();
        return db.GetTable<JournalRow>().Where(r => !r.Deleted).GroupBy(r => r.PersistenceId).Select(g => new FirstRow(g.Key, g.Min(r => r.SequenceNr), g.Min(r => r.Ordering))).ToDictionary(f => f.PersistenceId);
    }

    /// <summary>One snapshot; null: it is gone.</summary>
    public SnapshotRow? Snapshot(string persistenceId, long sequenceNr)
    {
        using var db = Open();
        return db.GetTable<SnapshotRow>().FirstOrDefault(r => r.PersistenceId == persistenceId && r.SequenceNr == sequenceNr);
    }

    /// <summary>The newest position up to which no event is still to come.</summary>
    public async Task<long> CompleteTo(CancellationToken cancellation)
    {
        using var db = Open();
        return await store.BetweenWrites(() => db.GetTable<JournalRow>().Max(r => (long?)r.Ordering) ?? 0, cancellation);
    }

    /// <summary>Takes one row out.</summary>
    public void Remove(JournalRow row)
    {
        using var db = Open();
        db.GetTable<JournalRow>().Where(r => r.Ordering == row.Ordering).Delete();
    }

    /// <summary>How many rows there are, for whoever wants to see how far a copy is.</summary>
    public (long Events, long Snapshots) Count()
    {
        using var db = Open();
        return (db.GetTable<JournalRow>().LongCount(), db.GetTable<SnapshotRow>().LongCount());
    }

    /// <summary>The highest position that was ever given: the next event's must be higher, or whoever follows the journal would pass it over.</summary>
    public long LastPosition()
    {
        using var db = Open();
        return db.Execute<long>(store.LastPositionSql);
    }

    /// <summary>All of it as it is now, while others go on writing.</summary>
    public async Task<FrozenRows> Freeze(CancellationToken cancellation)
    {
        var db = Open();
        try
        {
            return await store.BetweenWrites(() =>
            {
                db.Execute(store.FreezeSql);
                return new FrozenRows(db, db.Execute<long>(store.LastPositionSql));
            }, cancellation);
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    /// <summary>Replaces all that the store holds.</summary>
    /// <param name="written">Told after each batch how many rows went in.</param>
    public void Write(IEnumerable<JournalRow> events, IEnumerable<SnapshotRow> snapshots, long lastPosition, Action<int> written)
    {
        using var db = Open();
        using var transaction = db.BeginTransaction();
        db.GetTable<JournalRow>().Delete();
        db.GetTable<SnapshotRow>().Delete();
        Write(db, events, written);
        Write(db, snapshots, written);
        db.Execute(store.SetLastPositionSql(lastPosition));
        transaction.Commit();
    }

    internal static IQueryable<JournalRow> EventsIn(DataConnection db) => db.GetTable<JournalRow>().OrderBy(r => r.Ordering);

    internal static IQueryable<SnapshotRow> SnapshotsIn(DataConnection db) => db.GetTable<SnapshotRow>().OrderBy(r => r.PersistenceId).ThenBy(r => r.SequenceNr);

    /// <summary>Adds rows with the positions they have.</summary>
    /// <param name="written">Told after each batch how many rows went in.</param>
    internal static void Write<T>(DataConnection db, IEnumerable<T> rows, Action<int> written)
        where T : class
    {
        foreach (var batch in rows.Chunk(Batch))
        {
            db.GetTable<T>().BulkCopy(new BulkCopyOptions { BulkCopyType = BulkCopyType.MultipleRows, UseParameters = true, KeepIdentity = true }, batch);
            written(batch.Length);
        }
    }

    private IEnumerable<T> Read<T>(Func<DataConnection, IQueryable<T>> query)
    {
        using var db = Open();
        foreach (var row in query(db))
            yield return row;
    }

    private DataConnection Open() => new(new DataOptions().UseConnectionString(store.ProviderName, store.ConnectionString));
}

/// <summary>Journal and snapshots of one moment. While it lives SQLite's write-ahead log grows, and PostgreSQL keeps what is deleted: not for long.</summary>
/// <param name="LastPosition">The highest position that had been given.</param>
internal sealed record FrozenRows(DataConnection Connection, long LastPosition) : IDisposable
{
    public IEnumerable<JournalRow> Events() => JournalRows.EventsIn(Connection);

    public IEnumerable<SnapshotRow> Snapshots() => JournalRows.SnapshotsIn(Connection);

    public void Dispose()
    {
        Connection.Execute("ROLLBACK");
        Connection.Dispose();
    }
}
