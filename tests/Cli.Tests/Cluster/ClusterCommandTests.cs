using Fleet.Contracts.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Fleet.Cli.Tests.Cluster;

public sealed class ClusterCommandTests : IDisposable
{
    private static readonly ClusterNodeResource One = new("hq1:13002", "up", Oldest: true, Self: true, "0.1.0", DateTimeOffset.UtcNow.AddHours(-5), 40, 51, 300_000_000, 0.25, 0, Overload: null);
    private static readonly ClusterNodeResource Two = new("hq2:13002", "up", Oldest: false, Self: false, "0.1.0", DateTimeOffset.UtcNow.AddHours(-2), 30, 49, 300_000_000, 0.25, 7.5, "the journal is late");

    private readonly TestTerminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public async Task Status_says_which_node_answers_which_is_the_oldest_and_what_ails_one()
    {
        await using var api = await Api([One, Two], []);

        var shown = (await Run(api, "cluster", "status")).Done().Out;

        Assert.Contains("answers here; oldest: company and projection run here", shown, StringComparison.Ordinal);
        Assert.Contains("overloaded: the journal is late; clock 7.5 s ahead: set it by NTP", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Join_says_what_to_run_on_the_new_machine()
    {
        await using var api = await Api([One], []);

        var shown = (await Run(api, "cluster", "join")).Done().Out;

        Assert.Contains($"headquarters join --data /var/lib/fleet-hq --from {new Uri(api.Url).Authority} --invitation fleetadmin1.secret", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drain_tells_how_far_it_is_and_waits_for_the_end()
    {
        await using var api = await Api([One, Two], [Draining(30, 49), Draining(30, 20), Draining(4, 3), null]);

        var ran = (await Run(api, "cluster", "drain", Two.Address)).Done();

        Assert.Equal(["hq2:13002: draining, 30 links and 49 offices left", "hq2:13002: draining, 4 links and 3 offices left"], ran.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        Assert.Contains("hq2:13002 has stopped; its 49 offices and 30 links are with the others", ran.Out, StringComparison.Ordinal);
        Assert.Contains("POST /api/v1/cluster/nodes/hq2:13002/drain", api.Asked.Select(Uri.UnescapeDataString));
    }

    [Fact]
    public async Task Who_drains_the_node_that_answers_is_told_to_look_elsewhere()
    {
        await using var api = await Api([One, Two], []);

        var ran = (await Run(api, "cluster", "drain", One.Address)).Done();

        Assert.Contains("look at another node's 'fleet cluster status'", ran.Error, StringComparison.Ordinal);
        Assert.Contains("gives its work to the others and stops", ran.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_there_is_not_is_not_drained()
    {
        await using var api = await Api([One, Two], []);

        var ran = await Run(api, "cluster", "drain", "hq3:13002");

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("headquarters has no node hq3:13002; see: fleet cluster status", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(api.Asked, a => a.StartsWith("POST", StringComparison.Ordinal));
    }

    private static ClusterNodeResource Draining(int links, int offices) => Two with { Status = "draining", Links = links, Offices = offices };

    /// <param name="drained">The other node at each look after it was told to drain; null: it is gone.</param>
    private static Task<FakeApi> Api(ClusterNodeResource[] nodes, ClusterNodeResource?[] drained)
    {
        var looks = -1;
        return FakeApi.Start(host =>
        {
            host.MapGet("/api/v1/cluster/nodes", () =>
            {
                var look = looks < 0 ? -1 : looks++;
                IReadOnlyList<ClusterNodeResource> seen = look < 0 || drained.Length == 0 ? nodes : [One, .. new[] { drained[Math.Min(look, drained.Length - 1)] }.OfType<ClusterNodeResource>()];
                return TypedResults.Ok(new ListPage<ClusterNodeResource>(seen, seen.Count, null));
            });
            host.MapPost("/api/v1/cluster/invitations", () => TypedResults.Ok(new ClusterInvitationResource("fleetadmin1.secret", DateTimeOffset.UtcNow.AddMinutes(15))));
            host.MapPost("/api/v1/cluster/nodes/{address}/drain", (string address) =>
            {
                looks = 0;
                return TypedResults.Accepted((string?)null);
            });
        });
    }

    private Task<Ran> Run(FakeApi api, params string[] args) => _terminal.Run([.. args, "--url", api.Url, "--token", FakeApi.Token.ToText()]);
}
