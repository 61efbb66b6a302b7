using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Office.DistributionPoint;

namespace Fleet.Office.Tests.DistributionPoint;

public sealed class DownloadScheduleTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DownloadTask Nightly = new("nightly", [], [], [], "0 2 * * *", "Europe/London", TimeSpan.FromHours(1), [], 0, Paused: false);
    private static readonly DownloadRunRecord Ran = new("nightly", Noon, 0);

    [Fact]
    public void A_schedule_is_read_in_its_time_zone()
    {
        // Two at night in London is one in summer, by UTC.
        Assert.Equal(Noon.Date.AddDays(1).AddHours(1), DownloadSchedule.Next(Nightly, Noon)!.Value.UtcDateTime);
    }

    [Fact]
    public void Each_node_begins_at_a_time_of_its_own_within_the_spread()
    {
        var two = DownloadSchedule.Next(Nightly, Noon)!.Value;

        Assert.False(DownloadSchedule.IsDue(Nightly, Ran, changed: true, spread: 0.5, two.AddMinutes(29)));
        Assert.True(DownloadSchedule.IsDue(Nightly, Ran, changed: false, spread: 0.5, two.AddMinutes(30)));
        Assert.True(DownloadSchedule.IsDue(Nightly, Ran, changed: false, spread: 0, two));
    }

    [Fact]
    public void A_run_that_was_missed_is_made_up_for_once()
    {
        var back = Noon.AddDays(3);

        Assert.True(DownloadSchedule.IsDue(Nightly, Ran, changed: false, spread: 0.9, back));
        Assert.False(DownloadSchedule.IsDue(Nightly, Ran with { At = back }, changed: false, spread: 0.9, back.AddMinutes(1)));
    }

    [Fact]
    public void It_runs_at_once_when_told_and_never_while_it_is_paused()
    {
        Assert.True(DownloadSchedule.IsDue(Nightly with { RunNumber = 1 }, Ran, changed: false, spread: 0.9, Noon));
        Assert.False(DownloadSchedule.IsDue(Nightly with { RunNumber = 1 }, Ran with { RunNumber = 1 }, changed: true, spread: 0.9, Noon));
        Assert.False(DownloadSchedule.IsDue(Nightly with { RunNumber = 1, Paused = true }, Ran, changed: true, spread: 0, Noon.AddDays(9)));
    }

    [Fact]
    public void What_was_cut_short_or_lacked_something_is_run_again_unless_it_was_cancelled()
    {
        var cut = Ran with { Outcome = DownloadOutcome.Stopped };
        var lacking = Ran with { Outcome = DownloadOutcome.Partial, RetryAt = Noon.AddMinutes(5) };

        Assert.True(DownloadSchedule.IsDue(Nightly, cut, changed: false, spread: 0, Noon));
        Assert.False(DownloadSchedule.IsDue(Nightly, lacking, changed: false, spread: 0, Noon.AddMinutes(4)));
        Assert.True(DownloadSchedule.IsDue(Nightly, lacking, changed: false, spread: 0, Noon.AddMinutes(5)));
        Assert.False(DownloadSchedule.IsDue(Nightly with { CancelNumber = 3 }, cut, changed: false, spread: 0, Noon));
        Assert.False(DownloadSchedule.IsDue(Nightly with { CancelNumber = 3, RunNumber = 2 }, lacking, changed: false, spread: 0, Noon.AddMinutes(5)));
        Assert.True(DownloadSchedule.IsDue(Nightly with { CancelNumber = 3, RunNumber = 4 }, lacking, changed: false, spread: 0, Noon));
    }

    [Theory]
    [InlineData("on-change", true)]
    [InlineData("", false)]
    [InlineData("every full moon", false)]
    public void Without_a_time_only_on_change_follows_what_is_new(string schedule, bool due) =>
        Assert.Equal(due, DownloadSchedule.IsDue(Nightly with { Schedule = schedule }, Ran, changed: true, spread: 0, Noon.AddYears(1)));

    [Theory]
    [InlineData(7, 1_000_000L)]
    [InlineData(8, 200_000L)]
    [InlineData(17, 200_000L)]
    [InlineData(18, 1_000_000L)]
    [InlineData(0, 1_000_000L)]
    public void The_uplink_budget_goes_by_the_hour_and_yesterdays_last_holds_into_the_morning(int hour, long rate)
    {
        var task = Nightly with { TimeZone = "UTC", Budget = [new UplinkBudget(18, 1_000_000), new UplinkBudget(8, 200_000)] };

        Assert.Equal(rate, DownloadSchedule.RateAt([Nightly, task], Noon.Date.AddHours(hour)));
    }

    [Fact]
    public void Of_two_budgets_the_smaller_holds_and_nought_is_none()
    {
        var (small, none) = (Nightly with { Budget = [new UplinkBudget(0, 500)] }, Nightly with { Budget = [new UplinkBudget(0, 0)] });

        Assert.Equal(500, DownloadSchedule.RateAt([none, small], Noon));
        Assert.Null(DownloadSchedule.RateAt([none, Nightly], Noon));
    }
}
