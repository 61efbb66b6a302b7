using System.Net;
using System.Net.Http.Json;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;

namespace Fleet.Headquarters.Tests.Api;

public sealed class OfficeAndTokenApiTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Fact]
    public async Task An_office_that_was_added_is_there_for_the_next_call()
    {
        var added = await faces.AddOffice("hull", "Hull, Docks");

        var list = await faces.Get("/api/v1/offices?text=Docks", ApiJson.Default.ListPageOfficeResource);

        Assert.Equal(("hull", "Hull, Docks", 0, 0), (added.Id, added.Title, added.Nodes, added.Devices));
        Assert.Equal(added, Assert.Single(list.Items));
    }

    [Fact]
    public async Task An_office_that_was_removed_is_gone_for_the_next_call()
    {
        await faces.AddOffice("goole");

        using var removed = await faces.Api.DeleteAsync("/api/v1/offices/goole");
        using var shown = await faces.Api.GetAsync("/api/v1/offices/goole");

        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Equal((HttpStatusCode.NotFound, "NotFound", "there is no office 'goole'"), await TestFaces.Problem(shown));
    }

    [Fact]
    public async Task A_taken_name_is_refused_with_its_code()
    {
        await faces.AddOffice("selby");

        using var again = await faces.Api.PostAsJsonAsync("/api/v1/offices", new NewOffice("selby"), ApiJson.Default.NewOffice);

        var problem = await TestFaces.Problem(again);
        Assert.Equal((HttpStatusCode.Conflict, nameof(RefusalCode.AlreadyExists)), (problem.Status, problem.Code));
    }

    [Theory]
    [InlineData("Leeds")]
    [InlineData("le eds")]
    [InlineData("gw1.leeds")]
    [InlineData("")]
    public async Task A_name_that_is_none_is_refused(string id)
    {
        using var response = await faces.Api.PostAsJsonAsync("/api/v1/offices", new NewOffice(id), ApiJson.Default.NewOffice);

        var problem = await TestFaces.Problem(response);
        Assert.Equal((HttpStatusCode.BadRequest, nameof(RefusalCode.Invalid)), (problem.Status, problem.Code));
    }

    [Fact]
    public async Task A_list_comes_in_pages_that_neither_repeat_nor_skip()
    {
        foreach (var n in (int[])[1, 2, 3, 4, 5])
            await faces.AddOffice($"page-{n}");

        var (ids, after) = (new List<string>(), "");
        do
        {
            var page = await faces.Get($"/api/v1/offices?text=page-&page-size=2&after={after}", ApiJson.Default.ListPageOfficeResource);
            Assert.Equal(5, page.Total);
            ids.AddRange(page.Items.Select(o => o.Id));
            after = page.Next;
        }
        while (after is not null);

        Assert.Equal(["page-1", "page-2", "page-3", "page-4", "page-5"], ids);
    }

    [Theory]
    [InlineData("page-size=0")]
    [InlineData("page-size=501")]
    [InlineData("after=elsewhere")]
    [InlineData("after=-5")]
    public async Task A_page_that_is_none_is_refused(string query)
    {
        using var response = await faces.Api.GetAsync($"/api/v1/offices?{query}");

        Assert.Equal(nameof(RefusalCode.Invalid), (await TestFaces.Problem(response)).Code);
    }

    [Fact]
    public async Task A_fresh_token_carries_headquarters_pin_and_is_listed_without_its_secret()
    {
        await faces.AddOffice("ripon");

        var made = await faces.Post("/api/v1/tokens", new NewToken("ripon", "agent", 5, "2h"), ApiJson.Default.NewToken, ApiJson.Default.CreatedToken);
        var listed = await faces.Api.GetStringAsync("/api/v1/tokens?office=ripon&usable=true");

        Assert.True(JoinToken.TryParse(made.Text, out var token, out var problem), problem);
        Assert.Equal(faces.Token.CaPin, token!.CaPin);
        Assert.Contains(made.Id, listed, StringComparison.Ordinal);
        Assert.DoesNotContain(made.Text.Split('.')[3], listed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_token_is_no_longer_usable()
    {
        await faces.AddOffice("otley");
        var made = await faces.Post("/api/v1/tokens", new NewToken("otley", "node"), ApiJson.Default.NewToken, ApiJson.Default.CreatedToken);

        using var revoked = await faces.Api.DeleteAsync($"/api/v1/tokens/{made.Id}");

        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        Assert.Equal("revoked", Assert.Single((await faces.Get("/api/v1/tokens?office=otley", ApiJson.Default.ListPageTokenResource)).Items).State);
        Assert.Empty((await faces.Get("/api/v1/tokens?office=otley&usable=true", ApiJson.Default.ListPageTokenResource)).Items);
    }

    [Theory]
    [InlineData("agents", 1, "1h")]
    [InlineData("agent", 0, "1h")]
    [InlineData("agent", 1, "soon")]
    [InlineData("3", 1, "1h")]
    public async Task A_token_that_makes_no_sense_is_refused(string kind, int uses, string timeToLive)
    {
        using var response = await faces.Api.PostAsJsonAsync("/api/v1/tokens", new NewToken("leeds", kind, uses, timeToLive), ApiJson.Default.NewToken);

        Assert.Equal(nameof(RefusalCode.Invalid), (await TestFaces.Problem(response)).Code);
    }
}
