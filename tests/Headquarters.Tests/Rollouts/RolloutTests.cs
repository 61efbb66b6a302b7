using Fleet.Contracts;
using Fleet.Headquarters.Rollouts;
using Fleet.Messages.Company;
using static Fleet.Headquarters.Tests.Offices.Situation;
using static Fleet.Headquarters.Tests.Rollouts.RolloutSituation;

namespace Fleet.Headquarters.Tests.Rollouts;

public sealed class RolloutTests
{
    private static readonly Company.Company Started = new Company.Company().With(new CreateRollout(Plan("2.0", Ring("canary", Canaries, soak: Hour), Ring("ten", percent: 10, soak: Hour), Ring("rest")), "test"));

    [Fact]
    public void A_new_rollout_reaches_its_first_ring_alone()
    {
        var release = Assert.Single(Started.Updates.Releases);

        Assert.Equal((1UL, "canary"), (Started.Updates.Version, Assert.Single(release.Rings).Name));
    }

    [Fact]
    public void The_next_ring_is_reached_once_the_one_before_has_succeeded_and_soaked()
    {
        var waits = Started.Stepped(Noon, Count("2.0", "canary", picked: 2, installed: 1));
        var soaks = waits.Stepped(Noon, Count("2.0", "canary", picked: 2, installed: 2));
        var early = soaks.Stepped(Noon + Hour - TimeSpan.FromSeconds(1), Count("2.0", "canary", 2, 2));
        var next = early.Stepped(Noon + Hour, Count("2.0", "canary", 2, 2));

        Assert.Null(waits.Of("2.0").Known.SoaksUntil);
        Assert.Equal((1, Noon + Hour), (early.Of("2.0").Known.Reached, early.Of("2.0").Known.SoaksUntil));
        Assert.Equal(["canary", "ten"], Assert.Single(next.Updates.Releases).Rings.Select(r => r.Name));
    }

    [Fact]
    public void No_ring_is_begun_before_every_office_has_counted_the_one_before()
    {
        RolloutTally some = new(IsWhole: false, [Count("2.0", "canary", 1, 1)], []);

        Assert.Null(Started.Of("2.0").Step(some, 2, Noon));
    }

    [Fact]
    public void Too_many_failures_halt_it_and_no_other_device_is_touched()
    {
        var halted = Started.Stepped(Noon, Count("2.0", "canary", picked: 3, installed: 1, rolledBack: 1));
        var later = halted.Stepped(Noon.AddDays(1), Count("2.0", "canary", 3, 3));

        Assert.Equal((RolloutState.Halted, "1 of 3 devices of ring canary failed"), (later.Of("2.0").Known.State, later.Of("2.0").Known.Why));
        Assert.Equal((true, "canary"), (Assert.Single(later.Updates.Releases).Kept, Assert.Single(later.Updates.Releases[0].Rings).Name));
        Assert.Equal(1, Assert.Single(later.Of("2.0").Known.Counts).RolledBack);
    }

    [Fact]
    public void Failures_while_it_soaks_halt_it_too()
    {
        var soaks = Started.Stepped(Noon, Count("2.0", "canary", picked: 2, installed: 2));

        Assert.Equal(RolloutState.Halted, soaks.Stepped(Noon, Count("2.0", "canary", 2, 1, failed: 1)).Of("2.0").Known.State);
    }

    [Theory]
    [InlineData(0, 10, 1, false)]
    [InlineData(0, 10, 2, true)]
    [InlineData(3, 0, 2, false)]
    [InlineData(3, 0, 3, true)]
    public void How_many_may_fail_is_a_number_or_a_share(int count, int percent, int failed, bool halts)
    {
        var company = new Company.Company().With(new CreateRollout(Plan("2.0", Ring("all") with { FailCount = count, FailPercent = percent, SuccessPercent = 50 }), "test"));

        Assert.Equal(halts, company.Stepped(Noon, Count("2.0", "all", picked: 20, installed: 0, failed)).Of("2.0").Known.State == RolloutState.Halted);
    }

