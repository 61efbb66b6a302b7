using Akka.Actor;
using Akka.Event;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Storage;
using Fleet.Headquarters.Tests.Links;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using Npgsql;
using static Fleet.Headquarters.Tests.TestCompany;

namespace Fleet.Headquarters.Tests.Cluster;

/// <summary>What is special about a database that is another process's and that several nodes share.</summary>
public sealed class PostgresTests
{
    [SkippableFact]
    public async Task While_the_server_is_away_nothing_is_acknowledged_and_afterwards_all_goes_on_by_itself()
    {
        Skip.If(PrivatePostgres.Unable() is not null, PrivatePostgres.Unable());
        await using var server = await PrivatePostgres.Start();
        await using var company = await Start(new StorageOptions(StorageProvider.PostgreSql, await server.NewDatabase(), 20, TimeSpan.FromSeconds(20)), 1000, Leeds, York);
        using var till = await company.EnrolDevice(Leeds, "till-1");
        await company.Report(till, Leeds, till.Report(1, applied: 1, events: [1]));
        using var scale = await company.EnrolDevice(York, "scale-1");

        var said = LinkRig.Event<LogEvent>(company.System, e => e.ToString() is { } text && text.Contains("can't be read; the twin starts again after a wait: PostgreSQL", StringComparison.Ordinal));
        await server.Stop();
        // More than the journal's circuit breaker lets through: it opens, and has to close again.
        for (ulong i = 0; i < 12; i++)
            await Assert.ThrowsAsync<AskTimeoutException>(() =>
                company.Cluster.Offices.Ask<DirectAnswer>(new TakeDirect(Leeds, [new DeviceEnvelopeUp(till.Id, till.Seal(till.Report(2, applied: 1, events: [1, 2])), Leeds)]), TimeSpan.FromMilliseconds(300)));
        await Until.True(async () => !await Reported(company, till, Leeds, 2, TimeSpan.FromMilliseconds(300)) && said.IsCompleted, "a twin that wants to start says why it can't");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => company.ReadModel.Status());
        var online = new DevicePresence(scale.Id, TimeProvider.System.GetUtcNow(), null, PresenceState.Online, TimeProvider.System.GetUtcNow(), "");
        company.System.EventStream.Publish(new PresenceChanged(York, [], [online]));
        await server.Run();

