using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;
using Fleet.Messages.Transport;
using Fleet.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Headquarters.Tests.Monitoring;

/// <summary>A whole headquarters node as a watcher sees it.</summary>
public sealed class MonitoringTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-watch-").FullName;
    private readonly HttpClient _http = new();

    public void Dispose()
    {
        _http.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Metrics_tell_of_this_node_alone_where_two_run_in_one_process()
    {
        await using var one = await Start("one");
        await using var other = await Start("other");
        await AddOffice(one, "leeds");

        // Spoken to by Prometheus' own rules: a gauge keeps its name, a counter ends in _total, a time in _seconds.
        await Until.True(async () => (await Metrics(one)).Any(l => l.StartsWith("fleet_offices", StringComparison.Ordinal) && Value(l) == 1), "the office's twin counts");

        var here = await Metrics(one);
        Assert.Contains(here, l => l.StartsWith("fleet_journal_events_total", StringComparison.Ordinal) && Value(l) > 0);
        Assert.Contains(here, l => l.StartsWith("fleet_journal_write_duration_seconds_count", StringComparison.Ordinal) && Value(l) > 0);
        Assert.Contains(here, l => l.StartsWith("fleet_cluster_members", StringComparison.Ordinal) && l.Contains("status=\"up\"", StringComparison.Ordinal) && Value(l) == 1);
        Assert.Contains(here, l => l.StartsWith("dotnet_process_cpu_time", StringComparison.Ordinal));
        Assert.Contains(await Metrics(other), l => l.StartsWith("fleet_offices", StringComparison.Ordinal) && Value(l) == 0);
    }

    [Fact]
    public async Task A_node_that_serves_is_live_and_ready()
    {
        await using var node = await Start("one");

        var (live, _) = await Health(node, "live");
        var (ready, answer) = await Health(node, "ready");

        Assert.Equal(HttpStatusCode.OK, live);
        Assert.Equal(HttpStatusCode.OK, ready);
        Assert.Equal("fine", answer.GetProperty("status").GetString());
        Assert.Equal(["cluster", "draining", "clocks", "links", "journal", "read-model", "overload"], answer.GetProperty("checks").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task A_node_without_its_read_model_is_live_but_not_ready_and_says_why()
    {
        await using var node = await Start("one");
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        await using (var breaking = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_directory, "one", "read-model.db")}"))
        {
            await breaking.OpenAsync();
            await using var drop = breaking.CreateCommand();
            drop.CommandText = "DROP TABLE projection";
            await drop.ExecuteNonQueryAsync();
        }

        var (live, _) = await Health(node, "live");
        var (ready, answer) = await Health(node, "ready");

        Assert.Equal(HttpStatusCode.OK, live);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready);
        var failed = Assert.Single(answer.GetProperty("checks").EnumerateArray(), c => c.GetProperty("status").GetString() == "failed");
        Assert.Equal("read-model", failed.GetProperty("name").GetString());
        Assert.Contains("projection", failed.GetProperty("why").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_wants_no_port_gets_none()
    {
        await using var node = await Start("one", "metrics.listen=off");

        Assert.Null(node.Monitoring);
    }

    [Fact]
    public async Task A_node_whose_journal_stands_still_says_so_puts_lists_off_and_loses_nothing()
    {
        await using var node = await Start("one", "overload.journal-write=500ms");
        using var client = Client(node);
        await AddOffice(node, "leeds");
        await using var holding = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_directory, "one", "journal.db")};Pooling=false");
        await holding.OpenAsync();
        await Run(holding, "BEGIN IMMEDIATE");

        // Whether it is acknowledged depends on how long its caller waits: it is kept in either case.
        var order = client.PostAsJsonAsync("/api/v1/offices", new NewOffice("york"));
        await Until.True(async () => (await OverloadOf(node)).Contains("the journal takes", StringComparison.Ordinal), "the node says that it is overloaded", TimeSpan.FromSeconds(30));
        using (var list = await client.GetAsync("/api/v1/devices"))
        using (var status = await client.GetAsync("/api/v1/status"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, list.StatusCode);
            Assert.NotNull(list.Headers.RetryAfter);
            Assert.Equal(HttpStatusCode.OK, status.StatusCode);
        }

        await Run(holding, "ROLLBACK");
        (await order).Dispose();
        await Until.True(async () => (await OverloadOf(node)).Length == 0, "it is at ease again", TimeSpan.FromSeconds(60));
        await Until.True(async () => (await client.GetStringAsync("/api/v1/offices")).Contains("york", StringComparison.Ordinal), "the office is shown");
    }

    [Fact]
    public async Task A_node_whose_read_model_stands_still_says_so_and_serves_lists()
    {
        await using var node = await Start("one", "overload.shown-late=1s");
        using var client = Client(node);
        await AddOffice(node, "leeds");
        await using var holding = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_directory, "one", "read-model.db")};Pooling=false");
        await holding.OpenAsync();
        await Run(holding, "BEGIN IMMEDIATE");

        (await client.PostAsJsonAsync("/api/v1/offices", new NewOffice("york"))).Dispose();
        await Until.True(async () => (await OverloadOf(node)).Contains("behind the journal; put off: reports", StringComparison.Ordinal), "the node says that it shows late", TimeSpan.FromSeconds(30));
        using (var list = await client.GetAsync("/api/v1/devices"))
            Assert.Equal(HttpStatusCode.OK, list.StatusCode);

        await Run(holding, "ROLLBACK");
        await Until.True(async () => (await OverloadOf(node)).Length == 0, "it is at ease again", TimeSpan.FromSeconds(60));
    }

    private Task<HeadquartersNode> Start(string name, params string[] more) => HeadquartersNode.Start(
        Path.Combine(_directory, name), HeadquartersOptions.Load(null, [.. HeadquartersNodeTests.AnyPorts, .. more]), new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance);

    private static HttpClient Client(HeadquartersNode node) => TestFaces.Client(new Uri($"https://127.0.0.1:{node.Web.Port}"), File.ReadAllText(node.AdminTokenFile).Split('.')[1]);

    private static async Task Run(Microsoft.Data.Sqlite.SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Why it is overloaded; empty: it is not.</summary>
    private async Task<string> OverloadOf(HeadquartersNode node) =>
        (await Health(node, "ready")).Answer.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "overload") is var check && check.TryGetProperty("why", out var why) ? why.GetString() ?? "" : "";

    private static async Task AddOffice(HeadquartersNode node, string office)
    {
        using var client = Client(node);
        using var answer = await client.PostAsJsonAsync("/api/v1/offices", new NewOffice(office));
        answer.EnsureSuccessStatusCode();
    }

    private async Task<string[]> Metrics(HeadquartersNode node) => (await _http.GetStringAsync($"http://{node.Monitoring}/metrics")).Split('\n');

    private async Task<(HttpStatusCode Status, JsonElement Answer)> Health(HeadquartersNode node, string which)
    {
        using var answer = await _http.GetAsync($"http://{node.Monitoring}/health/{which}");
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
    }

    private static double Value(string line)
    {
        var parts = line.Split('}')[^1].Trim().Split(' ');
        return double.Parse(line.Contains('}', StringComparison.Ordinal) ? parts[0] : parts[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
