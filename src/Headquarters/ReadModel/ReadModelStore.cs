using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Storage;
using Fleet.Messages.Offices;
using Fleet.Messages.Serialization;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.DataProvider.PostgreSQL;
using LinqToDB.DataProvider.SQLite;
using LinqToDB.Mapping;
using MessagePack;
using Microsoft.Data.Sqlite;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Opens the read model's database and holds its tables' shape. All that is in it can be rebuilt from the journal.</summary>
public sealed class ReadModelStore : IAsyncDisposable
{
    /// <summary>Raise it when a table changes: an older read model is then dropped and rebuilt at start.</summary>
    private const int Format = 15;

    private static readonly MappingSchema Times = TimesAsMilliseconds();

    private readonly DataOptions _options;
    /// <summary>Null: it lies in PostgreSQL.</summary>
    private readonly SqliteSpace? _space;
    private ReadModelNotices? _notices;

    /// <summary>Tells when something was written, by whichever node.</summary>
    public ReadModelSignal Changes { get; } = new();

    private ReadModelStore(DataOptions options, MappingSchema mapping, SqliteSpace? space) => (_options, _space) = (options.UseMappingSchema(mapping), space);

    /// <summary>The read model in one SQLite file.</summary>
    /// <exception cref="StorageException">The file is damaged, locked or no database; the message says what to do.</exception>
    public static ReadModelStore Sqlite(string file)
    {
        var store = new ReadModelStore(new DataOptions().UseSQLite($"Data Source={file};Pooling=true", SQLiteProvider.Microsoft), Times, new SqliteSpace(file));
        try
        {
            using var db = store.Open();
            SqliteSpace.Prepare((SqliteConnection)db.OpenDbConnection());
            // WAL lets pages be read while the projection writes; it sticks to the file. The journal is the truth, so NORMAL is safe enough here.
            db.Execute("PRAGMA journal_mode=WAL");
            store.Prepare();
            return store;
        }
        catch (SqliteException fault)
        {
            throw new StorageException(
                $"the read model {file} can't be used: {fault.Message} It is made from the journal: delete it with its -wal and -shm files and run 'headquarters rebuild-read-model'");
        }
    }

    /// <summary>The read model in a PostgreSQL database, beside the journal.</summary>
    /// <param name="renew">Takes the place of a newer version's tables.</param>
    /// <exception cref="StorageException">The database can't be used; the message says what to do.</exception>
    public static async Task<ReadModelStore> PostgreSql(PostgresDatabase database, bool renew = false, CancellationToken cancellation = default)
    {
        var store = new ReadModelStore(new DataOptions().UsePostgreSQL(database.ReadModelConnections, PostgreSQLVersion.v15), MappingSchema.CombineSchemas(TextsWithoutNull(), Times), null);
        // Nodes that start together make the tables once: whoever comes second finds them.
        await database.Alone(_ => Task.Run(() =>
        {
            store.Prepare(renew);
            return true;
        }), cancellation);
        store._notices = new ReadModelNotices(database, store.Changes);
        return store;
    }

    internal ReadModelConnection Open()
    {
        var db = new ReadModelConnection(_options);
        if (_space is not null)
            db.Execute("PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000");
        return db;
    }

    /// <summary>How far the projection has followed the journal.</summary>
    internal async Task<long> Position()
    {
        await using var db = Open();
        return await db.Projections.Select(p => p.Position).FirstOrDefaultAsync();
    }

    /// <summary>How far it has followed each twin.</summary>
    internal async Task<IReadOnlyList<ProjectedRow>> Projected()
    {
        await using var db = Open();
        return await db.Projected.ToListAsync();
    }

    /// <summary>Writes what events mean and how far in the journal they reach, all or nothing.</summary>
    /// <param name="twins">The newest event of each twin that is among them.</param>
    /// <param name="from">Where the writer goes on; null: wherever it is.</param>
    /// <exception cref="InvalidOperationException">It is elsewhere: another headquarters node has begun to write, and this one, which did not hear of it, must not write the same again.</exception>
    internal void Write(long reached, IReadOnlyCollection<ProjectedRow> twins, Action<Projection> writes, long? from = null)
    {
        using var db = Open();
        using var transaction = db.BeginTransaction();
        // First: two writers wait for each other here, not behind what both have written.
        var stood = db.Projections.Where(p => p.Name == ReadModelConnection.ProjectionName && (from == null || p.Position == from)).Set(p => p.Position, reached).Update();
        if (stood == 0)
            throw new InvalidOperationException($"the read model is not at position {from} any more: another headquarters node writes it");
        var projection = new Projection(db);
        writes(projection);
        projection.Complete();
        db.Put(twins);
        Commit(db, transaction);
    }

