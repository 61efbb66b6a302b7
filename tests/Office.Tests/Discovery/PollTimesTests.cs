using Fleet.Messages.Link;
using Fleet.Office.Discovery;

namespace Fleet.Office.Tests.Discovery;

public sealed class PollTimesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_method_that_never_polled_is_overdue() =>
        Assert.Equal((DateTimeOffset.MinValue, true), PollTimes.Next(Schedule(quick: 10, full: 60), null, null));

    [Fact]
    public void Quick_polls_come_between_full_ones() =>
        Assert.Equal((Noon.AddMinutes(20), false), PollTimes.Next(Schedule(quick: 10, full: 60), Noon.AddMinutes(10), Noon));

    [Fact]
    public void Due_together_the_full_one_does_for_both() =>
        Assert.Equal((Noon.AddMinutes(60), true), PollTimes.Next(Schedule(quick: 10, full: 60), Noon.AddMinutes(50), Noon));

    [Fact]
    public void An_interval_of_zero_is_none()
    {
        Assert.Equal((Noon.AddMinutes(60), true), PollTimes.Next(Schedule(quick: 0, full: 60), Noon, Noon));
        Assert.Null(PollTimes.Next(Schedule(quick: 0, full: 0), Noon, Noon));
    }

    [Fact]
    public void What_is_not_enabled_is_never_due() => Assert.Null(PollTimes.Next(Schedule(quick: 10, full: 60) with { Enabled = false }, null, null));

    [Fact]
    public void Directories_are_due_only_where_one_is_named()
    {
        var ldap = Schedule(quick: 0, full: 60) with { Method = PollMethod.Ldap };

        Assert.Null(PollTimes.Next(ldap, null, null));
        Assert.NotNull(PollTimes.Next(ldap with { Directories = [new DirectorySource("dc1", 636, DirectorySecurity.Tls, "", "", "", default, default)] }, null, null));
    }

    private static PollSchedule Schedule(int quick, int full) =>
        new(PollMethod.IpRange, Enabled: true, TimeSpan.FromMinutes(quick), TimeSpan.FromMinutes(full), [], AllowLarge: false, [], null, null);
}
