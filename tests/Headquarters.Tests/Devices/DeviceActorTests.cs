using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Fleet.Headquarters.Devices;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Devices;

public sealed class DeviceActorTests : TestKit
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    private readonly TestProbe _office;

    public DeviceActorTests() => _office = CreateTestProbe();

    [Fact]
    public void The_twin_of_a_device_that_does_not_report_often_rests_once_it_has_answered()
    {
        Judge(Twin(Never), at: Noon + Never + TimeSpan.FromSeconds(1));

        _office.ExpectMsg<ReportsJudged>();
        Assert.Equal(Till, _office.ExpectMsg<DeviceTwinIdle>().DeviceId);
    }

    [Fact]
    public void That_of_one_that_reported_a_moment_ago_stays()
    {
        var twin = Twin(Never);

        Judge(twin, at: Noon + Never);
        twin.Tell(new Identify(null), _office);

        _office.ExpectMsg<ReportsJudged>();
        _office.ExpectMsg<ActorIdentity>();
    }

    [Fact]
    public void And_rests_when_it_has_been_idle()
    {
        Judge(Twin(TimeSpan.FromMilliseconds(1)), at: Noon);

        _office.ExpectMsg<ReportsJudged>();
        _office.ExpectMsg<DeviceTwinIdle>();
    }

    private IActorRef Twin(TimeSpan idleAfter) => _office.ChildActorOf(DeviceActor.Props(Leeds, Till, issuer: null!, TimeProvider.System, idleAfter));

    // It was enrolled at noon, which counts as its first report.
    private void Judge(IActorRef twin, DateTimeOffset at) => twin.Tell(new JudgeReports(NewDevice(), [], new ReportCircumstances(at, at, TimeSpan.FromMinutes(30))), _office);
}
