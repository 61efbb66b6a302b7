using Fleet.Contracts;
using Fleet.Messages.Admission;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.TestCompany;
using JoinKind = Fleet.Messages.Offices.JoinKind;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Headquarters.Tests.Offices;

/// <summary>What an office's twin puts off while its node is overloaded.</summary>
public sealed class OverloadTests : IAsyncLifetime
{
    private TestCompany _company = null!;
    private TestKit _kit = null!;

    public async Task InitializeAsync()
    {
        _company = await Start(offices: [Leeds]);
        _kit = new TestKit(_company.System);
    }

    public async Task DisposeAsync() => await _company.DisposeAsync();

    [Fact]
    public async Task A_newcomer_is_told_when_to_come_again_and_is_let_in_then()
    {
        var token = await _company.Token(Leeds, JoinKind.Agent);
        using var till = new Machine("till-1");

        _company.Overload.Set(OverloadStand.None with { Level = (int)Deferrable.Enrolments, Why = "slow" });
        var later = await _company.Enrol(till.Join(token));
        _company.Overload.Set(OverloadStand.None with { Level = (int)Deferrable.Lists, Why = "slow" });
        var now = await _company.Enrol(till.Join(token));

        Assert.Equal(RefusalCode.Busy, (RefusalCode)later.Refusal.Code);
        Assert.InRange(later.Refusal.RetryAfter.ToTimeSpan(), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Assert.NotNull(now.Enrolled);
        Assert.DoesNotContain(await _company.Events(), e => e is EnrolmentRefused);
    }

    [Fact]
    public async Task Reports_wait_and_are_decided_together_and_what_somebody_waits_for_takes_them_along()
    {
        var node = await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, "gw1");
        using var one = await _company.EnrolDevice(Leeds, "till-1");
        using var two = await _company.EnrolDevice(Leeds, "till-2");
        _company.Overload.Set(OverloadStand.None with { Level = (int)Deferrable.Reports, Why = "slow" });

        var first = node.Start(new DeviceEnvelopeUp(one.Id, one.Seal(one.Report(1)), Leeds));
        var second = node.Start(new DeviceEnvelopeUp(two.Id, two.Seal(two.Report(1)), Leeds));
        var woken = node.Start(new DeviceWoken(one.Id, 1, Leeds));
        await node.Stored(first, second, woken);

        // Decided together, they are one row of the journal.
        Assert.Equal(2, (await _company.Rows()).OfType<OfficeEvents>().Select(row => row.Events.OfType<DeviceReported>().Count()).Max());
    }

    [Fact]
    public async Task Reports_alone_are_stored_all_the_same()
    {
        var node = await LinkedNode.Join(_company, _kit.CreateTestProbe(), Leeds, "gw1");
        using var till = await _company.EnrolDevice(Leeds, "till-1");
        _company.Overload.Set(OverloadStand.None with { Level = (int)Deferrable.Reports, Why = "slow" });

        await node.Send(new DeviceEnvelopeUp(till.Id, till.Seal(till.Report(1)), Leeds));

        Assert.Contains(await _company.Events(), e => e is DeviceReported { DeviceId: var device } && device == till.Id);
    }
}
