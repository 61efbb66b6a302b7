using System.Net;
using System.Net.Http.Json;
using Fleet.Contracts;
using Fleet.Contracts.Api;
using Fleet.Headquarters.Tests.Web;
using Fleet.TestSupport;

namespace Fleet.Headquarters.Tests.Api;

public sealed class DeviceApiTests(TestFaces faces) : IClassFixture<TestFaces>
{
    [Fact]
    public async Task A_device_shows_what_it_should_run_what_it_runs_and_the_delay_between()
    {
        using var till = await Device("leeds-1", "till-1");
        await faces.Company.Report(till, new OfficeId("leeds-1"), till.Report(1, applied: 1, events: [1]));

        await Until.True(async () => (await Show(till)).Device.AppliedVersion == 1, "the report shown");
        var shown = await Show(till);

        Assert.Equal(("till-1", "leeds-1", 1UL, 1UL, true), (shown.Device.Name, shown.Device.Office, shown.Device.DesiredVersion, shown.Device.AppliedVersion, shown.Device.Converged));
        Assert.Equal("Debian", shown.Inventory!.OsName);
        Assert.True(shown.DelaySeconds >= 0);
        await Until.True(async () => (await faces.Get($"/api/v1/devices/{till.Id}/events", ApiJson.Default.ListPageEventResource)).Items.Any(e => e is { Number: 1, Text: "event 1" }), "the device's event in its history");
    }

    [Fact]
    public async Task Labels_are_set_and_taken_away_and_find_the_device()
    {
        using var till = await Device("leeds-2", "till-2");

        var labelled = await Label(till, new LabelChange(new Dictionary<string, string> { ["room"] = "shop", ["floor"] = "2" }));
        var after = await Label(till, new LabelChange(Remove: ["floor"]));
        var found = await faces.Get("/api/v1/devices?office=leeds-2&label=room%3Dshop", ApiJson.Default.ListPageDeviceResource);

        Assert.Equal(2, labelled.Device.Labels.Count);
        Assert.Equal(new Dictionary<string, string> { ["room"] = "shop" }, after.Device.Labels);
        Assert.Equal(till.Id.Value, Assert.Single(found.Items).Id);
        Assert.Empty((await faces.Get("/api/v1/devices?office=leeds-2&label=floor%3D2", ApiJson.Default.ListPageDeviceResource)).Items);
    }

    [Fact]
    public async Task A_moved_device_is_of_its_new_office()
    {
        using var till = await Device("leeds-3", "till-3");
        await faces.AddOffice("york-3");

        var moved = await faces.Post($"/api/v1/devices/{till.Id}/move", new DeviceMove("york-3"), ApiJson.Default.DeviceMove, ApiJson.Default.DeviceDetailResource);

        Assert.Equal("york-3", moved.Device.Office);
    }

    [Fact]
    public async Task A_device_is_not_moved_to_an_office_that_is_not_there()
    {
        using var till = await Device("leeds-4", "till-4");

        using var response = await faces.Api.PostAsJsonAsync($"/api/v1/devices/{till.Id}/move", new DeviceMove("atlantis"), ApiJson.Default.DeviceMove);

        Assert.Equal((HttpStatusCode.NotFound, "NotFound", "there is no office 'atlantis'"), await TestFaces.Problem(response));
    }

    [Fact]
    public async Task A_removed_device_is_gone_and_its_office_can_be_removed()
    {
        using var till = await Device("leeds-5", "till-5");
        using var tooEarly = await faces.Api.DeleteAsync("/api/v1/offices/leeds-5");

        using var removed = await faces.Api.DeleteAsync($"/api/v1/devices/{till.Id}");
        using var office = await faces.Api.DeleteAsync("/api/v1/offices/leeds-5");

        Assert.Equal(nameof(RefusalCode.NotEmpty), (await TestFaces.Problem(tooEarly)).Code);
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, office.StatusCode);
    }

    [Fact]
    public async Task A_sync_is_asked_for_and_what_was_seen_before_is_told()
    {
        using var till = await Device("leeds-6", "till-6");

        using var response = await faces.Api.PostAsync($"/api/v1/devices/{till.Id}/sync", null);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var asked = await response.Content.ReadFromJsonAsync(ApiJson.Default.SyncRequested);
        Assert.Equal((till.Id.Value, null), (asked!.Id, asked.LastSync));
    }

    [Theory]
    [InlineData("/api/v1/devices?sort=colour")]
    [InlineData("/api/v1/devices?label=room")]
    [InlineData("/api/v1/devices?office=No")]
    public async Task A_filter_that_is_none_is_refused(string path)
    {
        using var response = await faces.Api.GetAsync(path);

        Assert.Equal(nameof(RefusalCode.Invalid), (await TestFaces.Problem(response)).Code);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "/sync")]
    [InlineData("DELETE", "")]
    public async Task A_device_that_is_not_there_is_named(string method, string rest)
    {
        using var response = await faces.Api.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/api/v1/devices/d-none{rest}"));

        Assert.Equal((HttpStatusCode.NotFound, "NotFound", "there is no device 'd-none'"), await TestFaces.Problem(response));
    }

    [Fact]
    public async Task A_policy_reaches_the_devices_that_it_selects()
    {
        using var till = await Device("leeds-7", "till-7");
        var before = (await Show(till)).Device.DesiredVersion;

        using var put = await faces.Api.PutAsJsonAsync("/api/v1/policies/patience",
            new PolicyContent(Offices: ["leeds-7"], Settings: new Dictionary<string, string> { ["sync.interval"] = "30s" }), ApiJson.Default.PolicyContent);

        Assert.Equal(new PolicyChanged("patience", 1, Changed: true), await put.Content.ReadFromJsonAsync(ApiJson.Default.PolicyChanged));
        await Until.True(async () => (await Show(till)).Device.DesiredVersion > before, "a new desired version");
        Assert.Equal("30s", (await faces.Get("/api/v1/policies/patience", ApiJson.Default.PolicyResource)).Settings["sync.interval"]);
    }

    private async Task<Machine> Device(string office, string name)
    {
        await faces.AddOffice(office);
        var machine = await faces.Company.EnrolDevice(new OfficeId(office), name);
        await Until.True(async () => await faces.Company.ReadModel.Device(machine.Id) is { Device.DesiredVersion: > 0 }, "the new device in the read model");
        return machine;
    }

    private Task<DeviceDetailResource> Show(Machine machine) => faces.Get($"/api/v1/devices/{machine.Id}", ApiJson.Default.DeviceDetailResource);

    private Task<DeviceDetailResource> Label(Machine machine, LabelChange change) =>
        faces.Post($"/api/v1/devices/{machine.Id}/labels", change, ApiJson.Default.LabelChange, ApiJson.Default.DeviceDetailResource);
}
