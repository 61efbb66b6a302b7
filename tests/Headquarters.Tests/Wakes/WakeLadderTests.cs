using Fleet.Contracts;
using Fleet.Headquarters.Wakes;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Tests.Wakes;

public sealed class WakeLadderTests
{
    private static readonly NodeId Gateway = new("gw1.leeds");
    private static readonly WakeWays All = new([Gateway], true, [Gateway], ["192.168.1.20"], ["192.168.1.20"], ["52:54:00:12:34:56"]);
    private static readonly WakeWays None = new([], false, [], [], [], []);

    [Fact]
    public void Every_rung_is_tried_in_order_and_the_last_is_the_devices_own_sync()
    {
        var tried = new List<WakeChannel>();
        for (WakeChannel? last = null; last != WakeChannel.PeriodicSync; last = tried[^1])
            tried.Add(WakeLadder.Next(All, last));

        Assert.Equal([WakeChannel.OfficePush, WakeChannel.HeadquartersPush, WakeChannel.HeadquartersDatagram, WakeChannel.OfficeDatagram, WakeChannel.WakeOnLan, WakeChannel.PeriodicSync], tried);
    }

    [Fact]
    public void Without_any_way_the_device_comes_by_itself() => Assert.Equal(WakeChannel.PeriodicSync, WakeLadder.Next(None, null));

    [Fact]
    public void A_rung_that_is_not_there_is_left_out() =>
        Assert.Equal(WakeChannel.OfficeDatagram, WakeLadder.Next(All with { PushAtHeadquarters = false, ReachableAddresses = [] }, WakeChannel.OfficePush));

    [Fact]
    public void A_node_can_send_no_datagram_to_a_device_whose_address_nobody_knows() =>
        Assert.Equal(WakeChannel.PeriodicSync, WakeLadder.Next(None with { LanNodes = [Gateway] }, null));
}
