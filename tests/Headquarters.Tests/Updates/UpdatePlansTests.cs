using Fleet.Contracts;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Updates;

/// <summary>Which of an office's two distribution points are told anew when a device's labels change.</summary>
public sealed class UpdatePlansTests
{
    private static readonly DownloadTask Posted = new(
        "by-post", [], [], [], DownloadTask.OnChange, "UTC", TimeSpan.Zero, [], 0, Paused: false, Labels: new Dictionary<string, string> { ["line"] = "poor" });

    private static readonly Office TwoPoints = Point(Point(Open(Leeds).WithTill(), 1), 2).With(new OfficeUpdatesAdopted(Leeds, UpdateBook.Empty with { Version = 1, Root = new byte[] { 1 }, Tasks = [Posted] }, Noon));

    [Fact]
    public void The_point_alone_whose_own_device_gains_or_loses_the_label_is_told_anew()
    {
        var labelled = Labelled(TwoPoints, "d-gw1", "poor");

        Assert.Equal(["gw1.leeds"], ToldAnew(TwoPoints, labelled));
        Assert.Equal(["gw1.leeds"], ToldAnew(labelled, Labelled(labelled, "d-gw1", "good")));
    }

    [Fact]
    public void A_label_that_no_task_asks_for_and_one_of_another_device_tell_nobody_anew()
    {
        Assert.Empty(ToldAnew(TwoPoints, Labelled(TwoPoints, "d-gw1", "good")));
        Assert.Empty(ToldAnew(TwoPoints, Labelled(TwoPoints, Till.Value, "poor")));
    }

    [Fact]
    public void Another_book_is_told_to_both()
    {
        var adopted = TwoPoints.With(new OfficeUpdatesAdopted(Leeds, TwoPoints.Updates with { Version = 2 }, Noon));

        Assert.Equal(["gw1.leeds", "gw2.leeds"], ToldAnew(TwoPoints, adopted));
    }

    private static IEnumerable<string> ToldAnew(Office before, Office after) => UpdatePlans.ToldAnew(before, after).Select(n => n.NodeId.Value).Order(StringComparer.Ordinal);

    private static Office Labelled(Office office, string device, string line) =>
        office.With(new DeviceLabelled(Leeds, new DeviceId(device), new Dictionary<string, string> { ["line"] = line }, "test", Noon));

    private static Office Point(Office office, int number)
    {
        var (node, device) = (new NodeId($"gw{number}.leeds"), new DeviceId($"d-gw{number}"));
        return office.With(
            new DeviceEnrolled(Leeds, device, node.Value, Enrolled, Certificate(1), new TokenId("t-1"), Noon), new NodeEnrolled(Leeds, node, device, Certificate(1), Noon),
            new NodeRolesAssigned(Leeds, node, 1, [NodeRole.DistributionPoint], "test", Noon));
    }
}
