using System.Net.Http.Json;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;
using Fleet.TestSupport;

namespace Fleet.Headquarters.Tests.Api;

public sealed class RuleApiTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Fact]
    public async Task Rules_are_made_tried_moved_turned_off_and_removed_and_act_in_every_office()
    {
        await faces.AddOffice("leeds-1");
        using var till = await faces.Company.EnrolDevice(new OfficeId("leeds-1"), "till-1");
        await faces.Company.Report(till, new OfficeId("leeds-1"), till.Report(1));

        await Put(new RuleResource("off", Enabled: false, Names: ["till-*"], Labels: new Dictionary<string, string> { ["never"] = "1" }));
        var tried = await faces.Post("/api/v1/rules/off/try", new RuleMove(), ApiJson.Default.RuleMove, ApiJson.Default.ListPageRuleTouchResource);
        await Put(new RuleResource("tills", Names: ["till-*"], Labels: new Dictionary<string, string> { ["room"] = "shop" }));
        await faces.Post("/api/v1/rules/tills/move", new RuleMove("off"), ApiJson.Default.RuleMove, ApiJson.Default.RuleResource);
        await Until.True(async () => (await faces.Company.ReadModel.Device(till.Id))!.Device.Labels.GetValueOrDefault("room") == "shop", "the rule acted");
        Assert.Equal(["tills", "off"], await Names());
        using var removed = await faces.Api.DeleteAsync("/api/v1/rules/off");

        Assert.Equal(("till-1", "leeds-1"), (Assert.Single(tried.Items).Name, tried.Items[0].Office));
        Assert.Equal(["tills"], await Names());
        Assert.False((await faces.Company.ReadModel.Device(till.Id))!.Device.Labels.ContainsKey("never"));
    }

    [Theory]
    [InlineData("{\"name\":\"r\",\"names\":[\"x\"]}", "neither labels nor an office")]
    [InlineData("{\"name\":\"r\",\"labels\":{\"a\":\"b\"}}", "no condition")]
    [InlineData("{\"name\":\"r\",\"names\":[\"x\"],\"labels\":{\"a\":\"b\"},\"mode\":\"continous\"}", "did you mean continuous?")]
    [InlineData("{\"name\":\"r\",\"addresses\":[\"10.1\"],\"labels\":{\"a\":\"b\"}}", "no address range")]
    [InlineData("{\"name\":\"r\",\"names\":[\"x\"],\"office\":\"atlantis\"}", "does not exist")]
    [InlineData("{\"name\":\"other\",\"names\":[\"x\"],\"labels\":{\"a\":\"b\"}}", "is put at 'r'")]
    public async Task A_wrong_rule_is_refused_with_what_is_wrong(string json, string detail)
    {
        using var response = await faces.Api.PutAsync("/api/v1/rules/r", new StringContent(json, System.Text.Encoding.UTF8, "application/json"));

        Assert.Contains(detail, (await TestFaces.Problem(response)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistyped_rule_is_answered_with_the_one_that_was_meant()
    {
        await Put(new RuleResource("printers", Vendors: ["Brother*"], Labels: new Dictionary<string, string> { ["kind"] = "printer" }));

        using var response = await faces.Api.PostAsJsonAsync("/api/v1/rules/printrs/enabled", new RuleSwitch(false), ApiJson.Default.RuleSwitch);

        Assert.Contains("did you mean printers?", (await TestFaces.Problem(response)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rule_that_gives_a_removed_office_is_turned_off()
    {
        await faces.AddOffice("depot");
        await Put(new RuleResource("to-depot", Names: ["nobody-*"], Office: "depot"));

        using var removed = await faces.Api.DeleteAsync("/api/v1/offices/depot");

        await Until.True(async () => !(await faces.Get("/api/v1/rules/to-depot", ApiJson.Default.RuleResource)).Enabled, "the rule is off");
        using var gone = await faces.Api.DeleteAsync("/api/v1/rules/to-depot");
    }

    private async Task Put(RuleResource rule)
    {
        using var response = await faces.Api.PutAsJsonAsync($"/api/v1/rules/{rule.Name}", rule, ApiJson.Default.RuleResource);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task<IEnumerable<string>> Names() => (await faces.Get("/api/v1/rules", ApiJson.Default.ListPageRuleResource)).Items.Select(r => r.Name).Where(n => n != "printers");
}