        DirectAnswer? answer = null;
        await Until.True(async () =>
        {
            try
            {
                answer = await company.Cluster.Offices.Ask<DirectAnswer>(new TakeDirect(Leeds, [new DeviceEnvelopeUp(till.Id, till.Seal(till.Report(2, applied: 1, events: [1, 2])), Leeds)]), TimeSpan.FromSeconds(2));
                return true;
            }
            catch (AskTimeoutException)
            {
                return false;
            }
        }, "the twin answers again", TimeSpan.FromSeconds(40));
        Assert.Equal(2UL, till.OpenAck(answer!.Items.OfType<DeviceEnvelopeDown>().Single().Envelope).EventNumber);
        Assert.Equal([1UL, 2UL], (await company.Events()).OfType<DeviceEventRecorded>().Select(e => e.Number));
        await ReadModelShows(async () => (await company.ReadModel.DeviceEvents(till.Id, PageRequest.First)).Items.Count(e => e.Number > 0) == 2, "the read model has followed");
        await ReadModelShows(async () => (await company.ReadModel.Device(scale.Id))?.Device.Presence.State == PresenceState.Online, "what was seen meanwhile is shown");
    }

    [SkippableFact]
    public async Task While_the_server_has_no_connection_left_that_is_said_and_what_is_acknowledged_is_stored()
    {
        Skip.If(PrivatePostgres.Unable() is not null, PrivatePostgres.Unable());
        const int connections = 12;
        await using var server = await PrivatePostgres.Start(connections: connections);
        var database = await server.NewDatabase();
        await using var company = await Start(new StorageOptions(StorageProvider.PostgreSql, database, 30, TimeSpan.FromSeconds(20)), 1000, Leeds, York);
        using var till = await company.EnrolDevice(Leeds, "till-1");
        using var scale = await company.EnrolDevice(York, "scale-1");

        // Its own are fewer than are asked for at once, and all others are somebody else's.
        var others = new List<NpgsqlConnection>();
        await Fill(others, database);
        var reads = Enumerable.Range(0, 40).Select(_ => Task.Run(() => company.ReadModel.Status())).ToList();
        var stored = new Dictionary<string, ulong> { [till.Id.Value] = 0, [scale.Id.Value] = 0 };
        for (ulong number = 1; number <= 20; number++)
            foreach (var (machine, office) in new[] { (till, Leeds), (scale, York) })
                if (stored[machine.Id.Value] == number - 1 && await Reported(company, machine, office, number, TimeSpan.FromSeconds(1)))
                    stored[machine.Id.Value] = number;
        var refused = new List<string>();
        foreach (var read in reads)
            if (await Record.ExceptionAsync(() => read) is { } fault)
                refused.Add(company.Store.Say(fault));
        Assert.NotEmpty(refused);
        Assert.All(refused, why => Assert.Contains("Raise its max_connections, or lower fleet.storage.max-connections", why, StringComparison.Ordinal));

        // Headquarters keeps none.
        var said = LinkRig.Event<LogEvent>(company.System, e => e.ToString() is { } text && text.Contains("office", StringComparison.Ordinal) && text.Contains("it has no connection left", StringComparison.Ordinal));
        await Until.True(async () =>
        {
            await Run(others[0], "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fleet%'");
            await Fill(others, database);
            return others.Count >= connections;
        }, "every connection is somebody else's");
        Assert.False(await Reported(company, till, Leeds, stored[till.Id.Value] + 1, TimeSpan.FromSeconds(2)));
        await Until.True(async () => !await Reported(company, till, Leeds, stored[till.Id.Value] + 1, TimeSpan.FromMilliseconds(300)) && said.IsCompleted, "the log says what to do");

        foreach (var other in others)
            await other.DisposeAsync();

        foreach (var (machine, office) in new[] { (till, Leeds), (scale, York) })
        {
            await Until.True(() => Reported(company, machine, office, stored[machine.Id.Value] + 1, TimeSpan.FromSeconds(2)), $"{machine.Id}'s report is taken when it comes again", TimeSpan.FromSeconds(60));
            await ReadModelShows(async () => (await company.ReadModel.Device(machine.Id))?.Device.ReportedVersion == stored[machine.Id.Value] + 1, "the read model has followed");
            Assert.Equal(
                Enumerable.Range(1, (int)stored[machine.Id.Value] + 1).Select(n => (ulong)n),
                (await company.Events()).OfType<DeviceEventRecorded>().Where(e => e.DeviceId == machine.Id).Select(e => e.Number));
        }
    }

    // Until the server takes no more.
    private static async Task Fill(List<NpgsqlConnection> others, string database)
    {
        while (true)
        {
            var other = new NpgsqlConnection(database + ";Pooling=false;Application Name=other");
            try
            {
                await other.OpenAsync();
                others.Add(other);
            }
            catch (PostgresException full) when (full.SqlState == PostgresErrorCodes.TooManyConnections)
            {
                return;
            }
        }
    }

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<bool> Reported(TestCompany company, Machine machine, OfficeId office, ulong number, TimeSpan within)
    {
        try
        {
            var answer = await company.Cluster.Offices.Ask<DirectAnswer>(new TakeDirect(office, [new DeviceEnvelopeUp(machine.Id, machine.Seal(machine.Report(number, events: [number])), office)]), within);
            return answer.Items.OfType<DeviceEnvelopeDown>().Any(d => machine.OpenAck(d.Envelope).EventNumber == number);
        }
        catch (AskTimeoutException)
        {
            return false;
        }
    }

    [SkippableFact]
    public async Task An_event_that_is_committed_after_later_ones_still_reaches_the_read_model()
    {
        var options = await TestStorage.PostgresOptions();
        await using var company = await Start(options, 1000, Leeds);
        await company.Token(Leeds, JoinKind.Agent);
        await using var slow = new NpgsqlConnection(options.ConnectionString);
        await slow.OpenAsync();
        await using var transaction = await slow.BeginTransactionAsync();
        await using (var write = new NpgsqlCommand("""
            INSERT INTO fleet.journal (created, deleted, persistence_id, sequence_number, message, manifest, identifier, writer_uuid)
            SELECT created, false, 'office-late', 1, message, manifest, identifier, writer_uuid FROM fleet.journal WHERE manifest = 'token-created'
            """, slow))
            Assert.Equal(1, await write.ExecuteNonQueryAsync());

        await company.Token(Leeds, JoinKind.Agent);
        // The plugin has waited its time and handed on what is behind the gap.
        await Until.True(async () => await company.Run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fleet journal' AND query LIKE '%pg_locks%'") is > 0L, "the projection asks whether more may come");
        Assert.Equal(1, await Tokens());
        await transaction.CommitAsync();

        await ReadModelShows(async () => await Tokens() == 3, "all three events");

        async Task<int> Tokens() => (await company.ReadModel.OfficeEvents(Leeds, PageRequest.First)).Items.Count(e => e.Kind == "token-created");
    }

    [SkippableFact]
    public async Task Nodes_that_start_at_once_make_the_tables_once_and_hear_what_another_writes()
    {
        var options = await TestStorage.PostgresOptions();
        var nodes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TestStorage.On(options)));
        Assert.All(await Task.WhenAll(nodes.Select(n => n.Journal.Prepare())), Assert.Null);
        var (writer, reader) = (nodes[0].ReadModel, nodes[1].ReadModel);
        var at = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        // Each listener raises once when it begins to listen.
        await Until.True(() => reader.Changes.Count > 0, "the reader listens");
        var (seen, own) = (reader.Changes.Count, writer.Changes.Count);

        writer.Write(7, [new ProjectedRow { PersistenceId = "office-leeds", SequenceNr = 5 }], projection => projection.Apply(7, new OfficeOpened(Leeds, "Leeds", "test", at)));

        await reader.Changes.After(seen).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(7, await reader.Position());
        Assert.NotNull(await new ReadModelQueries(reader, TimeProvider.System).Office(Leeds));
        var progress = new ProjectionProgress(reader, TimeProvider.System);
        await Until.True(() => progress.Of("office-leeds") == 5, "the other node knows how far the read model is");
        Assert.InRange(writer.Changes.Count - own, 1, 2);
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [SkippableFact]
    public async Task What_keeps_a_node_from_its_database_is_said_with_what_to_do()
    {
        var options = await TestStorage.PostgresOptions();
        var right = new NpgsqlConnectionStringBuilder(options.ConnectionString);
        var server = await PrivatePostgres.Shared;
        await server.Execute("postgres", $"CREATE ROLE guest LOGIN PASSWORD '{server.Password}'");
        await server.Execute("postgres", "CREATE ROLE crowd LOGIN CONNECTION LIMIT 0 PASSWORD 'x'");

        await Said("password-file", p => p.Password = "wrong");
        await Said("createdb", p => p.Database = "nowhere");
        await Said("GRANT CREATE", p => p.Username = "guest");
        await Said("max-connections", p => (p.Username, p.Password) = ("crowd", "x"));
        await Said("can't be reached", p => p.Port = 1);
        await Said("can't be reached", p => p.Host = "nowhere.invalid");

        async Task Said(string advice, Action<NpgsqlConnectionStringBuilder> wrong)
        {
            var given = new NpgsqlConnectionStringBuilder(right.ToString());
            wrong(given);
            var waits = new List<string>();
            var database = new PostgresDatabase(options with { ConnectionString = given.ToString(), WaitForServer = TimeSpan.FromSeconds(1.5) }, waits.Add);
            var problem = await new JournalDatabase(database).Prepare();
            Assert.Contains(advice, problem, StringComparison.Ordinal);
            Assert.DoesNotContain(server.Password, problem, StringComparison.Ordinal);
            Assert.InRange(waits.Count, 0, 1);
            await Assert.ThrowsAsync<StorageException>(() => ReadModelStore.PostgreSql(database));
        }
    }

    [SkippableFact]
    public async Task A_start_waits_for_a_server_that_is_not_up_yet()
    {
        Skip.If(PrivatePostgres.Unable() is not null, PrivatePostgres.Unable());
        await using var server = await PrivatePostgres.Start();
        var options = new StorageOptions(StorageProvider.PostgreSql, await server.NewDatabase(), 20, TimeSpan.FromSeconds(30));
        await server.Stop();
        var waits = new TaskCompletionSource<string>();

        var starting = new JournalDatabase(new PostgresDatabase(options, waits.SetResult)).Prepare();
        Assert.Contains("Waiting", await waits.Task.WaitAsync(TimeSpan.FromSeconds(10)), StringComparison.Ordinal);
        await server.Run();

        Assert.Null(await starting);
    }
}
