using System.Net;
using System.Net.Sockets;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Tests.Web;
using Fleet.Messages.Settings;
using Fleet.Messages.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Headquarters.Tests;

public sealed class HeadquartersNodeTests : IDisposable
{
    internal static readonly string[] AnyPorts = ["web.bind=127.0.0.1", "web.port=0", "cluster.port=0", "gateway.bind=127.0.0.1", "gateway.port=0", "push.bind=127.0.0.1", "push.port=0", "links.bind=127.0.0.1", "links.port=0", "updates.bind=127.0.0.1", "updates.port=0", "metrics.port=0"];

    private readonly string _directory = Directory.CreateTempSubdirectory("fleet-node-").FullName;

    private string Data => Path.Combine(_directory, "hq");

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task The_first_start_makes_an_administrator_token_that_only_its_owner_can_read()
    {
        await using var node = await Start(Data);

        Assert.Equal(Path.Combine(Data, "admin.token"), node.AdminTokenFile);
        Assert.StartsWith("fleetadmin1.", File.ReadAllText(node.AdminTokenFile), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(node.AdminTokenFile));
    }

    [Fact]
    public async Task The_token_itself_is_kept_nowhere_else()
    {
        await using (await Start(Data))
        {
        }

        var secret = File.ReadAllText(Path.Combine(Data, "admin.token")).Split('.')[1];
        File.Delete(Path.Combine(Data, "admin.token"));

        foreach (var file in Directory.EnumerateFiles(Data, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(secret, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restart_keeps_identity_and_token()
    {
        await using (await Start(Data))
        {
        }

        var token = File.ReadAllText(Path.Combine(Data, "admin.token"));
        await using var again = await Start(Data);

        Assert.Equal(token, File.ReadAllText(again.AdminTokenFile));
        using var client = TestFaces.Client(new Uri($"https://127.0.0.1:{again.Web.Port}"), token.Split('.')[1]);
        using var status = await client.GetAsync("/api/v1/status");
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
    }

    [Fact]
    public async Task Several_nodes_run_in_one_process()
    {
        await using var one = await Start(Data);
        await using var other = await Start(Path.Combine(_directory, "other"));

        Assert.NotEqual(one.Web.Port, other.Web.Port);
    }

    [Fact]
    public async Task A_directory_in_use_is_refused_and_its_owner_not_disturbed()
    {
        await using var owner = await Start(Data);

        var refused = await Assert.ThrowsAsync<StorageException>(() => Start(Data));

        Assert.Contains("in use by another process", refused.Message, StringComparison.Ordinal);
        using var client = TestFaces.Client(new Uri($"https://127.0.0.1:{owner.Web.Port}"), File.ReadAllText(owner.AdminTokenFile).Split('.')[1]);
        using var status = await client.GetAsync("/api/v1/status");
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
    }

    [Theory]
    [InlineData("""{"kind":"office","format":1,"id":"x"}""", "kind 'office'")]
    [InlineData("""{"kind":"headquarters","format":99,"id":"x"}""", "newer version")]
    [InlineData("nonsense", "damaged")]
    public async Task A_foreign_or_newer_directory_is_refused_and_left_alone(string marker, string why)
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "fleet-data.json"), marker);
        File.WriteAllText(Path.Combine(Data, "precious"), "unharmed");

        var refused = await Assert.ThrowsAsync<StorageException>(() => Start(Data));

        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.Equal((marker, "unharmed"), (File.ReadAllText(Path.Combine(Data, "fleet-data.json")), File.ReadAllText(Path.Combine(Data, "precious"))));
        Assert.False(File.Exists(Path.Combine(Data, "admin.token")));
    }

    [Theory]
    [InlineData("web.port")]
    [InlineData("metrics.port")]
    [InlineData("cluster.port")]
    [InlineData("links.port")]
    [InlineData("gateway.port")]
    [InlineData("push.port")]
    [InlineData("updates.port")]
    public async Task A_port_in_use_is_told_with_the_setting_that_names_it_and_the_next_start_works(string setting)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var refused = await Assert.ThrowsAsync<IOException>(() => Start(Data, $"{setting}={((IPEndPoint)taken.LocalEndpoint).Port}"));

        Assert.Contains($"fleet.{setting}", refused.Message, StringComparison.Ordinal);
        await using var next = await Start(Data);
    }

