using Fleet.Contracts;

namespace Fleet.Headquarters.Tests.Web;

public sealed class ConsoleEscapingTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Fact]
    public async Task A_device_that_calls_itself_markup_stays_text()
    {
        using var client = TestFaces.Client(faces.Address, bearer: null);
        using var login = await TestFaces.LogIn(client, faces.Token.ToText());
        await faces.AddOffice("hull");
        using var hostile = await faces.Company.EnrolDevice(new OfficeId("hull"), "<img src=x onerror=alert(1)>");
        await TestCompany.ReadModelShows(async () => await faces.Company.ReadModel.HomeOf(hostile.Id) is not null, "the new device");

        foreach (var page in (string[])["/?q=onerror", $"/devices/{hostile.Id}", "/?q=<img>", "/devices/<img>"])
        {
            using var shown = await client.GetAsync(page);
            var text = await shown.Content.ReadAsStringAsync();
            Assert.DoesNotContain("<img>", text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img src=x", text, StringComparison.Ordinal);
            Assert.Contains("&lt;img", text, StringComparison.Ordinal);
        }
    }
}
