using Fleet.Contracts.Agents;
using Fleet.Headquarters.Offices;
using Fleet.Headquarters.Rollouts;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Google.Protobuf;
using static Fleet.Headquarters.Tests.Offices.Situation;
using static Fleet.Headquarters.Tests.Rollouts.RolloutSituation;

namespace Fleet.Headquarters.Tests.Rollouts;

/// <summary>Why a device does not have a version yet.</summary>
public sealed class PackagePathsTests
{
    private static readonly Rollout Begun = Rollout.From(new RolloutCreated(Plan("2.0", Ring("canary", Canaries), Ring("rest")), 7, "test", Noon));
    private static readonly DevicePresence Here = new(Till, Noon, Node1, PresenceState.Online, Noon, "syncs with gw1.leeds");

    [Fact]
    public void A_device_of_a_ring_that_is_not_reached_waits_at_headquarters()
    {
        var path = Way(Ready(), Begun);

        Assert.Equal("rest", path.Ring);
        Assert.Equal(("headquarters", "the device is in ring rest, and the rollout has reached canary"), Waits(path));
    }

    [Fact]
    public void An_office_that_has_an_older_book_is_waited_for()
    {
        var office = Ready();

        Assert.Equal(("office", $"leeds has book {office.Updates.Version} of updates, and the rollout is in {office.Updates.Version + 1}"), Waits(Way(office, Everywhere(office.Updates.Version + 1))));
    }

    [Fact]
    public void An_office_whose_nodes_are_not_linked_is_waited_for_since_then()
    {
        var office = Ready().Apply(new NodeLinkChanged(Leeds, Node1, false, "the link's session ended", Noon.AddHours(-1)));

        var waits = Way(office, Everywhere()).Steps.First(s => s.State != StepState.Done);

        Assert.Equal(("no node of leeds is linked: the link's session ended", Noon.AddHours(-1)), (waits.Text, waits.Since));
    }

    [Fact]
    public void A_distribution_point_that_lacks_the_package_is_waited_for_with_its_problem()
    {
        var fetches = Ready(new MirrorState(1, [], ""));
        var stuck = Ready(new MirrorState(1, [], "headquarters: bin/till: connection refused"));

        Assert.Equal(("distribution-point", "gw1.leeds fetches tills 2.0"), Waits(Way(fetches, Everywhere())));
        Assert.Equal(("distribution-point", "gw1.leeds: headquarters: bin/till: connection refused"), Waits(Way(stuck, Everywhere())));
    }

    [Fact]
    public void A_device_that_is_off_is_waited_for_and_so_is_its_next_sync()
    {
        var office = Ready();
        var off = Here with { State = PresenceState.Offline, Why = "its line ended" };

        Assert.Equal(("device", "is off: its line ended"), Waits(Way(office, Everywhere(), off)));
        Assert.Equal(("device", $"obeys version 0 and is to obey {office.Devices[Till].Known.DesiredVersion}: its next sync is waited for"), Waits(Way(office.With(Report(0)), Everywhere())));
    }

    [Fact]
    public void A_device_that_obeys_says_itself_what_it_waits_for()
    {
        var report = new PackageStatus { Name = "tills", WantedVersion = "2.0", Rollout = "tills-2-0", Step = PackageStep.Waiting, Detail = "window 22:00-04:00" };

        Assert.Equal(("package", "has its content, and waits: window 22:00-04:00"), Waits(Way(Ready().With(Report(9, report)), Everywhere())));
    }

    [Fact]
    public void What_is_installed_has_come_all_the_way_and_what_failed_says_so()
    {
        var installed = new PackageStatus { Name = "tills", WantedVersion = "2.0", InstalledVersion = "2.0", Step = PackageStep.Installed };
        var failed = new PackageStatus { Name = "tills", WantedVersion = "2.0", Rollout = "tills-2-0", Step = PackageStep.Failed, Detail = "exit code 3" };

        Assert.Equal("tills 2.0 is installed", Assert.Single(Way(Ready().With(Report(9, installed)), Everywhere()).Steps).Text);
        Assert.Equal((StepState.Failed, "tills 2.0 failed: exit code 3"), Way(Ready().With(Report(9, failed)), Everywhere()).Steps.Select(s => (s.State, s.Text)).Single());
    }

    [Fact]
    public void The_devices_that_wait_are_listed_and_those_that_failed_before_a_halt()
    {
        var failed = new PackageStatus { Name = "tills", Rollout = "tills-2-0", Step = PackageStep.RolledBack };
        var begun = Ready().Under(Everywhere().Release!);
        var halted = Everywhere().Apply(new RolloutHalted(Begun.Name, "1 of 1 failed", RolledBack: true, [], "test", Noon, []));
        var remembered = halted.Known with { Failed = [new RolloutFailure(Begun.Name, Leeds, Till, "till-1", "rest", RolledBack: true, "exit code 3", Noon)] };

        Assert.Equal(("till-1", "rest", "under-way"), PackagePaths.Devices(begun, Everywhere().Known, all: false, _ => Here).Select(d => (d.Name, d.Ring, d.Stand)).Single());
        Assert.Equal("rolled-back", Assert.Single(PackagePaths.Devices(Ready().With(Report(9, failed)), halted.Known, all: false, _ => Here)).Stand);
        Assert.Equal(("rolled-back", "exit code 3"), PackagePaths.Devices(Ready(), remembered, all: false, _ => Here).Select(d => (d.Stand, d.Detail)).Single());
        Assert.Empty(PackagePaths.Devices(Ready(), halted.Known, all: true, _ => Here));
    }

    // A linked gateway that is a distribution point with the whole package, and a till.
    private static Office Ready(MirrorState? mirror = null) => Open(Leeds).WithTill().WithGateway().Under().With(
        new NodeRolesAssigned(Leeds, Node1, 1, [NodeRole.DistributionPoint], "test", Noon),
        new NodeLinkChanged(Leeds, Node1, true, "linked", Noon),
        new NodeReported(Leeds, Node1, LinkedNode.Report(1) with { ContentAddresses = ["192.168.1.2:13111"], Mirror = mirror ?? new MirrorState(1, [Manifest], "") }, Noon));

    private static Rollout Everywhere(ulong book = 0) => Begun.Apply(new RolloutAdvanced(Begun.Name, 2, book, Noon));

    private static DeviceReported Report(ulong applied, params PackageStatus[] packages)
    {
        var report = Situation.Report(1);
        report.AppliedVersion = applied;
        report.Packages.AddRange(packages);
        return new DeviceReported(Leeds, Till, 1, 1, 1, new byte[] { 1 }, report.ToByteArray(), Noon);
    }

    private static PackagePath Way(Office office, Rollout rollout, DevicePresence? presence = null) => Assert.Single(PackagePaths.Of(office, office.Devices[Till], [rollout.Known], presence ?? Here));

    private static (string, string) Waits(PackagePath path) => path.Steps.Where(s => s.State != StepState.Done).Select(s => (s.Where, s.Text)).First();
}