    [Fact]
    public void A_share_of_a_ring_is_enough_where_it_says_so()
    {
        var company = new Company.Company().With(new CreateRollout(Plan("2.0", Ring("all") with { SuccessPercent = 90 }), "test"));

        Assert.Equal(RolloutState.Running, company.Stepped(Noon, Count("2.0", "all", picked: 9, installed: 8)).Of("2.0").Known.State);
        Assert.Equal(RolloutState.Done, company.Stepped(Noon, Count("2.0", "all", picked: 10, installed: 9)).Of("2.0").Known.State);
    }

    [Fact]
    public void A_paused_rollout_begins_no_ring_and_still_halts()
    {
        var paused = Started.Stepped(Noon, Count("2.0", "canary", 1, 1)).With(new PauseRollout(new RolloutName("tills-2-0"), "test"));

        Assert.Equal(1, paused.Stepped(Noon.AddDays(1), Count("2.0", "canary", 1, 1)).Of("2.0").Known.Reached);
        Assert.Equal(2, paused.With(new ResumeRollout(new RolloutName("tills-2-0"), "test")).Stepped(Noon.AddDays(1), Count("2.0", "canary", 1, 1)).Of("2.0").Known.Reached);
        Assert.Equal(RolloutState.Halted, paused.Stepped(Noon, Count("2.0", "canary", 1, 0, failed: 1)).Of("2.0").Known.State);
    }

    [Fact]
    public void A_first_ring_without_devices_waits_and_a_later_one_does_not()
    {
        var empty = Started.Stepped(Noon, Count("2.0", "canary", 0, 0));
        var later = Started.Stepped(Noon, Count("2.0", "canary", 1, 1)).Stepped(Noon + Hour, Count("2.0", "canary", 1, 1), Count("2.0", "ten", 0, 0), Count("2.0", "rest", 1, 1));

        Assert.Equal((1, null), (empty.Of("2.0").Known.Reached, empty.Of("2.0").Known.SoaksUntil));
        Assert.Equal((3, RolloutState.Done), (later.Of("2.0").Known.Reached, later.Of("2.0").Known.State));
    }

    [Fact]
    public void A_version_that_is_done_is_the_base_until_another_is()
    {
        var old = new Company.Company().With(new CreateRollout(Plan("1.0"), "test")).Stepped(Noon, Count("1.0", "all", 3, 3));
        var both = old.With(new CreateRollout(Plan("2.0", Ring("canary", Canaries), Ring("rest")), "test"));
        var done = both.Stepped(Noon, Count("2.0", "canary", 1, 1)).Stepped(Noon, Count("2.0", "canary", 1, 1), Count("2.0", "rest", 2, 2));

        Assert.Equal(["1.0", "2.0"], both.Updates.Releases.Select(r => r.PackageVersion));
        Assert.Equal(["2.0"], done.Updates.Releases.Select(r => r.PackageVersion));
    }

    [Fact]
    public void A_rollout_under_way_that_a_newer_one_has_taken_the_place_of_ends()
    {
        var both = new Company.Company().With(new CreateRollout(Plan("1.0"), "test")).With(new CreateRollout(Plan("2.0"), "test"));

        var done = both.Stepped(Noon, Count("1.0", "all", 3, 1), Count("2.0", "all", 3, 3));

        Assert.Equal((RolloutState.Halted, "tills-2-0 has taken its place"), (done.Of("1.0").Known.State, done.Of("1.0").Known.Why));
        Assert.Equal("2.0", Assert.Single(done.Updates.Releases).PackageVersion);
    }

    [Fact]
    public void A_rollout_for_one_office_does_not_take_the_place_of_one_for_all()
    {
        var leeds = Plan("2.0") with { For = new ReleaseSelector([Leeds], new Dictionary<string, string>(), []) };
        var company = new Company.Company().With([new OfficeAdded(Leeds, "Leeds", "test", Noon)]).With(new CreateRollout(Plan("1.0"), "test")).With(new CreateRollout(leeds, "test"))
            .Stepped(Noon, Count("1.0", "all", 3, 3), Count("2.0", "all", 1, 1));

        Assert.Equal(["1.0", "2.0"], company.Updates.Releases.Select(r => r.PackageVersion));
    }

