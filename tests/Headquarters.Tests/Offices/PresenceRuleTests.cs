using Fleet.Contracts;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Tests.Offices;

public sealed class PresenceRuleTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NodeId Gateway = new("gw1.leeds");
    private static readonly TimeSpan Lease = PresenceRule.LeaseOf(TimeSpan.FromMinutes(15));

    [Fact]
    public void An_open_line_is_online_however_long_ago_the_last_sync_was()
    {
        var judged = Judge(new DeviceSigns(Noon - TimeSpan.FromDays(1), Gateway, new OpenAt(Gateway, Noon), LineEnd.None, default), Noon);

        Assert.Equal((PresenceState.Online, Noon, "connected to gw1.leeds"), (judged.State, judged.Since, judged.Why));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void While_the_link_of_its_office_is_down_nobody_knows(bool line)
    {
        var judged = Judge(new DeviceSigns(Noon, Gateway, line ? new OpenAt(Gateway, Noon) : null, LineEnd.None, default), Noon + TimeSpan.FromSeconds(1), linked: false);

        Assert.Equal((PresenceState.Unknown, "the link of gw1.leeds is down: the lease ran out"), (judged.State, judged.Why));
    }

    [Fact]
    public void A_frozen_device_is_unknown_once_its_line_broke_and_offline_when_it_does_not_come_back()
    {
        var signs = new DeviceSigns(Noon - TimeSpan.FromMinutes(1), Gateway, null, LineEnd.Lost, Noon);

        var first = Judge(signs, Noon + TimeSpan.FromSeconds(19));
        var then = Judge(signs, first.ChangesAt!.Value);

        Assert.Equal((PresenceState.Unknown, PresenceState.Offline), (first.State, then.State));
        Assert.Equal(Noon, then.Since);
    }

    [Fact]
    public void A_device_that_may_do_without_a_line_hung_up() =>
        Assert.Equal(PresenceState.Online, Judge(new DeviceSigns(Noon - TimeSpan.FromMinutes(1), Gateway, null, LineEnd.Lost, Noon), Noon, keepsLine: false).State);

    [Fact]
    public void A_device_that_was_asked_to_take_its_time_in_a_storm_is_not_offline_while_it_waits_its_turn()
    {
        var signs = new DeviceSigns(Noon - TimeSpan.FromHours(1), Gateway, null, LineEnd.Lost, Noon) { ReturnWithin = TimeSpan.FromMinutes(3) };
        var hostile = signs with { ReturnWithin = TimeSpan.FromDays(900) };

        Assert.Equal(PresenceState.Unknown, Judge(signs, Noon + TimeSpan.FromMinutes(3)).State);
        Assert.Equal(PresenceState.Offline, Judge(signs, Noon + TimeSpan.FromMinutes(4)).State);
        Assert.Equal(PresenceState.Offline, Judge(hostile, Noon + TimeSpan.FromHours(2)).State);
    }

    [Fact]
    public void A_device_that_syncs_after_its_line_broke_is_there() =>
        Assert.Equal(PresenceState.Online, Judge(new DeviceSigns(Noon + TimeSpan.FromSeconds(30), Gateway, null, LineEnd.Lost, Noon), Noon + TimeSpan.FromSeconds(40)).State);

    [Fact]
    public void A_goodbye_is_offline_at_once_until_the_next_sync()
    {
        var signs = new DeviceSigns(Noon, Gateway, null, LineEnd.Shutdown, Noon);

        Assert.Equal((PresenceState.Offline, "its agent was shut down"), (Judge(signs, Noon).State, Judge(signs, Noon).Why));
        Assert.Equal(PresenceState.Online, Judge(signs with { LastSync = Noon + TimeSpan.FromSeconds(5) }, Noon + TimeSpan.FromSeconds(6)).State);
    }

    [Fact]
    public void One_sync_vouches_for_two_intervals_and_a_little()
    {
        var signs = new DeviceSigns(Noon, Gateway, null, LineEnd.None, default);

        Assert.Equal(PresenceState.Online, Judge(signs, Noon + Lease - TimeSpan.FromTicks(1)).State);
        Assert.Equal(PresenceState.Offline, Judge(signs, Noon + Lease).State);
        Assert.Equal(Noon + Lease, Judge(signs, Noon).ChangesAt);
    }

    [Fact]
    public void After_a_restart_of_headquarters_nobody_is_offline_before_it_had_its_chance()
    {
        Assert.Equal(PresenceState.Unknown, Judge(DeviceSigns.None, Noon).State);
        Assert.Equal(PresenceState.Offline, Judge(DeviceSigns.None, Noon + Lease).State);
    }

    [Fact]
    public void A_node_that_dials_periodically_vouches_for_its_devices_between_its_dials_and_says_so()
    {
        var signs = new DeviceSigns(Noon, Gateway, null, LineEnd.None, default);

        var between = Judge(signs, Noon + TimeSpan.FromMinutes(40), linked: false, dials: TimeSpan.FromMinutes(30));
        var overdue = Judge(signs, Noon + TimeSpan.FromMinutes(62), linked: false, dials: TimeSpan.FromMinutes(30));

        Assert.Equal((PresenceState.Online, "syncs with gw1.leeds, which dials every 30m"), (between.State, between.Why));
        Assert.Equal(Noon + PresenceRule.LeaseOf(TimeSpan.FromMinutes(30)), between.ChangesAt);
        Assert.Equal((PresenceState.Unknown, "the link of gw1.leeds is down: the lease ran out"), (overdue.State, overdue.Why));
    }

    private static Judgement Judge(DeviceSigns signs, DateTimeOffset now, bool linked = true, bool keepsLine = true, TimeSpan? dials = null) => PresenceRule.Judge(
        signs,
        new Dictionary<NodeId, NodeSnapshot>
        {
            [Gateway] = new(Gateway, new DeviceId("d"), [], 1, [], null, 0, linked, Noon, linked ? "linked" : "the lease ran out", Noon, Noon, Noon, null, null,
                null, dials is not null, dials ?? TimeSpan.Zero, null),
        },
        Lease, keepsLine, startedAt: Noon, now);
}
