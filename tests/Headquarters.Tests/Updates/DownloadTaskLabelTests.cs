using System.Net.Http.Json;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Headquarters.Tests.Web;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Headquarters.Tests.Updates;

/// <summary>A task that picks distribution points by the labels of their own devices, from the API to what each is told.</summary>
public sealed class DownloadTaskLabelTests(TestFaces faces) : IClassFixture<TestFaces>
{
    private const string Task = "/api/v1/updates/tasks/by-post";

    [Fact]
    public async Task A_distribution_point_is_told_of_a_task_while_its_device_has_the_labels_and_is_shown_with_it_only_then()
    {
        var office = new OfficeId("filey");
        await faces.AddOffice(office.Value);
        var poor = await Point(office, "gw1");
        var rich = await Point(office, "gw2");
        await faces.Company.Company(new NoteRepository(new byte[] { 1 }, 1));

        await Put(new DownloadTaskContent([new DownloadSource("/media/updates")], Labels: new Dictionary<string, string> { ["line"] = "poor" }));
        await rich.Down<NodeDesired>(d => d.Updates is { Timestamp: 1, Tasks.Count: 0 });
        Assert.Empty(await Shown());
        await Label(poor, set: new() { ["line"] = "poor" });
        var told = await poor.Down<NodeDesired>(d => d.Updates?.Tasks.Count == 1);
        await TestCompany.ReadModelShows(async () => (await Shown()).SequenceEqual([poor.Id.Value]), "the labelled node alone with the task");
        var page = await Page();
        await rich.Send();
        await Label(poor, set: new() { ["line"] = "good" });
        await poor.Down<NodeDesired>(d => d.Updates?.Tasks.Count == 0);
        await TestCompany.ReadModelShows(async () => (await Shown()).Count == 0, "no node with the task");

        Assert.Equal("by-post", told.Updates!.Tasks[0].Name);
        Assert.Contains("line=poor", page, StringComparison.Ordinal);
        Assert.Contains("1 unknown", page, StringComparison.Ordinal);
        // Another point's labels change nothing of what this one is told.
        Assert.DoesNotContain(await rich.Send(), item => item is NodeDesired);
    }

    private async Task<LinkedNode> Point(OfficeId office, string name)
    {
        var node = await LinkedNode.Join(faces.Company, new TestKit(faces.Company.System).CreateTestProbe(), office, name);
        await faces.Company.Office(new AssignRoles(office, node.Id, [NodeRole.DistributionPoint], [], "test"));
        return node;
    }

    private async Task Label(LinkedNode node, Dictionary<string, string> set) =>
        Assert.IsType<OfficeAccepted>(await faces.Company.Office(new LabelDevice(node.Id.Office, node.Machine.Id, set, [], "test")));

    private async Task Put(DownloadTaskContent content)
    {
        using var response = await faces.Api.PutAsJsonAsync(Task, content, ApiJson.Default.DownloadTaskContent);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.Equal(content.Labels, (await response.Content.ReadFromJsonAsync(ApiJson.Default.DownloadTaskResource))!.Labels);
    }

    private async Task<List<string>> Shown() => [.. (await faces.Get($"{Task}/nodes", ApiJson.Default.ListPageDownloadNodeResource)).Items.Select(n => n.Node)];

    private async Task<string> Page()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);
        using var login = await TestFaces.LogIn(client, faces.Token.ToText());
        return await client.GetStringAsync("/rollouts");
    }
}
