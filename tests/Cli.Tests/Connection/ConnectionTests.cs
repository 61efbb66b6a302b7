using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Contracts.Identity;
using Fleet.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Fleet.Cli.Tests.Connection;

public sealed class ConnectionTests : IDisposable
{
    private static readonly StatusResource Status = new("1.2.3", DateTimeOffset.UnixEpoch, 1, 2, 2, 3, 3, 0, 1, 0, DateTimeOffset.MaxValue);

    private readonly TestTerminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public async Task Options_win_over_the_environment()
    {
        await using var api = await FakeApi.Start(Answering);
        _terminal.With("FLEET_URL", "https://127.0.0.1:1").With("FLEET_TOKEN", "nonsense");

        var ran = await _terminal.Run("status", "--json", "--url", api.Url, "--token", FakeApi.Token.ToText());

        Assert.Contains("1.2.3", ran.Done().Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_may_name_a_token_file()
    {
        await using var api = await FakeApi.Start(Answering);
        var file = Path.Combine(_terminal.Home, "admin.token");
        await File.WriteAllTextAsync(file, FakeApi.Token.ToText() + "\n");
        _terminal.With("FLEET_URL", api.Url).With("FLEET_TOKEN", "@" + file);

        (await _terminal.Run("status", "--json")).Done();
    }

    [Fact]
    public async Task A_login_is_kept_for_its_owner_alone_and_used_by_later_calls()
    {
        await using var api = await FakeApi.Start(Answering);

        (await _terminal.Run("login", "--url", api.Url, "--token", FakeApi.Token.ToText())).Done();
        (await _terminal.Run("status", "--json")).Done();

        var file = Path.Combine(_terminal.Config, "login.json");
        Assert.Contains(FakeApi.Token.ToText(), await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task A_login_that_headquarters_does_not_know_is_not_kept()
    {
        await using var api = await FakeApi.Start(Answering);

        var ran = await _terminal.Run("login", "--url", api.Url, "--token", AdminToken.Create(FakeApi.Authority.Pin).ToText());

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("does not know this token", ran.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_terminal.Config));
    }

    [Fact]
    public async Task A_server_of_another_CA_is_refused_before_it_learns_the_secret()
    {
        using var other = new TestAuthority();
        await using var impostor = await FakeApi.Start(Answering, other.Issue(PeerIdentity.Headquarters));

        var ran = await _terminal.Run("status", "--json", "--url", impostor.Url, "--token", FakeApi.Token.ToText());

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("not to be trusted", ran.Error, StringComparison.Ordinal);
        Assert.Empty(impostor.Asked);
    }

    [Fact]
    public async Task An_office_node_that_plays_headquarters_is_refused()
    {
        await using var node = await FakeApi.Start(Answering, FakeApi.Authority.Issue(PeerIdentity.Of(new NodeId("gw1.leeds"))));

        var ran = await _terminal.Run("status", "--json", "--url", node.Url, "--token", FakeApi.Token.ToText());

        Assert.Contains("it is node gw1.leeds, not headquarters", ran.Error, StringComparison.Ordinal);
        Assert.Empty(node.Asked);
    }

    [Fact]
    public async Task Where_nobody_listens_the_address_is_named()
    {
        var ran = await _terminal.Run("status", "--json", "--url", "https://127.0.0.1:1", "--token", FakeApi.Token.ToText());

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("can't be reached at 127.0.0.1:1", ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status", "--json")]
    [InlineData("status", "--json", "--url", "https://hq:8443")]
    [InlineData("status", "--json", "--url", "http://hq", "--token", "x")]
    [InlineData("status", "--json", "--url", "https://hq", "--token", "fleet1.leeds.x.y.z")]
    [InlineData("office", "add")]
    [InlineData("node", "show", "gw1")]
    [InlineData("node", "assign", "gw1.leeds", "--role", "king")]
    [InlineData("token", "create", "--office", "leeds", "--kind", "robot")]
    [InlineData("token", "create", "--office", "leeds", "--kind", "node", "--ttl", "soon")]
    [InlineData("token", "create", "--office", "leeds", "--kind", "node", "--uses", "0")]
    [InlineData("device", "label", "till-1", "room")]
    [InlineData("completion", "tcsh")]
    [InlineData("dance")]
    public async Task Wrong_usage_is_told_and_exits_with_two(params string[] args)
    {
        var ran = await _terminal.Run(args);

        Assert.Equal(ExitCode.Usage, ran.Code);
        Assert.NotEqual("", ran.Error + ran.Out);
    }

    [Fact]
    public async Task What_headquarters_refuses_is_told_with_its_code()
    {
        await using var api = await FakeApi.Start(host => host.MapPost("/api/v1/offices", () => TypedResults.Problem(
            detail: "there is an office leeds already", statusCode: 409, extensions: [new KeyValuePair<string, object?>("code", "AlreadyExists")])));

        var ran = await _terminal.Run("office", "add", "leeds", "--url", api.Url, "--token", FakeApi.Token.ToText());

        Assert.Equal((ExitCode.Failed, "", "there is an office leeds already (AlreadyExists)"), (ran.Code, ran.Out, ran.Error.Trim()));
    }

    [Fact]
    public async Task A_list_is_fetched_page_by_page()
    {
        await using var api = await FakeApi.Start(host => host.MapGet("/api/v1/offices", (string? after) => Page(after is null ? 0 : int.Parse(after, System.Globalization.CultureInfo.InvariantCulture))));

        var listed = (await _terminal.Run("office", "list", "--json", "--url", api.Url, "--token", FakeApi.Token.ToText())).Json();

        Assert.Equal(["o0", "o1", "o2", "o3", "o4"], listed.EnumerateArray().Select(o => o.GetProperty("id").GetString()));
        Assert.Equal(3, api.Asked.Count);
    }

    private static ListPage<OfficeResource> Page(int from) => new(
        [.. Enumerable.Range(from, Math.Min(2, 5 - from)).Select(n => new OfficeResource($"o{n}", $"Office {n}", DateTimeOffset.UnixEpoch, 0, 0, 0))],
        Total: 5,
        Next: from + 2 < 5 ? $"{from + 2}" : null);

    private static void Answering(WebApplication host) => host.MapGet("/api/v1/status", () => Status);
}
