using Fleet.Contracts;
using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Messages.Link;

namespace Fleet.Headquarters.Tests.Updates;

public sealed class DownloadStandTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DownloadTask Nightly = new("nightly", [], [], [], "0 2 * * *", "UTC", TimeSpan.Zero, [], 5, Paused: false);
    private static readonly DownloadRun Ran = new("nightly", 5, DownloadOutcome.Partial, Noon.AddHours(-1), Noon, "till 2.0, file bin/till: /srv has none");

    [Fact]
    public void What_the_last_run_lacked_is_told_as_the_node_said_it()
    {
        var stand = DownloadStand.Of(Nightly, Node(Ran), null, Noon);

        Assert.Equal(("partial", "till 2.0, file bin/till: /srv has none", 5UL, 7UL), (stand.State, stand.Why, stand.RunNumber, stand.Timestamp));
    }

    [Fact]
    public void A_run_that_the_node_has_not_begun_yet_is_waited_for()
    {
        Assert.Equal("waits", DownloadStand.Of(Nightly with { RunNumber = 6 }, Node(Ran), null, Noon).State);
        Assert.Contains("cable", DownloadStand.Of(Nightly with { RunNumber = 6 }, Node(Ran) with { Linked = false, LinkReason = "cable" }, null, Noon).Why, StringComparison.Ordinal);
        Assert.Equal("partial", DownloadStand.Of(Nightly with { RunNumber = 6, CancelNumber = 7 }, Node(Ran), null, Noon).State);
    }

    [Fact]
    public void A_task_that_never_ran_waits_for_its_schedule_and_a_node_that_said_nothing_is_unknown()
    {
        Assert.Contains("0 2 * * *", DownloadStand.Of(Nightly with { RunNumber = 0 }, Node(), null, Noon).Why, StringComparison.Ordinal);
        Assert.Equal("unknown", DownloadStand.Of(Nightly, Node() with { Mirror = null }, null, Noon).State);
    }

    [Fact]
    public void Time_left_goes_by_the_rate_and_an_old_rate_is_none()
    {
        var progress = new MirrorProgress(100, 300, 50);

        Assert.Equal((50, 4.0), Left(DownloadStand.Of(Nightly, Node(Ran), (progress, Noon), Noon.AddSeconds(5))));
        Assert.Equal((0, null), Left(DownloadStand.Of(Nightly, Node(Ran), (progress, Noon), Noon.AddHours(1))));

        static (long Rate, double? Left) Left(Contracts.Api.DownloadNodeResource stand) => (stand.BytesPerSecond, stand.SecondsLeft);
    }

    private static NodeView Node(params DownloadRun[] runs) => new(
        new NodeId("gw1.leeds"), new OfficeId("leeds"), new DeviceId("d-1"), [NodeRole.DistributionPoint], 1, Noon, [NodeRole.DistributionPoint], 1, Noon, [], [], [], "directly", null, null, "1.0", "gw1", Noon,
        [], Linked: true, Noon, "", Noon, "01", Noon.AddYears(1), new LinkModeView(false, null, TimeSpan.Zero, ""), [], new MirrorState(7, [], "", runs));
}
