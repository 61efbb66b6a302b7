using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Device.Push;

namespace Fleet.Device.Tests.Push;

public sealed class LinePlanTests
{
    private static readonly DesiredDocument Always = new()
    {
        Connection = ConnectionMode.Always,
        PushServers =
        {
            new GatewayAddress { NodeId = "gw1.leeds", Addresses = { "192.168.1.2:13295" } },
            new GatewayAddress { NodeId = "gw2.leeds", Addresses = { "192.168.1.3:13295" } },
        },
        HeadquartersPushAddresses = { "hq.example:13295" },
    };

    [Fact]
    public void A_periodic_device_keeps_no_line()
    {
        Assert.Empty(LinePlan.Addresses(new DeviceId("till-1"), null, gatewayOnly: false));
        Assert.Empty(LinePlan.Addresses(new DeviceId("till-1"), new DesiredDocument(Always) { Connection = ConnectionMode.Periodic }, gatewayOnly: false));
    }

    [Fact]
    public void Headquarters_comes_last_and_never_for_who_may_not_dial_it()
    {
        Assert.Equal("hq.example:13295", LinePlan.Addresses(new DeviceId("till-1"), Always, gatewayOnly: false)[^1]);
        Assert.DoesNotContain("hq.example:13295", LinePlan.Addresses(new DeviceId("till-1"), Always, gatewayOnly: true));
    }

    [Fact]
    public void The_push_servers_of_an_office_share_its_devices()
    {
        var first = Enumerable.Range(0, 1000).CountBy(n => LinePlan.Addresses(new DeviceId($"till-{n}"), Always, gatewayOnly: true)[0]).ToDictionary();

        Assert.All(first.Values, share => Assert.InRange(share, 400, 600));
    }
}