    /// <summary>Writes who was seen when.</summary>
    internal void Write(SeenChanges changes)
    {
        using var db = Open();
        using var transaction = db.BeginTransaction();
        // Together: after a start of headquarters every device of the fleet is seen anew within seconds.
        foreach (var part in changes.Presence.Values.Select(p => RowOf(p.Office, p.Seen)).Chunk(DeviceRows.Chunk))
        {
            var ids = part.Select(r => r.DeviceId).ToList();
            db.Presence.Delete(p => ids.Contains(p.DeviceId));
            db.Presence.BulkCopy(DeviceRows.Together, part);
        }

        foreach (var seen in changes.OnNetwork.Values)
            db.InsertOrReplace(new NetworkSeenRow { DeviceId = seen.DeviceId.Value, At = seen.At, SeenBy = seen.By.Value, SeenWith = (int)seen.With });
        foreach (var seen in changes.Discovered.Values)
            db.Discovered.Where(d => d.DiscoveredId == seen.DiscoveredId.Value && d.LastSeen < seen.At)
                .Set(d => d.LastSeen, seen.At).Set(d => d.SeenBy, seen.By.Value).Set(d => d.SeenWith, (int)seen.With).Update();
        foreach (var install in changes.Installs.Values)
            db.Installs.Where(i => i.InstallId == install.InstallId.Value).Set(i => i.Step, (int)install.Step).Update();
        foreach (var poll in changes.Polls.Values)
            db.Polls.Where(p => p.PollId == poll.PollId.Value && p.EndedAt == null)
                .Set(p => p.Done, poll.Done).Set(p => p.Total, poll.Total).Set(p => p.Found, poll.Found).Set(p => p.Packets, poll.Packets).Update();
        foreach (var counted in changes.Content.Values)
            ContentRows.Write(db, counted);
        foreach (var standing in changes.Rollouts.Values)
            db.InsertOrReplace(new RolloutStandingRow { Name = standing.Name.Value, WaitsFor = standing.WaitsFor, Rings = MessagePackSerializer.Serialize(standing.Rings, Codec.Options) });
        Commit(db, transaction);
    }

    /// <summary>Names rows of a twin that can't be read, in place of those that could not be before.</summary>
    internal void Name(string persistenceId, IReadOnlyList<UnreadableRow> unreadable)
    {
        using var db = Open();
        using var transaction = db.BeginTransaction();
        db.Unreadable.Delete(r => r.PersistenceId == persistenceId);
        foreach (var row in unreadable)
            db.InsertOrReplace(row);
        Commit(db, transaction);
    }

    /// <inheritdoc cref="IJournalStore.Size"/>
    internal StorageSize Size()
    {
        if (_space is not null)
            return _space.Size();
        using var db = Open();
        return new StorageSize(ReadModelConnection.TableNames.Sum(t => db.Execute<long>($"SELECT pg_total_relation_size('{t}')")), 0);
    }

    /// <inheritdoc cref="IJournalStore.GiveBack"/>
    internal int GiveBack() => _space?.GiveBack() ?? 0;

    /// <summary>Empties all tables, so that the projection begins anew.</summary>
    public void Clear()
    {
        using var db = Open();
        MakeTables(db);
    }

    /// <summary>Replaces what another read model shows by what this one does.</summary>
    internal void CopyTo(ReadModelStore target)
    {
        using var from = Open();
        using var to = target.Open();
        using var transaction = to.BeginTransaction();
        to.CopyFrom(from);
        transaction.Commit();
    }

    public ValueTask DisposeAsync() => _notices?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Commit(ReadModelConnection db, DataConnectionTransaction transaction)
    {
        if (_notices is { } notices)
            db.Execute(notices.Statement);
        transaction.Commit();
        Changes.Raise();
    }

    private void Prepare(bool renew = false)
    {
        using var db = Open();
        var found = db.Execute<long>(_space is not null ? "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'projection'" : "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema AND tablename = 'projection'");
        var format = found == 0 ? 0 : db.Projections.Select(p => p.Format).FirstOrDefault();
        // Where several nodes share it, a newer one made it and may still write it.
        if (format > Format && _space is null && !renew)
            throw new StorageException($"the read model has format {format} and this version of Fleet knows {Format}: start the newer version, or stop all nodes and run 'headquarters rebuild-read-model' of this one");
        if (format != Format)
            MakeTables(db);
    }

    private static PresenceRow RowOf(OfficeId office, DevicePresence seen) =>
        new() { DeviceId = seen.DeviceId.Value, OfficeId = office.Value, LastSync = seen.LastSync, Through = seen.Through?.Value, State = (int)seen.State, Since = seen.Since, Why = seen.Why };

