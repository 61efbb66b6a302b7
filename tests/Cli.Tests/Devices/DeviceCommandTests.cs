using Fleet.Cli.Devices;
using Fleet.Contracts.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Fleet.Cli.Tests.Devices;

public sealed class DeviceCommandTests : IDisposable
{
    private static readonly DeviceDetailResource Till = Detail("d-1", "till-1", lastSync: null);

    private readonly TestTerminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public async Task A_device_is_found_by_its_id()
    {
        await using var api = await Api([Till]);

        Assert.Equal("till-1", (await Run(api, "device", "show", "d-1", "--json")).Json().GetProperty("device").GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_device_is_found_by_a_name_that_it_alone_has()
    {
        await using var api = await Api([Till, Detail("d-2", "till-10", null)]);

        Assert.Equal("d-1", (await Run(api, "device", "show", "TILL-1", "--json")).Json().GetProperty("device").GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_name_that_several_have_is_refused_with_their_ids()
    {
        await using var api = await Api([Till, Detail("d-2", "till-1", null)]);

        var ran = await Run(api, "device", "remove", "till-1");

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("2 devices are called 'till-1'; say which id: d-1 (leeds), d-2 (leeds)", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(api.Asked, a => a.StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sync_waits_until_the_device_was_seen_anew()
    {
        var looks = 0;
        await using var api = await Api([Till], sync: new SyncRequested("d-1", DateTimeOffset.UnixEpoch, null),
            look: () => Interlocked.Increment(ref looks) < 4 ? Till : Detail("d-1", "till-1", DateTimeOffset.UnixEpoch.AddHours(1)));

        var ran = await Run(api, "device", "sync", "d-1");

        Assert.Contains("till-1 synced through headquarters", ran.Done().Out, StringComparison.Ordinal);
        Assert.Equal(4, looks);
    }

    [Fact]
    public async Task A_sync_without_waiting_only_asks()
    {
        await using var api = await Api([Till], sync: new SyncRequested("d-1", DateTimeOffset.UnixEpoch, null));

        (await Run(api, "device", "sync", "d-1", "--no-wait")).Done();

        Assert.Equal("POST /api/v1/devices/d-1/sync", api.Asked[^1]);
    }

    [Fact]
    public async Task A_sync_that_does_not_come_in_time_fails_and_says_when_it_will()
    {
        await using var api = await Api([Till], sync: new SyncRequested("d-1", DateTimeOffset.UnixEpoch, null));

        var ran = await Run(api, "device", "sync", "d-1", "--timeout", "100ms");

        Assert.Equal(ExitCode.Failed, ran.Code);
        Assert.Contains("has not synced within 100ms; it will at its own next time", ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("room=shop", "room", "shop")]
    [InlineData("room=", "room", "")]
    [InlineData("a=b=c", "a", "b=c")]
    [InlineData("floor-", "floor", null)]
    public void A_label_is_set_or_taken_away(string text, string key, string? value) => Assert.Equal(new LabelText(key, value), LabelText.Read(text));

    [Theory]
    [InlineData("room")]
    [InlineData("=shop")]
    [InlineData("-")]
    public void What_is_no_label_is_none(string text) => Assert.Null(LabelText.Read(text));

    private static Task<FakeApi> Api(IReadOnlyList<DeviceDetailResource> devices, SyncRequested? sync = null, Func<DeviceDetailResource>? look = null) => FakeApi.Start(host =>
    {
        host.MapGet("/api/v1/devices/{id}", IResult (string id) => devices.FirstOrDefault(d => d.Device.Id == id) is { } found ? TypedResults.Ok(look?.Invoke() ?? found) : TypedResults.NotFound());
        host.MapGet("/api/v1/devices", (string text) => new ListPage<DeviceResource>([.. devices.Select(d => d.Device).Where(d => d.Name.Contains(text, StringComparison.OrdinalIgnoreCase))], devices.Count, null));
        host.MapPost("/api/v1/devices/{id}/sync", () => TypedResults.Accepted("", sync));
    });

    private Task<Ran> Run(FakeApi api, params string[] args) => _terminal.Run([.. args, "--url", api.Url, "--token", FakeApi.Token.ToText()]);

    private static DeviceDetailResource Detail(string id, string name, DateTimeOffset? lastSync) => new(
        new DeviceResource(id, name, "leeds", name, "Debian 12", "0.1.0", 1, 1, 1, true, null, lastSync, null, new Dictionary<string, string>(), null, "online", lastSync, "syncs with gw1.leeds"),
        DateTimeOffset.UnixEpoch, null, null, null, null, "00", DateTimeOffset.UnixEpoch, 1, "", null, new Dictionary<string, string>(), [], null, null, null, "periodic", null, []);
}
