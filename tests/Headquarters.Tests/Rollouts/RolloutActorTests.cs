using Fleet.Contracts.Agents;
using Fleet.Contracts.Envelopes;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Messages.Company;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using Fleet.TestSupport;
using static Fleet.Headquarters.Tests.Rollouts.RolloutSituation;
using static Fleet.Headquarters.Tests.TestCompany;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Headquarters.Tests.Rollouts;

/// <summary>Rollouts from the company to the offices' devices and back, on a whole headquarters.</summary>
public sealed class RolloutActorTests : IAsyncLifetime
{
    private TestCompany _company = null!;

    public async Task InitializeAsync() => _company = await Start(offices: [Leeds, York]);

    public async Task DisposeAsync() => await _company.DisposeAsync();

    [Fact]
    public async Task A_rollout_advances_as_devices_report_and_is_done_with_its_last_ring()
    {
        using var canary = await Canary();
        using var desk = await _company.EnrolDevice(York, "desk-1");
        await Create(Plan("2.0", Ring("canary", Canaries), Ring("rest")));

        await _company.Report(canary, Leeds, canary.Report(1).WithPackage("2.0", "2.0", PackageStep.Installed, "tills-2-0"));
        await Happened<RolloutAdvanced>();
        await _company.Report(desk, York, desk.Report(1).WithPackage("2.0", "2.0", PackageStep.Installed, "tills-2-0"));

        await Happened<RolloutDone>();
    }

    [Fact]
    public async Task A_canary_that_fails_halts_it_and_nobody_else_is_touched()
    {
        using var canary = await Canary();
        using var desk = await _company.EnrolDevice(York, "desk-1");
        var before = await ChangesOf(desk);
        await Create(Plan("2.0", Ring("canary", Canaries), Ring("rest")) with { RollBack = true });

        await _company.Report(canary, Leeds, canary.Report(1).WithPackage("2.0", "", PackageStep.RolledBack, "tills-2-0"));

        var halted = await Happened<RolloutHalted>();
        Assert.Equal(("1 of 1 devices of ring canary failed", canary.Id), (halted.Why, Assert.Single(halted.Failures!).DeviceId));
        Assert.Empty((await Happened<UpdateBookChanged>(b => b.What.Contains(nameof(RolloutHalted), StringComparison.Ordinal))).Book.Releases);
        Assert.Equal(before, await ChangesOf(desk));
    }

    [Fact]
    public async Task Counts_are_said_again_to_a_headquarters_that_began_anew()
    {
        using var canary = await Canary();
        await Create(Plan("2.0", Ring("canary", Canaries, soak: TimeSpan.FromSeconds(1)), Ring("rest")));
        await _company.Report(canary, Leeds, canary.Report(1).WithPackage("2.0", "2.0", PackageStep.Installed, "tills-2-0"));
        await Happened<RolloutRingSucceeded>();

        await _company.Restart();

        Assert.Equal(2, (await Happened<RolloutAdvanced>()).Reached);
    }

    [Fact]
    public async Task A_device_with_a_line_is_nudged_when_a_release_or_a_policy_reaches_it()
    {
        var kit = new TestKit(_company.System);
        var node = await LinkedNode.Join(_company, kit.CreateTestProbe(), Leeds, "gw1");
        using var canary = await Canary();
        await node.Send(new LinesDigest([new DeviceLine(canary.Id, LineEnd.None, DateTimeOffset.UtcNow, Leeds, TimeSpan.Zero)]));

        await Create(Plan("2.0"));
        var release = await node.Down<WakeDevice>(w => w.DeviceId == canary.Id);
        await _company.Company(new ApplyPolicy(new PolicyDocument(new Contracts.PolicyName("shops"), [], new Dictionary<string, string>(), 0, new Dictionary<string, string> { ["a"] = "1" }), "test"));
        var policy = await node.Down<WakeDevice>(w => w.DeviceId == canary.Id);

        Assert.True(canary.Takes(release.Signal));
        Assert.Equal(WakeChannel.OfficePush, policy.Channel);
        Assert.True(WakeSignal.Read(policy.Signal.Span)?.Counter > WakeSignal.Read(release.Signal.Span)?.Counter);
        Assert.Empty((await _company.Events()).OfType<DeviceWakeRequested>());
    }

    [Fact]
    public async Task All_devices_with_a_line_are_nudged_each_once()
    {
        var kit = new TestKit(_company.System);
        var node = await LinkedNode.Join(_company, kit.CreateTestProbe(), Leeds, "gw1");
        var tills = new List<Machine>();
        for (var till = 1; till <= 4; till++)
            tills.Add(await _company.EnrolDevice(Leeds, $"till-{till}"));
        await node.Send(new LinesDigest([.. tills.Take(3).Select(t => new DeviceLine(t.Id, LineEnd.None, DateTimeOffset.UtcNow, Leeds, TimeSpan.Zero))]));

        await Create(Plan("2.0"));

        var woken = new List<Contracts.DeviceId>();
        while (woken.Count < 3)
            woken.Add((await node.Down<WakeDevice>()).DeviceId);
        Assert.Equal(tills.Take(3).Select(t => t.Id).ToHashSet(), woken.ToHashSet());
        tills.ForEach(t => t.Dispose());
    }

    private async Task<Machine> Canary()
    {
        var canary = await _company.EnrolDevice(Leeds, "till-1");
        Assert.IsType<OfficeAccepted>(await _company.Office(new LabelDevice(Leeds, canary.Id, new Dictionary<string, string> { ["ring"] = "canary" }, [], "test")));
        return canary;
    }

    private async Task<int> ChangesOf(Machine machine) => (await _company.Events()).OfType<DeviceDesiredChanged>().Count(e => e.DeviceId == machine.Id);

    private async Task Create(RolloutPlan plan) => Assert.IsType<CompanyAccepted>(await _company.Company(new CreateRollout(plan, "test")));

    private async Task<T> Happened<T>(Func<T, bool>? which = null)
    {
        await Until.True(async () => (await _company.Events()).OfType<T>().Any(which ?? (_ => true)), $"{typeof(T).Name} is journaled");
        return (await _company.Events()).OfType<T>().Last(which ?? (_ => true));
    }
}
