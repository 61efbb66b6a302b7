using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Policies;
using Fleet.Headquarters.Rollouts;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;
using Google.Protobuf;
using static Fleet.Headquarters.Tests.Offices.Situation;
using static Fleet.Headquarters.Tests.Rollouts.RolloutSituation;

namespace Fleet.Headquarters.Tests.Rollouts;

public sealed class ReleasePicksTests
{
    [Fact]
    public void A_device_that_a_ring_picks_is_told_to_have_the_package()
    {
        var release = Release("2.0", Ring("canary", Canaries)) with { Parameters = new Dictionary<string, string> { ["window"] = "22:00-04:00", ["health"] = "bin/check" } };
        var office = Open(Leeds).WithTill().Under(release);

        var before = office.Devices[Till].Known.DesiredVersion;
        var picked = office.With(new DeviceLabelled(Leeds, Till, new Dictionary<string, string> { ["ring"] = "canary" }, "test", Noon));

        Assert.Empty(Document(office).Packages);
        var wanted = Assert.Single(Document(picked).Packages);
        Assert.Equal(("tills", "2.0", "archive", "tills-2-0", Manifest), (wanted.Name, wanted.Version, wanted.Kind, wanted.Rollout, Convert.ToHexStringLower(wanted.Manifest.Span)));
        Assert.Equal("22:00-04:00", wanted.Parameters["window"]);
        Assert.Equal(before + 1, picked.Devices[Till].Known.DesiredVersion);
    }

    [Fact]
    public void Of_two_releases_that_pick_a_device_the_later_counts_and_packages_come_by_name()
    {
        var other = Release("1.0") with { Package = "agent-tools" };

        var office = Open(Leeds).WithTill().Under(Release("1.0"), Release("2.0"), other, Release("3.0", Ring("canary", Canaries)));

        Assert.Equal(["agent-tools 1.0", "tills 2.0"], Document(office).Packages.Select(p => $"{p.Name} {p.Version}"));
    }

    [Fact]
    public void A_release_for_another_office_or_device_is_not_told()
    {
        var york = Release("1.0") with { For = new ReleaseSelector([York], new Dictionary<string, string>(), []) };
        var desk = Release("2.0") with { For = new ReleaseSelector([], new Dictionary<string, string>(), [new DeviceId("d-desk")]) };

        Assert.Empty(Document(Open(Leeds).WithTill().Under(york, desk)).Packages);
    }

    [Fact]
    public void Who_is_among_few_is_among_more_and_each_rollout_picks_others()
    {
        var devices = Enumerable.Range(0, 2000).Select(n => new DeviceId($"d-{n}")).ToList();
        List<DeviceId> Among(int percent, string rollout) => [.. devices.Where(d => ReleasePicks.IsAmong(percent, d, rollout))];

        var ten = Among(10, "tills-2-0");

        Assert.InRange(ten.Count, 150, 250);
        Assert.Superset(ten.ToHashSet(), Among(50, "tills-2-0").ToHashSet());
        Assert.InRange(ten.Intersect(Among(10, "tills-3-0")).Count(), 5, 50);
        Assert.Equal(devices, Among(100, "tills-2-0"));
    }

    [Fact]
    public void A_halted_release_stays_where_it_is_and_comes_to_nobody_else()
    {
        var halted = Open(Leeds).WithTill().Under(Release("1.0"), Release("2.0") with { Kept = true });

        var has = halted.With(Reported("2.0"));

        Assert.Equal("1.0", Assert.Single(Document(halted).Packages).Version);
        Assert.Equal("2.0", Assert.Single(Document(has).Packages).Version);
    }

    [Fact]
    public void The_same_releases_make_the_same_document()
    {
        var one = Release("2.0") with { Parameters = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" } };
        var other = Release("2.0") with { Parameters = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" } };
        var office = Open(Leeds).WithTill().Under(one);

        Assert.Equal(office.Devices[Till].Known.DesiredVersion, office.Under(other).Devices[Till].Known.DesiredVersion);
    }

    private static Release Release(string version, params RingPlan[] rings) => Rollout.From(new RolloutCreated(Plan(version, rings), 1, "test", Noon)).Release!;

    private static DesiredDocument Document(Office office) => DesiredState.For(office, office.Devices[Till], TestOffices.Options);

    private static DeviceReported Reported(string installed)
    {
        var report = Situation.Report(1).WithPackage(installed, installed, PackageStep.Installed, "");
        return new DeviceReported(Leeds, Till, 1, 1, 1, new byte[] { 1 }, report.ToByteArray(), Noon);
    }
}

internal static class BookSituation
{
    private static ulong _version;

    /// <summary>With a book of these releases.</summary>
    public static Office Under(this Office office, params Release[] releases) =>
        office.With(new OfficeUpdatesAdopted(office.Id, UpdateBook.Empty with { Version = Interlocked.Increment(ref _version), Releases = releases }, Noon));
}
