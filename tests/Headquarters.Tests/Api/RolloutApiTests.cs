using System.Net;
using System.Text;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;

namespace Fleet.Headquarters.Tests.Api;

public sealed class RolloutApiTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Theory]
    [InlineData("{}", "package and version are missing")]
    [InlineData("{\"package\":\"tills\",\"version\":\"1\",\"rings\":[null]}", "a ring without a name")]
    [InlineData("{\"package\":\"tills\",\"version\":\"1\",\"for\":{\"labels\":{\"a\":null}}}", "a label without a value")]
    [InlineData("{\"package\":\"tills\",\"version\":\"1\",\"parameters\":{\"window\":null}}", "a parameter without a value")]
    [InlineData("{\"package\":\"tills\",\"version\":\"1\"}", "tills 1 is not published")]
    public async Task A_wrong_rollout_is_refused_with_what_is_wrong(string json, string detail)
    {
        using var response = await faces.Api.PostAsync("/api/v1/rollouts", new StringContent(json, Encoding.UTF8, "application/json"));

        Assert.Contains(detail, (await TestFaces.Problem(response)).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/rollouts/none")]
    [InlineData("/api/v1/rollouts/none/devices")]
    [InlineData("/api/v1/devices/none/packages")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        using var response = await faces.Api.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, (await TestFaces.Problem(response)).Status);
    }

    [Fact]
    public async Task Where_there_are_none_the_list_is_empty()
    {
        Assert.Empty((await faces.Get("/api/v1/rollouts?open=true&package=tills", ApiJson.Default.ListPageRolloutResource)).Items);
        Assert.Empty((await faces.Get("/api/v1/updates/counters?office=leeds", ApiJson.Default.ListPageCounterResource)).Items);
    }
}