    [Fact]
    public void A_rollout_that_is_rolled_back_leaves_the_version_before()
    {
        var both = new Company.Company().With(new CreateRollout(Plan("1.0"), "test")).With(new CreateRollout(Plan("2.0", Ring("canary", Canaries), Ring("rest")) with { RollBack = true }, "test"));

        var halted = both.Stepped(Noon, Count("1.0", "all", 3, 3), Count("2.0", "canary", 1, 0, failed: 1));

        Assert.True(halted.Of("2.0").Known.RolledBack);
        Assert.Equal("1.0", Assert.Single(halted.Updates.Releases).PackageVersion);
    }

    [Fact]
    public void A_withdrawn_version_halts_its_rollouts_also_those_that_are_done()
    {
        var done = new Company.Company().With(new CreateRollout(Plan("1.0"), "test")).Stepped(Noon, Count("1.0", "all", 3, 3));

        var withdrawn = done.With(RolloutRules.Decide(done, new WithdrawVersion("tills", "1.0", "test"), Tally(), Noon).Events);

        Assert.Empty(withdrawn.Updates.Releases);
        Assert.Equal((RolloutState.Halted, "test withdrew tills 1.0"), (withdrawn.Of("1.0").Known.State, withdrawn.Of("1.0").Known.Why));
    }

    [Fact]
    public void The_same_rollout_twice_is_one_and_another_of_its_name_is_refused()
    {
        Assert.Empty(Started.Decide(new CreateRollout(Started.Of("2.0").Plan, "test"), Noon).Events);
        Assert.Equal(RefusalCode.AlreadyExists, Assert.IsType<CompanyRefused>(Started.Decide(new CreateRollout(Plan("2.0"), "test"), Noon).Reply).Code);
    }

    [Fact]
    public void The_oldest_that_nothing_hangs_on_makes_room_and_where_there_is_none_it_is_refused()
    {
        var company = new Company.Company();
        for (var version = 1; version <= 200; version++)
            company = company.With(new CreateRollout(Plan($"{version}"), "test"));
        var full = company.Decide(new CreateRollout(Plan("201"), "test"), Noon);
        var halted = company.With(RolloutRules.Decide(company, new HaltRollout(new RolloutName("tills-7"), RollBack: true, "test"), Tally(), Noon).Events);

        Assert.Equal(RefusalCode.Busy, Assert.IsType<CompanyRefused>(full.Reply).Code);
        Assert.DoesNotContain(halted.With(new CreateRollout(Plan("201"), "test")).Rollouts, r => r.Plan.PackageVersion == "7");
    }

    [Fact]
    public void What_is_wrong_with_a_plan_is_said()
    {
        Assert.Contains("1 to 20 rings", RolloutRules.Problem(Plan("1") with { Rings = [] }), StringComparison.Ordinal);
        Assert.Contains("two rings 'all'", RolloutRules.Problem(Plan("1", Ring("all"), Ring("all"))), StringComparison.Ordinal);
        Assert.Contains("percentages", RolloutRules.Problem(Plan("1", Ring("all", percent: 0))), StringComparison.Ordinal);
        Assert.Contains("60 days", RolloutRules.Problem(Plan("1", Ring("all", soak: TimeSpan.FromDays(61)))), StringComparison.Ordinal);
    }

    [Fact]
    public void All_of_it_survives_a_snapshot()
    {
        var soaks = Started.Stepped(Noon, Count("2.0", "canary", 1, 1));

        var restored = Company.Company.From(soaks.ToSnapshot());

        Assert.Equal(2, restored.Stepped(Noon + Hour, Count("2.0", "canary", 1, 1)).Of("2.0").Known.Reached);
    }
}
