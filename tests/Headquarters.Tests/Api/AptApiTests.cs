using System.Net;
using System.Net.Http.Json;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;
using Fleet.TestSupport.Apt;

namespace Fleet.Headquarters.Tests.Api;

public sealed class AptApiTests(TestFaces faces) : IClassFixture<TestFaces>
{
    private static readonly DateTimeOffset Made = DateTimeOffset.UtcNow.AddYears(-5);

    [Fact]
    public async Task A_repository_is_added_changed_listed_and_removed()
    {
        var key = TestKey.EdDsa(Made);
        using var added = await Put("vendor", new AptRepositoryContent("https://deb.example.org/vendor/", key.ArmoredPublic, ["stable"]));
        using var changed = await Put("vendor", new AptRepositoryContent("https://deb.example.org/vendor", key.Public));

        var shown = await faces.Get("/api/v1/apt/vendor", ApiJson.Default.AptRepositoryResource);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (added.StatusCode, changed.StatusCode));
        Assert.Equal(("vendor", "https://deb.example.org/vendor", 0, 1), (shown.Name, shown.Url, shown.Suites.Count, shown.Keys.Count));
        Assert.Equal("vendor", Assert.Single((await faces.Get("/api/v1/apt", ApiJson.Default.ListPageAptRepositoryResource)).Items).Name);
        using var removed = await faces.Api.DeleteAsync("/api/v1/apt/vendor");
        using var gone = await faces.Api.GetAsync("/api/v1/apt/vendor");
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (removed.StatusCode, gone.StatusCode));
    }

    [Fact]
    public async Task A_keyring_without_a_key_that_may_sign_is_refused_with_its_reason()
    {
        using var none = await Put("bad", new AptRepositoryContent("https://deb.example.org", [.. "no keys"u8]));
        using var expired = await Put("bad", new AptRepositoryContent("https://deb.example.org", TestKey.EdDsa(Made, TimeSpan.FromDays(1)).Public));
        using var weak = await Put("bad", new AptRepositoryContent("https://deb.example.org", TestKey.Rsa(Made, 1024).Public));

        Assert.Contains("OpenPGP", (await TestFaces.Problem(none)).Detail, StringComparison.Ordinal);
        Assert.Contains("expired at", (await TestFaces.Problem(expired)).Detail, StringComparison.Ordinal);
        Assert.Contains("1024 bits", (await TestFaces.Problem(weak)).Detail, StringComparison.Ordinal);
    }

    private Task<HttpResponseMessage> Put(string name, AptRepositoryContent content) => faces.Api.PutAsJsonAsync($"/api/v1/apt/{name}", content, ApiJson.Default.AptRepositoryContent);
}