    // All or nothing: half a set of tables would not be found out later.
    private static void MakeTables(ReadModelConnection db)
    {
        using var transaction = db.BeginTransaction();
        db.DropTables();
        db.CreateTables(Format);
        transaction.Commit();
    }

    /// <summary>What a device reports may hold anything, and PostgreSQL's texts hold every character but this one.</summary>
    internal static string? WithoutNull(string? text) => text?.Replace("\0", "", StringComparison.Ordinal);

    private static MappingSchema TextsWithoutNull()
    {
        var schema = new MappingSchema("texts");
        schema.SetConverter<string?, DataParameter>(text => new DataParameter { Value = WithoutNull(text), DataType = DataType.NVarChar });
        return schema;
    }

    // SQLite has no time type and PostgreSQL's would need another mapping: whole milliseconds sort and compare alike in both.
    private static MappingSchema TimesAsMilliseconds()
    {
        var schema = new MappingSchema("fleet");
        schema.SetDataType(typeof(DateTimeOffset), DataType.Int64);
        schema.SetConverter<DateTimeOffset, DataParameter>(at => new DataParameter { Value = at.ToUnixTimeMilliseconds(), DataType = DataType.Int64 });
        schema.SetConverter<DateTimeOffset, long>(at => at.ToUnixTimeMilliseconds());
        schema.SetConverter<long, DateTimeOffset>(DateTimeOffset.FromUnixTimeMilliseconds);
        schema.SetValueToSqlConverter(typeof(DateTimeOffset), (text, _, at) => text.Append(((DateTimeOffset)at).ToUnixTimeMilliseconds()));
        return schema;
    }
}

internal sealed class ReadModelConnection(DataOptions options) : DataConnection(options)
{
    public const string ProjectionName = "fleet";

    public ITable<OfficeRow> Offices => this.GetTable<OfficeRow>();

    public ITable<NodeRow> Nodes => this.GetTable<NodeRow>();

    public ITable<DeviceRow> Devices => this.GetTable<DeviceRow>();

    public ITable<DeviceLabelRow> Labels => this.GetTable<DeviceLabelRow>();

    public ITable<PresenceRow> Presence => this.GetTable<PresenceRow>();

    public ITable<TokenRow> Tokens => this.GetTable<TokenRow>();

    public ITable<PolicyRow> Policies => this.GetTable<PolicyRow>();

    public ITable<DeviceEventRow> DeviceEvents => this.GetTable<DeviceEventRow>();

    public ITable<NodeEventRow> NodeEvents => this.GetTable<NodeEventRow>();

    public ITable<OfficeEventRow> OfficeEvents => this.GetTable<OfficeEventRow>();

    public ITable<IncidentRow> Incidents => this.GetTable<IncidentRow>();

    public ITable<RuleRow> Rules => this.GetTable<RuleRow>();

    public ITable<PollingRow> Pollings => this.GetTable<PollingRow>();

    public ITable<PollRow> Polls => this.GetTable<PollRow>();

    public ITable<InstallRow> Installs => this.GetTable<InstallRow>();

    public ITable<DiscoveredRow> Discovered => this.GetTable<DiscoveredRow>();

    public ITable<NetworkSeenRow> NetworkSeen => this.GetTable<NetworkSeenRow>();

    public ITable<RolloutRow> Rollouts => this.GetTable<RolloutRow>();

    public ITable<RolloutStandingRow> RolloutStandings => this.GetTable<RolloutStandingRow>();

    public ITable<RolloutEventRow> RolloutEvents => this.GetTable<RolloutEventRow>();

    public ITable<AptRow> Apt => this.GetTable<AptRow>();

    public ITable<VendorRow> Vendors => this.GetTable<VendorRow>();

    public ITable<DownloadTaskRow> DownloadTasks => this.GetTable<DownloadTaskRow>();

    public ITable<ContentCountRow> ContentCounts => this.GetTable<ContentCountRow>();

    public ITable<ContentStoreRow> ContentStores => this.GetTable<ContentStoreRow>();

    public ITable<UnreadableRow> Unreadable => this.GetTable<UnreadableRow>();

    public ITable<ProjectedRow> Projected => this.GetTable<ProjectedRow>();

    public ITable<ProjectionRow> Projections => this.GetTable<ProjectionRow>();

