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
using Npgsql;

namespace Fleet.Headquarters.ReadModel;

/// <summary>Opens the read model's database and holds its tables' shape. All that is in it can be rebuilt from the journal.</summary>
public sealed class ReadModelStore : IAsyncDisposable
{
    /// <summary>Raise it when a table changes: an older read model is then dropped and rebuilt at start.</summary>
    private const int Format = 16;

    /// <summary>Behind the name of a file that is written to take the place of another.</summary>
    private const string Fresh = ".fresh";

    private static readonly MappingSchema Times = TimesAsMilliseconds();

    private readonly DataOptions _options;
    /// <summary>Null, as what follows: it lies in PostgreSQL.</summary>
    private readonly string? _file;
    private readonly SqliteSpace? _space;
    private readonly Func<Exception, string> _say;
    /// <summary>The one session that has its tables; null: all have.</summary>
    private NpgsqlConnection? _session;
    private ReadModelNotices? _notices;

    /// <summary>Tells when something was written, by whichever node.</summary>
    public ReadModelSignal Changes { get; } = new();

    private ReadModelStore(DataOptions options, MappingSchema mapping, string? file, SqliteSpace? space, Func<Exception, string> say) => (_options, _file, _space, _say) = (options.UseMappingSchema(mapping), file, space, say);

    /// <summary>The read model in one SQLite file.</summary>
    /// <exception cref="StorageException">The file is damaged, locked or no database; the message says what to do.</exception>
    public static ReadModelStore Sqlite(string file) => Sqlite(file, pooling: true);

    private static ReadModelStore Sqlite(string file, bool pooling)
    {
        var store = new ReadModelStore(new DataOptions().UseSQLite($"Data Source={file};Pooling={pooling}", SQLiteProvider.Microsoft), Times, file, new SqliteSpace(file), fault => SqliteSpace.Say($"the read model {file}", fault));
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
        var store = new ReadModelStore(new DataOptions().UsePostgreSQL(database.ReadModelConnections, PostgreSQLVersion.v15), PostgresMapping(), null, null, database.SayIfOwn);
        // Nodes that start together make the tables once: whoever comes second finds them.
        await database.Alone(_ => Task.Run(() =>
        {
            store.Prepare(renew);
            return true;
        }), cancellation);
        store._notices = new ReadModelNotices(database, store.Changes);
        return store;
    }

    /// <summary>What went wrong and what to do, in words for an administrator.</summary>
    public string Say(Exception fault) => _say(fault);

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
        return await db.Projections.Where(p => p.Name == ReadModelConnection.ProjectionName).Select(p => p.Position).FirstOrDefaultAsync();
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
            KeepLastSync(db, part);
            var ids = part.Select(r => r.DeviceId).ToList();
            db.Presence.Delete(p => ids.Contains(p.DeviceId));
            db.Presence.BulkCopy(db.Together, part);
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

