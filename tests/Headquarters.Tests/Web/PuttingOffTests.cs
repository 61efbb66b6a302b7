using System.Net;
using System.Text.Json;
using Fleet.Headquarters.Web;
using Fleet.Messages.Admission;

namespace Fleet.Headquarters.Tests.Web;

public sealed class PuttingOffTests(TestFaces faces) : IClassFixture<TestFaces>, IDisposable
{
    public void Dispose() => faces.Company.Overload.Set(OverloadStand.None);

    [Theory]
    [InlineData("GET", "/api/v1/devices", true)]
    [InlineData("GET", "/api/v1/offices", true)]
    [InlineData("GET", "/", true)]
    [InlineData("GET", "/discovered", true)]
    [InlineData("GET", "/api/v1/devices/till-4", false)]
    [InlineData("GET", "/api/v1/status", false)]
    [InlineData("GET", "/api/v1/incidents", false)]
    [InlineData("GET", "/api/v1/cluster/nodes", false)]
    [InlineData("POST", "/api/v1/offices", false)]
    [InlineData("POST", "/api/v1/devices/till-4/wake", false)]
    [InlineData("GET", "/login", false)]
    public void Lists_wait_and_nothing_else(string method, string path, bool waits) => Assert.Equal(waits, PuttingOff.IsList(method, path));

    [Fact]
    public async Task Who_asks_for_a_list_is_told_why_not_and_when_to_ask_again()
    {
        faces.Company.Overload.Set(OverloadStand.None with { Level = (int)Deferrable.Lists, Why = "the journal takes 7 s for a write" });

        using var list = await faces.Api.GetAsync("/api/v1/devices");
        using var status = await faces.Api.GetAsync("/api/v1/status");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, list.StatusCode);
        Assert.InRange(list.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        var problem = JsonDocument.Parse(await list.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal("Busy", problem.GetProperty("code").GetString());
        Assert.Contains("the journal takes 7 s", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
    }
}