    /// <summary>Notes how far twins were followed, with one statement for all of them.</summary>
    public void Put(IReadOnlyCollection<ProjectedRow> twins)
    {
        if (twins.Count == 0)
            return;
        var values = string.Join(", ", twins.Select((_, i) => $"(@p{i}, @n{i})"));
        this.Execute($"INSERT INTO projected (persistence_id, sequence_nr) VALUES {values} ON CONFLICT (persistence_id) DO UPDATE SET sequence_nr = excluded.sequence_nr",
            [.. twins.SelectMany((t, i) => (DataParameter[])[new($"p{i}", t.PersistenceId), new($"n{i}", t.SequenceNr)])]);
    }

    public void DropTables()
    {
        foreach (var table in Tables)
            table.Drop(this);
    }

    public void CreateTables(int format)
    {
        foreach (var table in Tables)
            table.Create(this);
        foreach (var (table, columns) in Indexes)
            this.Execute($"CREATE INDEX {table}_{columns.Replace(", ", "_", StringComparison.Ordinal)} ON {table} ({columns})");
        this.Insert(new ProjectionRow { Name = ProjectionName, Position = 0, Format = format });
    }

    /// <summary>Replaces all rows by those of another read model.</summary>
    public void CopyFrom(ReadModelConnection source)
    {
        foreach (var table in Tables)
            table.Copy(source, this);
    }

    public static IEnumerable<string> TableNames => Tables.Select(t => t.Name);

    private static readonly IReadOnlyList<ReadModelTable> Tables =
    [
        ReadModelTable.Of<OfficeRow>(),
        ReadModelTable.Of<NodeRow>(),
        ReadModelTable.Of<DeviceRow>(),
        ReadModelTable.Of<DeviceLabelRow>(),
        ReadModelTable.Of<PresenceRow>(),
        ReadModelTable.Of<TokenRow>(),
        ReadModelTable.Of<PolicyRow>(),
        ReadModelTable.Of<DeviceEventRow>(),
        ReadModelTable.Of<NodeEventRow>(),
        ReadModelTable.Of<OfficeEventRow>(),
        ReadModelTable.Of<IncidentRow>(),
        ReadModelTable.Of<RuleRow>(),
        ReadModelTable.Of<PollingRow>(),
        ReadModelTable.Of<PollRow>(),
        ReadModelTable.Of<InstallRow>(),
        ReadModelTable.Of<DiscoveredRow>(),
        ReadModelTable.Of<NetworkSeenRow>(),
        ReadModelTable.Of<RolloutRow>(),
        ReadModelTable.Of<RolloutStandingRow>(),
        ReadModelTable.Of<RolloutEventRow>(),
        ReadModelTable.Of<AptRow>(),
        ReadModelTable.Of<VendorRow>(),
        ReadModelTable.Of<DownloadTaskRow>(),
        ReadModelTable.Of<ContentCountRow>(),
        ReadModelTable.Of<ContentStoreRow>(),
        ReadModelTable.Of<UnreadableRow>(),
        ReadModelTable.Of<ProjectedRow>(),
        ReadModelTable.Of<ProjectionRow>(),
    ];

    private static readonly (string Table, string Columns)[] Indexes =
    [
        ("nodes", "office_id"),
        ("devices", "office_id, name"),
        ("devices", "name"),
        ("device_labels", "label, value"),
        ("presence", "last_sync"),
        ("tokens", "office_id"),
        ("device_events", "device_id, position"),
        ("node_events", "node_id, position"),
        ("office_events", "office_id, position"),
        ("incidents", "office_id"),
        ("incidents", "closed_at"),
        ("polls", "office_id, begun_at"),
        ("polls", "ended_at"),
        ("rollout_events", "name, position"),
        ("content_counts", "office_id"),
        ("discovered", "office_id, name"),
        ("discovered", "name"),
        ("discovered", "last_seen"),
    ];
}

/// <summary>What is done with a table as a whole, whatever its rows are.</summary>
internal sealed record ReadModelTable(string Name, Action<DataConnection> Drop, Action<DataConnection> Create, Action<DataConnection, DataConnection> Copy)
{
    /// <summary>SQLite takes 32,766 parameters a statement; the widest row has some 30 columns.</summary>
    private static readonly BulkCopyOptions Together = new() { BulkCopyType = BulkCopyType.MultipleRows, MaxBatchSize = 200, UseParameters = true };

    public static ReadModelTable Of<T>()
        where T : class => new(
            MappingSchema.Default.GetEntityDescriptor(typeof(T)).Name.Name,
            db => db.DropTable<T>(throwExceptionIfNotExists: false),
            db => db.CreateTable<T>(),
            (from, to) =>
            {
                to.GetTable<T>().Delete();
                to.GetTable<T>().BulkCopy(Together, from.GetTable<T>());
            });
}