    // A twin that began anew does not know when its devices synced before.
    private static void KeepLastSync(ReadModelConnection db, PresenceRow[] rows)
    {
        var unsaid = rows.Where(r => r.LastSync is null).ToDictionary(r => r.DeviceId);
        if (unsaid.Count == 0)
            return;
        var ids = unsaid.Keys.ToList();
        foreach (var known in db.Presence.Where(p => ids.Contains(p.DeviceId) && p.LastSync != null).Select(p => new { p.DeviceId, p.LastSync, p.Through }))
            (unsaid[known.DeviceId].LastSync, unsaid[known.DeviceId].Through) = (known.LastSync, known.Through);
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

    /// <summary>What is known beside the tables, by its name; null: it is not.</summary>
    internal async Task<long?> Fact(string name)
    {
        await using var db = Open();
        return await db.Projections.Where(p => p.Name == name).Select(p => (long?)p.Position).FirstOrDefaultAsync();
    }

    /// <summary>Notes such, for all headquarters nodes.</summary>
    internal void Note(string name, long? value)
    {
        using var db = Open();
        if (value is { } known)
            db.InsertOrReplace(new ProjectionRow { Name = name, Position = known, Format = Format });
        else
            db.Projections.Delete(p => p.Name == name);
    }

    /// <summary>An empty read model beside this one, to be filled and then to replace it (<see cref="TakeOver"/>). It goes when it is disposed of.</summary>
    internal async Task<ReadModelStore> Beside(CancellationToken cancellation)
    {
        if (_file is not null)
        {
            var file = _file + Fresh;
            foreach (var old in (string[])[file, file + "-wal", file + "-shm"])
                File.Delete(old);
            return Sqlite(file, pooling: false);
        }

        // Tables of one session, found before those of the same names: they need no right to make a schema, and are gone with the session.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_options.ConnectionOptions.ConnectionString!) { Pooling = false, CommandTimeout = 0 }.ToString());
        await connection.OpenAsync(cancellation);
        var fresh = new ReadModelStore(new DataOptions().UseConnection(PostgreSQLTools.GetDataProvider(PostgreSQLVersion.v15), connection, disposeConnection: false), PostgresMapping(), null, null, _say) { _session = connection };
        using var db = fresh.Open();
        db.CreateTables(Format, temporary: true);
        return fresh;
    }

    /// <summary>Replaces what this one shows, at once, by what another says that was written beside it. What is not from the journal stays, and so does what histories alone know any more.</summary>
    /// <param name="reached">How far the other has followed the journal.</param>
    /// <param name="from">Where this one must stand; null: wherever.</param>
    /// <param name="firsts">What is left in the journal of each twin: from there on the other's histories are whole.</param>
    /// <exception cref="InvalidOperationException">It stands elsewhere: another headquarters node writes it.</exception>
    internal void TakeOver(ReadModelStore fresh, long reached, long? from, IReadOnlyCollection<FirstRow> firsts)
    {
        using var db = fresh.Open();
        if (_file is not null)
            db.Execute("PRAGMA temp_store = MEMORY; ATTACH @file AS served", new DataParameter("file", _file));
        var swap = new ReadModelSwap(db, _file is null ? "pg_temp" : "main", _file is null ? PostgresDatabase.Schema : "served");
        swap.Remember(firsts);
        using var transaction = db.BeginTransaction();
        if (!swap.Move(reached, from))
            throw new InvalidOperationException($"the read model is not at position {from} any more: another headquarters node writes it");
        swap.Replace();
        Commit(db, transaction);
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

    public async ValueTask DisposeAsync()
    {
        if (_notices is not null)
            await _notices.DisposeAsync();
        if (_session is not null)
            await _session.DisposeAsync();
        if (_file?.EndsWith(Fresh, StringComparison.Ordinal) == true)
            foreach (var file in (string[])[_file, _file + "-wal", _file + "-shm"])
                File.Delete(file);
    }

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
        var format = found == 0 ? 0 : db.Projections.Where(p => p.Name == ReadModelConnection.ProjectionName).Select(p => p.Format).FirstOrDefault();
        // Where several nodes share it, a newer one made it and may still write it.
        if (format > Format && _space is null && !renew)
            throw new StorageException($"the read model has format {format} and this version of Fleet knows {Format}: start the newer version, or stop all nodes and run 'headquarters rebuild-read-model' of this one");
        if (format != Format)
            MakeTables(db);
    }

    // What histories know nobody can tell anew: those whose shape is still the same stay.
    private HashSet<string> KeptOf(ReadModelConnection db) => [.. ReadModelConnection.Histories.Where(h => h.Columns.SetEquals(db.Query<string>(_file is not null
        ? $"SELECT name FROM pragma_table_info('{h.Name}')" : $"SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema AND table_name = '{h.Name}'"))).Select(h => h.Name)];

    private static PresenceRow RowOf(OfficeId office, DevicePresence seen) =>
        new() { DeviceId = seen.DeviceId.Value, OfficeId = office.Value, LastSync = seen.LastSync, Through = seen.Through?.Value, State = (int)seen.State, Since = seen.Since, Why = seen.Why };

    // All or nothing: half a set of tables would not be found out later.
    private void MakeTables(ReadModelConnection db)
    {
        using var transaction = db.BeginTransaction();
        var kept = KeptOf(db);
        db.DropTables(kept);
        db.CreateTables(Format, kept: kept);
        transaction.Commit();
    }

    /// <summary>What a device reports may hold anything, and PostgreSQL's texts hold every character but this one.</summary>
    internal static string? WithoutNull(string? text) => text?.Replace("\0", "", StringComparison.Ordinal);

    private static MappingSchema PostgresMapping() => MappingSchema.CombineSchemas(TextsWithoutNull(), Times);

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

    // SQLite looks for each parameter's name among all of its statement: with many rows in one, that takes longer than the rest.
    private static readonly BulkCopyOptions SomeRows = new() { BulkCopyType = BulkCopyType.MultipleRows, MaxBatchSize = 20, UseParameters = true };

    // PostgreSQL's COPY.
    private static readonly BulkCopyOptions Copied = new() { BulkCopyType = BulkCopyType.ProviderSpecific };

    /// <summary>How rows are written together that are new.</summary>
    public BulkCopyOptions Together => DataProvider.Name.StartsWith(ProviderName.PostgreSQL, StringComparison.Ordinal) ? Copied : SomeRows;

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

    public void DropTables(HashSet<string> kept)
    {
        foreach (var table in Tables.Where(t => !kept.Contains(t.Name)))
            table.Drop(this);
    }

    /// <param name="temporary">For this session alone.</param>
    /// <param name="kept">Those that are there.</param>
    public void CreateTables(int format, bool temporary = false, HashSet<string>? kept = null)
    {
        foreach (var table in Tables.Where(t => kept?.Contains(t.Name) != true))
            table.Create(this, temporary ? TableOptions.IsTemporary : TableOptions.NotSet);
        foreach (var (table, columns) in Indexes.Where(i => kept?.Contains(i.Table) != true))
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

    /// <summary>What happened and is over, of which the journal may hold less.</summary>
    public static IEnumerable<ReadModelTable> Histories => Tables.Where(t => t.Kind == TableKind.History);

    /// <summary>What the journal says that is.</summary>
    public static IEnumerable<ReadModelTable> Told => Tables.Where(t => t.Kind == TableKind.Told);

    private static readonly IReadOnlyList<ReadModelTable> Tables =
    [
        ReadModelTable.Of<OfficeRow>(),
        ReadModelTable.Of<NodeRow>(),
        ReadModelTable.Of<DeviceRow>(),
        ReadModelTable.Of<DeviceLabelRow>(byKey: true),
        ReadModelTable.Of<PresenceRow>(TableKind.Seen, byKey: true),
        ReadModelTable.Of<TokenRow>(),
        ReadModelTable.Of<PolicyRow>(),
        ReadModelTable.Of<DeviceEventRow>(TableKind.History),
        ReadModelTable.Of<NodeEventRow>(TableKind.History),
        ReadModelTable.Of<OfficeEventRow>(TableKind.History),
        ReadModelTable.Of<IncidentRow>(TableKind.History),
        ReadModelTable.Of<RuleRow>(),
        ReadModelTable.Of<PollingRow>(),
        ReadModelTable.Of<PollRow>(TableKind.History),
        ReadModelTable.Of<InstallRow>(TableKind.History),
        ReadModelTable.Of<DiscoveredRow>(),
        ReadModelTable.Of<NetworkSeenRow>(TableKind.Seen),
        ReadModelTable.Of<RolloutRow>(),
        ReadModelTable.Of<RolloutStandingRow>(TableKind.Seen),
        ReadModelTable.Of<RolloutEventRow>(TableKind.History),
        ReadModelTable.Of<AptRow>(),
        ReadModelTable.Of<VendorRow>(),
        ReadModelTable.Of<DownloadTaskRow>(),
        ReadModelTable.Of<ContentCountRow>(TableKind.Seen),
        ReadModelTable.Of<ContentStoreRow>(TableKind.Seen),
        ReadModelTable.Of<UnreadableRow>(),
        ReadModelTable.Of<ProjectedRow>(),
        ReadModelTable.Of<ProjectionRow>(TableKind.Progress),
    ];

    private static readonly (string Table, string Columns)[] Indexes =
    [
        ("nodes", "office_id"),
        ("devices", "office_id, name, device_id"),
        ("devices", "name, device_id"),
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
internal sealed record ReadModelTable(string Name, TableKind Kind, HashSet<string> Columns, Action<DataConnection> Drop, Action<DataConnection, TableOptions> Create, Action<DataConnection, DataConnection> Copy)
{
    /// <summary>SQLite takes 32,766 parameters a statement; the widest row has some 30 columns.</summary>
    private static readonly BulkCopyOptions Together = new() { BulkCopyType = BulkCopyType.MultipleRows, MaxBatchSize = 200, UseParameters = true };

    /// <param name="byKey">Rows are looked up by their key, one for each of many: SQLite keeps them in its order, so that no index lies between.</param>
    public static ReadModelTable Of<T>(TableKind kind = TableKind.Told, bool byKey = false)
        where T : class => new(
            MappingSchema.Default.GetEntityDescriptor(typeof(T)).Name.Name,
            kind,
            [.. MappingSchema.Default.GetEntityDescriptor(typeof(T)).Columns.Select(c => c.ColumnName)],
            db => db.DropTable<T>(throwExceptionIfNotExists: false),
            (db, options) => db.CreateTable<T>(
                statementFooter: byKey && db.DataProvider.Name.StartsWith(ProviderName.SQLite, StringComparison.Ordinal) ? "WITHOUT ROWID" : null, tableOptions: options),
            (from, to) =>
            {
                to.GetTable<T>().Delete();
                to.GetTable<T>().BulkCopy(Together, from.GetTable<T>());
            });
}

/// <summary>Where the rows of a table are from.</summary>
internal enum TableKind
{
    /// <summary>The journal says all that is in it.</summary>
    Told = 1,

    /// <summary>The journal did, and may have forgotten.</summary>
    History = 2,

    /// <summary>Twins say it as they see it, and not again.</summary>
    Seen = 3,

    /// <summary>How far the journal was followed.</summary>
    Progress = 4,
}
