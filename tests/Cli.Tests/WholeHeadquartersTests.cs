using Fleet.Contracts;
using Fleet.Headquarters;
using Fleet.Messages.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fleet.Cli.Tests;

/// <summary>The commands against a whole headquarters in this process.</summary>
public sealed class WholeHeadquartersTests : IAsyncLifetime
{
    private readonly TestTerminal _terminal = new();
    private HeadquartersNode _node = null!;

    public async Task InitializeAsync()
    {
        var options = HeadquartersOptions.Load(null, ["web.bind=127.0.0.1", "web.port=0", "cluster.port=0", "gateway.bind=127.0.0.1", "gateway.port=0", "push.bind=127.0.0.1", "push.port=0", "links.bind=127.0.0.1", "links.port=0", "updates.bind=127.0.0.1", "updates.port=0"]);
        _node = await HeadquartersNode.Start(Path.Combine(_terminal.Home, "hq"), options, new TcpNetwork(), TimeProvider.System, NullLoggerFactory.Instance);
        _terminal.With("FLEET_URL", $"https://127.0.0.1:{_node.Web.Port}").With("FLEET_TOKEN", "@" + _node.AdminTokenFile);
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _terminal.Dispose();
    }

    [Fact]
    public async Task An_operator_opens_an_office_and_lets_its_first_node_in()
    {
        Assert.Contains("fleet office add", (await _terminal.Run("office", "list")).Done().Error, StringComparison.Ordinal);

        Assert.Contains("fleet token create --office leeds", (await _terminal.Run("office", "add", "leeds", "--title", "Leeds, Park Row")).Done().Out, StringComparison.Ordinal);
        var token = (await _terminal.Run("token", "create", "--office", "leeds", "--kind", "node", "--ttl", "1h")).Done();
        var status = (await _terminal.Run("status", "--json")).Json();

        Assert.True(JoinToken.TryParse(token.Out, out var join, out var problem), problem);
        Assert.Equal("leeds", join!.Office.Value);
        Assert.Contains(join.Id.Value, (await _terminal.Run("token", "list")).Done().Out, StringComparison.Ordinal);
        Assert.Equal(1, status.GetProperty("offices").GetInt32());
    }

    [Fact]
    public async Task A_policy_is_applied_shown_and_removed()
    {
        var file = Path.Combine(_terminal.Home, "shops.yaml");
        await File.WriteAllTextAsync(file, "name: shops\nsettings:\n  sync.interval: 30s\n");

        var first = (await _terminal.Run("policy", "apply", file, "--json")).Json();
        var again = (await _terminal.Run("policy", "apply", file, "--json")).Json();
        var shown = (await _terminal.Run("policy", "show", "shops", "--json")).Json();
        (await _terminal.Run("policy", "remove", "shops")).Done();

        Assert.Equal((1, true), (first.GetProperty("version").GetInt32(), first.GetProperty("changed").GetBoolean()));
        Assert.Equal((1, false), (again.GetProperty("version").GetInt32(), again.GetProperty("changed").GetBoolean()));
        Assert.Equal("30s", shown.GetProperty("settings").GetProperty("sync.interval").GetString());
        Assert.Equal(0, (await _terminal.Run("policy", "list", "--json")).Json().GetArrayLength());
    }

    [Fact]
    public async Task A_policy_that_headquarters_refuses_changes_nothing()
    {
        var file = Path.Combine(_terminal.Home, "wrong.yaml");
        await File.WriteAllTextAsync(file, "name: wrong\nsettings:\n  sync.interval: soon\n");

        var ran = await _terminal.Run("policy", "apply", file);

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("sync.interval must be a duration", ran.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await _terminal.Run("policy", "list", "--json")).Json().GetArrayLength());
    }

    [Fact]
    public async Task What_is_not_there_is_refused_by_name()
    {
        foreach (var args in (string[][])[["office", "show", "atlantis"], ["office", "remove", "atlantis"], ["node", "show", "gw1.atlantis"], ["node", "assign", "gw1.atlantis", "--role", "gateway"],
            ["device", "show", "nobody"], ["token", "revoke", "t-none"], ["policy", "show", "none"]])
        {
            var ran = await _terminal.Run(args);

            Assert.Equal(ExitCode.Failed, ran.Code);
            Assert.Contains(args[2].Split('.')[^1], ran.Error, StringComparison.Ordinal);
        }
    }
}
