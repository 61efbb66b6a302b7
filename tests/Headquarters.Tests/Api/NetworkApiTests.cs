using System.Net;
using System.Net.Http.Json;
using Akka.TestKit.Xunit2;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Headquarters.Tests.Web;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using static Fleet.Headquarters.Tests.Discovery.NetworkSituation;

namespace Fleet.Headquarters.Tests.Api;

public sealed class NetworkApiTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Fact]
    public async Task A_poll_is_begun_shown_and_cancelled()
    {
        var node = await Poller("leeds-1");

        var poll = await faces.Post("/api/v1/polls", new NewPoll("leeds-1", "ip-range", "quick", ["10.1.0.0/24"]), ApiJson.Default.NewPoll, ApiJson.Default.PollResource);
        var cancelled = faces.Api.PostAsync($"/api/v1/polls/{poll.Id}/cancel", null);
        await node.Down<CancelPoll>();
        await node.Send(new PollEnded(new PollId(poll.Id), PollMethod.IpRange, false, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, PollOutcome.Cancelled, "by an operator", 10, 1, 20, []));
        using var response = await cancelled;
        var ended = await response.Content.ReadFromJsonAsync(ApiJson.Default.PollResource);

        Assert.Equal(("running", "quick", "ip-range", "10.1.0.0/24"), (poll.State, poll.Kind, poll.Method, poll.Ranges));
        Assert.Equal(("cancelled", 10, 1), (ended!.State, ended.Done, ended.Found));
        Assert.Equal("cancelled", Assert.Single((await faces.Get("/api/v1/polls?office=leeds-1&running=false", ApiJson.Default.ListPagePollResource)).Items).State);
    }

    [Fact]
    public async Task A_schedule_has_defaults_is_changed_and_never_tells_a_password()
    {
        await faces.AddOffice("leeds-2");
        var before = await faces.Get("/api/v1/offices/leeds-2/poll-schedule", ApiJson.Default.PollScheduleResource);

        var after = await Put("leeds-2", "ldap", new PollMethodContent(FullEvery: "2h", PacketsPerSecond: 40,
            Directories: [new DirectoryContent("dc1.example", User: "svc@example", Password: "pa55word-of-ldap")]));
        var kept = await Put("leeds-2", "ldap", new PollMethodContent(FullEvery: "3h", Directories: [new DirectoryContent("dc1.example", User: "svc@example")]));

        Assert.Equal(["7h", "1h", "1h"], before.Methods.Select(m => m.FullEvery));
        Assert.Equal((40, "2h"), (after.PacketsPerSecond, after.Methods.Single(m => m.Method == "ldap").FullEvery));
        var directory = kept.Methods.Single(m => m.Method == "ldap").Directories.Single();
        Assert.Equal((636, "tls", true), (directory.Port, directory.Security, directory.HasPassword));
        Assert.DoesNotContain("pa55word", await faces.Api.GetStringAsync("/api/v1/offices/leeds-2/poll-schedule"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ip-rang", "did you mean ip-range?")]
    [InlineData("ip-range", "over a /16")]
    [InlineData("mdns", "ranges are for ip-range")]
    public async Task A_wrong_schedule_is_refused_with_what_to_do(string method, string detail)
    {
        await faces.AddOffice("leeds-3-" + method.Length + detail.Length);

        using var response = await faces.Api.PutAsJsonAsync($"/api/v1/offices/leeds-3-{method.Length}{detail.Length}/poll-schedule/{method}", new PollMethodContent(FullEvery: "1h", Ranges: ["10.0.0.0/8"]), ApiJson.Default.PollMethodContent);

        var problem = await TestFaces.Problem(response);
        Assert.Equal((HttpStatusCode.BadRequest, nameof(RefusalCode.Invalid)), (problem.Status, problem.Code));
        Assert.Contains(detail, problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Discovered_devices_are_filtered_sorted_paged_and_set_aside()
    {
        var node = await Poller("leeds-4");
        await node.Send(new PollProgress(new PollId("p-4"), PollMethod.IpRange, true, DateTimeOffset.UtcNow, 0, 0, 0, 0));
        await node.Send(new Sightings(new PollId("p-4"), PollMethod.IpRange,
        [
            Seen(PrinterMac, "192.168.4.20", "printer", services: new SeenService(631, "tcp", "ipp")),
            Seen("52:54:00:00:04:02", "192.168.4.21", "camera"),
            Seen("52:54:00:00:04:03", "192.168.4.22", "scanner"),
        ]));
        await Until.True(async () => (await List("")).Total == 3, "three devices");

        var printer = (await List("&text=Brother")).Items.Single();
        var pages = new[] { await List("&sort=-name&page-size=2"), await List("&sort=-name&page-size=2&after=2") };
        await faces.Post($"/api/v1/discovered/{printer.Id}/ignore", new IgnoreChange(), ApiJson.Default.IgnoreChange, ApiJson.Default.DiscoveredResource);

        Assert.Equal(("printer", "192.168.4.20", "ipp"), (printer.Name, printer.Addresses.Single().Address, printer.Services.Single().Name));
        Assert.Equal(["scanner", "printer", "camera"], pages.SelectMany(p => p.Items).Select(d => d.Name));
        Assert.Equal(["camera", "scanner"], (await List("")).Items.Select(d => d.Name));
        Assert.Equal(["printer"], (await List("&ignored=true")).Items.Select(d => d.Name));

        Task<ListPage<DiscoveredResource>> List(string more) => faces.Get($"/api/v1/discovered?office=leeds-4{more}", ApiJson.Default.ListPageDiscoveredResource);
    }

    [Fact]
    public async Task The_console_shows_a_poll_under_way_and_what_it_found_without_believing_it()
    {
        var node = await Poller("leeds-6");
        await node.Send(new PollProgress(new PollId("p-6"), PollMethod.IpRange, true, DateTimeOffset.UtcNow, 0, 254, 0, 0));
        await node.Send(new Sightings(new PollId("p-6"), PollMethod.IpRange, [Seen(PrinterMac, "192.168.6.20", "<script>alert(1)</script>")]));
        await Until.True(async () => (await faces.Get("/api/v1/discovered?office=leeds-6", ApiJson.Default.ListPageDiscoveredResource)).Total == 1, "the device is listed");
        await node.Send(new PollProgress(new PollId("p-6"), PollMethod.IpRange, true, DateTimeOffset.UtcNow, 100, 254, 1, 300));
        await Until.True(async () => (await faces.Get("/api/v1/polls/p-6", ApiJson.Default.PollResource)).Done == 100, "the progress is shown");
        using var client = TestFaces.Client(faces.Address, bearer: null);
        using var login = await TestFaces.LogIn(client, faces.Token.ToText());

        var page = await client.GetStringAsync("/discovered?office=leeds-6");

        Assert.Contains("100 of 254 looked at, 1 found", page, StringComparison.Ordinal);
        Assert.Contains("Brother industries", page, StringComparison.Ordinal);
        Assert.Contains("192.168.6.20", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistyped_id_is_answered_with_the_one_that_was_meant()
    {
        var node = await Poller("leeds-5");
        await node.Send(new PollProgress(new PollId("p-5"), PollMethod.IpRange, true, DateTimeOffset.UtcNow, 0, 0, 0, 0));
        await node.Send(new Sightings(new PollId("p-5"), PollMethod.IpRange, [Seen("52:54:00:00:05:02", "192.168.5.21", "camera")]));
        await Until.True(async () => (await faces.Get("/api/v1/discovered?office=leeds-5", ApiJson.Default.ListPageDiscoveredResource)).Total == 1, "the device is listed");
        var id = (await faces.Get("/api/v1/discovered?office=leeds-5", ApiJson.Default.ListPageDiscoveredResource)).Items.Single().Id;

        using var response = await faces.Api.GetAsync($"/api/v1/discovered/{id[..^1]}");

        Assert.Contains($"did you mean {id}?", (await TestFaces.Problem(response)).Detail, StringComparison.Ordinal);
    }

    private async Task<LinkedNode> Poller(string office)
    {
        await faces.AddOffice(office);
        var node = await LinkedNode.Join(faces.Company, new TestKit(faces.Company.System).CreateTestProbe(), new OfficeId(office), "gw1");
        await faces.Company.Office(new AssignRoles(new OfficeId(office), node.Id, [NodeRole.Poller], [], "test"));
        await node.Down<NodeDesired>(d => d.Polls is not null);
        return node;
    }

    private async Task<PollScheduleResource> Put(string office, string method, PollMethodContent content)
    {
        using var response = await faces.Api.PutAsJsonAsync($"/api/v1/offices/{office}/poll-schedule/{method}", content, ApiJson.Default.PollMethodContent);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync(ApiJson.Default.PollScheduleResource))!;
    }
}