    [Theory]
    [InlineData("read-model.db", "rebuild-read-model")]
    [InlineData("journal.db", "backup")]
    public async Task A_damaged_database_is_told_with_what_to_do_and_left_as_it_was(string file, string advice)
    {
        await using (await Start(Data))
        {
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        var damaged = Path.Combine(Data, file);
        File.WriteAllText(damaged, "no database at all, and longer than a header of SQLite, which has a hundred bytes in all, of which sixteen are the magic.");
        var before = await File.ReadAllBytesAsync(damaged);

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => Start(Data));

        Assert.True(refused is StorageException or Fleet.Headquarters.Storage.JournalRefusedException, refused.ToString());
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        Assert.Contains(advice, refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(damaged));
    }

    [Fact]
    public void Every_mistake_in_the_settings_is_told_at_once()
    {
        var refused = Assert.Throws<SettingsException>(() => HeadquartersOptions.Load(null, ["web.port=99999", "offices.sync-interval=soon", "log.level=loud", "web.prot=1"]));

        foreach (var key in (string[])["fleet.web.port", "fleet.offices.sync-interval", "fleet.log.level", "fleet.web.prot"])
            Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_poller_must_not_be_replaced_before_it_knows_that_its_link_is_lost()
    {
        var refused = Assert.Throws<SettingsException>(() => HeadquartersOptions.Load(null, ["discovery.move-poller-after=54s"]));

        Assert.Contains("fleet.discovery.move-poller-after", refused.Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(55), HeadquartersOptions.Load(null, ["discovery.move-poller-after=55s"]).Offices.Discovery.MovePollerAfter);
    }

    [Theory]
    [InlineData("storage.provider=mysql", "fleet.storage.provider")]
    [InlineData("storage.connection-string=Host=db.example", "fleet.storage.connection-string")]
    [InlineData("storage.connection-string=Hots=db.example;Database=fleet", "fleet.storage.connection-string")]
    [InlineData("storage.password-file=/nowhere/password", "fleet.storage.password-file")]
    public void A_mistake_in_the_storage_is_told(string set, string key)
    {
        var refused = Assert.Throws<SettingsException>(() => HeadquartersOptions.Load(null, ["storage.provider=postgresql", "storage.connection-string=Host=db.example;Database=fleet", set]));

        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_headquarters_on_PostgreSQL_keeps_no_journal_in_its_data_directory()
    {
        var storage = await TestStorage.PostgresOptions();
        var password = Path.Combine(_directory, "password");
        await File.WriteAllTextAsync(password, (await Fleet.TestSupport.PrivatePostgres.Shared).Password + "\n");
        string[] sets = ["storage.provider=postgresql", $"storage.connection-string={new Npgsql.NpgsqlConnectionStringBuilder(storage.ConnectionString) { Password = null }}", $"storage.password-file={password}"];
        await using (var node = await Start(Data, sets))
        {
            using var client = TestFaces.Client(new Uri($"https://127.0.0.1:{node.Web.Port}"), File.ReadAllText(node.AdminTokenFile).Split('.')[1]);
            using var added = await client.PostAsync("/api/v1/offices", new StringContent("{\"id\":\"leeds\"}", System.Text.Encoding.UTF8, "application/json"));
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        }

        Assert.DoesNotContain(Directory.GetFiles(Data), f => f.EndsWith(".db", StringComparison.Ordinal));
        await using var again = await Start(Data, sets);
        using var api = TestFaces.Client(new Uri($"https://127.0.0.1:{again.Web.Port}"), File.ReadAllText(again.AdminTokenFile).Split('.')[1]);
        Assert.Contains("leeds", await api.GetStringAsync("/api/v1/offices"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_read_model_is_rebuilt_and_nothing_is_lost()
    {
        await using (var node = await Start(Data))
        {
            using var client = TestFaces.Client(new Uri($"https://127.0.0.1:{node.Web.Port}"), File.ReadAllText(node.AdminTokenFile).Split('.')[1]);
            using var added = await client.PostAsync("/api/v1/offices", new StringContent("{\"id\":\"leeds\"}", System.Text.Encoding.UTF8, "application/json"));
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        }

        await HeadquartersNode.RebuildReadModel(Data, Options(), new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance);

        await using var again = await Start(Data);
        using var api = TestFaces.Client(new Uri($"https://127.0.0.1:{again.Web.Port}"), File.ReadAllText(again.AdminTokenFile).Split('.')[1]);
        Assert.Contains("leeds", await api.GetStringAsync("/api/v1/offices"), StringComparison.Ordinal);
    }

    private static HeadquartersOptions Options(params string[] sets) => HeadquartersOptions.Load(null, [.. AnyPorts, .. sets]);

    private static Task<HeadquartersNode> Start(string data, params string[] sets) =>
        HeadquartersNode.Start(data, Options(sets), new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance);
}
