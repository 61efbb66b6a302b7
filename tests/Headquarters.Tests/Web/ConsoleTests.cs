using System.Net;
using Fleet.Contracts;
using Fleet.Headquarters.Tests.Rollouts;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Tests.Web;

public sealed class ConsoleTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Fact]
    public async Task A_stranger_is_sent_to_the_login()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);

        using var page = await client.GetAsync("/");
        using var events = await client.GetAsync("/console/events");

        Assert.Equal(HttpStatusCode.Redirect, page.StatusCode);
        Assert.Equal("/login", page.Headers.Location!.AbsolutePath);
        Assert.Equal(HttpStatusCode.Redirect, events.StatusCode);
    }

    [Fact]
    public async Task The_token_opens_the_console_and_its_cookie_is_out_of_reach_of_scripts_and_other_sites()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);

        using var login = await TestFaces.LogIn(client, faces.Token.ToText());

        Assert.Equal(HttpStatusCode.Redirect, login.StatusCode);
        var cookie = Assert.Single(login.Headers.GetValues("Set-Cookie"));
        foreach (var flag in (string[])["__Host-", "httponly", "secure", "samesite=strict", "path=/"])
            Assert.Contains(flag, cookie, StringComparison.OrdinalIgnoreCase);
        using var page = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Theory]
    [InlineData("nonsense", "is not an administrator token")]
    [InlineData(null, "of another headquarters")]
    public async Task Another_token_does_not_open_it(string? text, string why)
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);

        using var login = await TestFaces.LogIn(client, text ?? AdminToken.Create(faces.Token.CaPin).ToText());

        Assert.Equal(HttpStatusCode.Unauthorized, login.StatusCode);
        Assert.Contains(why, await login.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_on_another_site_logs_nobody_in()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);
        client.DefaultRequestHeaders.Add("Sec-Fetch-Site", "cross-site");

        using var login = await TestFaces.LogIn(client, faces.Token.ToText());

        Assert.Equal(HttpStatusCode.Forbidden, login.StatusCode);
    }

    [Theory]
    [InlineData("//elsewhere.example/")]
    [InlineData("https://elsewhere.example/")]
    [InlineData("/\\elsewhere.example")]
    public async Task A_login_leads_nowhere_else(string wanted)
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);

        using var login = await TestFaces.LogIn(client, faces.Token.ToText(), $"?ReturnUrl={Uri.EscapeDataString(wanted)}");

        Assert.Equal("/", login.Headers.Location!.ToString());
    }

    [Fact]
    public async Task The_first_page_shows_offices_and_devices_and_what_to_do_next()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);
        using var login = await TestFaces.LogIn(client, faces.Token.ToText());
        await faces.AddOffice("whitby", "Whitby <Harbour>");

        var empty = await client.GetStringAsync("/");
        using var till = await faces.Company.EnrolDevice(new OfficeId("whitby"), "till-9");
        await TestCompany.ReadModelShows(async () => await faces.Company.ReadModel.HomeOf(till.Id) is not null, "the new device");
        var full = await client.GetStringAsync("/");
        var device = await client.GetStringAsync($"/devices/{till.Id}");

        Assert.Contains("Whitby &lt;Harbour&gt;", empty, StringComparison.Ordinal);
        Assert.Contains("fleet token create --office whitby --kind agent", empty, StringComparison.Ordinal);
        Assert.Contains("till-9", full, StringComparison.Ordinal);
        Assert.Contains(till.Id.Value, device, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_of_rollouts_shows_rings_and_why_one_halted()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);
        using var login = await TestFaces.LogIn(client, faces.Token.ToText());

        var empty = await client.GetStringAsync("/rollouts");
        await faces.Company.Company(new CreateRollout(RolloutSituation.Plan("2.0", RolloutSituation.Ring("canary"), RolloutSituation.Ring("rest")), "test"));
        await faces.Company.Company(new HaltRollout(new RolloutName("tills-2-0"), RollBack: true, "somebody"));
        await TestCompany.ReadModelShows(async () => (await client.GetStringAsync("/rollouts")).Contains("halted, rolled back", StringComparison.Ordinal), "the rollout is halted");
        var full = await client.GetStringAsync("/rollouts");

        Assert.Contains("fleet rollout create", empty, StringComparison.Ordinal);
        Assert.Contains("somebody halted it with roll-back", full, StringComparison.Ordinal);
        Assert.Contains("not reached", full, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_of_rollouts_shows_download_tasks()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);
        using var login = await TestFaces.LogIn(client, faces.Token.ToText());

        await faces.Company.Company(new PutDownloadTask(
            new DownloadTask("nightly", [], [new UpdateSource(UpdateSourceKind.Folder, "/srv/updates")], [], "0 2 * * *", "UTC", TimeSpan.Zero, [], 0, Paused: false), "test"));

        await TestCompany.ReadModelShows(async () => await client.GetStringAsync("/rollouts") is var page && page.Contains("nightly", StringComparison.Ordinal) && page.Contains("/srv/updates", StringComparison.Ordinal), "the task shows");
    }

    [Fact]
    public async Task An_unknown_address_is_told_in_the_language_of_who_asks()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);
        using var login = await TestFaces.LogIn(client, faces.Token.ToText());

        using var page = await client.GetAsync("/nowhere");
        using var api = await client.GetAsync("/api/v1/nowhere");

        Assert.Equal((HttpStatusCode.NotFound, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (api.StatusCode, api.Content.Headers.ContentType?.MediaType));
    }

    [Fact]
    public async Task A_logout_ends_the_session()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);
        using var login = await TestFaces.LogIn(client, faces.Token.ToText());

        using var logout = await client.PostAsync("/logout", null);
        using var page = await client.GetAsync("/");

        Assert.Equal(HttpStatusCode.Redirect, page.StatusCode);
    }

    [Fact]
    public async Task Pages_load_nothing_from_elsewhere()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);

        using var login = await client.GetAsync("/login");
        var page = await login.Content.ReadAsStringAsync();

        Assert.StartsWith("default-src 'self'", login.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        foreach (var address in System.Text.RegularExpressions.Regex.Matches(page, "(?:href|src)=\"([^\"]+)\"").Select(m => m.Groups[1].Value))
        {
            Assert.StartsWith("/", address, StringComparison.Ordinal);
            using var asset = await client.GetAsync(address.Replace("&amp;", "&", StringComparison.Ordinal));
            Assert.True(asset.IsSuccessStatusCode, $"{address} answered {asset.StatusCode}");
        }
    }
}
