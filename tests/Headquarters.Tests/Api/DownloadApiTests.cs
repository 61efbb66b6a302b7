using System.Net;
using System.Net.Http.Json;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;

namespace Fleet.Headquarters.Tests.Api;

public sealed class DownloadApiTests(TestFaces faces) : IClassFixture<TestFaces>
{
    private const string Tasks = "/api/v1/updates/tasks";

    [Fact]
    public async Task A_task_is_added_run_paused_resumed_changed_and_removed()
    {
        var added = await Put("nightly", new DownloadTaskContent([new DownloadSource("headquarters")], Schedule: "0 2 * * *", TimeZone: "Europe/London", SpreadSeconds: 3600, Uplink: [new UplinkLimit(6, 1_000_000)]));
        var run = await Post("nightly/run");
        var paused = await Post("nightly/pause");
        var resumed = await Post("nightly/resume");
        var changed = await Put("nightly", new DownloadTaskContent([new DownloadSource("/srv/updates"), new DownloadSource("https://cdn.example.org/fleet")]));

        Assert.Equal(("0 2 * * *", 3600.0, 0UL, false), (added.Schedule, added.SpreadSeconds, added.RunNumber, added.Paused));
        Assert.True(run.RunNumber > added.RunNumber);
        Assert.Equal((true, false), (paused.Paused, resumed.Paused));
        Assert.Equal(("on-change", "UTC", run.RunNumber), (changed.Schedule, changed.TimeZone, changed.RunNumber));
        Assert.Equal(["/srv/updates", "https://cdn.example.org/fleet"], changed.Sources.Select(s => s.From));
        Assert.Empty((await faces.Get($"{Tasks}/nightly/nodes", ApiJson.Default.ListPageDownloadNodeResource)).Items);
        using var removed = await faces.Api.DeleteAsync($"{Tasks}/nightly");
        using var gone = await faces.Api.GetAsync($"{Tasks}/nightly");
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (removed.StatusCode, gone.StatusCode));
    }

    [Fact]
    public async Task A_sources_password_is_in_no_answer()
    {
        var added = await Put("vendor", new DownloadTaskContent([new DownloadSource("https://cdn.example.org/fleet", "http://proxy:3128", "shop", "secret", new string('a', 64))]));

        Assert.Equal(("shop", null, "http://proxy:3128", new string('a', 64)), (added.Sources[0].User, added.Sources[0].Password, added.Sources[0].Proxy, added.Sources[0].Pin));
    }

    [Fact]
    public async Task A_package_may_not_be_called_as_the_tasks_are_listed()
    {
        using var refused = await faces.Api.PostAsJsonAsync("/api/v1/updates", new NewUpdate("tasks", "1.0", "archive", []), ApiJson.Default.NewUpdate);

        Assert.Contains("another name", (await TestFaces.Problem(refused)).Detail, StringComparison.Ordinal);
    }

    private async Task<DownloadTaskResource> Put(string name, DownloadTaskContent content)
    {
        using var response = await faces.Api.PutAsJsonAsync($"{Tasks}/{name}", content, ApiJson.Default.DownloadTaskContent);
        return await Read(response);
    }

    private async Task<DownloadTaskResource> Post(string path)
    {
        using var response = await faces.Api.PostAsync($"{Tasks}/{path}", null);
        return await Read(response);
    }

    private static async Task<DownloadTaskResource> Read(HttpResponseMessage response)
    {
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync(ApiJson.Default.DownloadTaskResource))!;
    }
}
