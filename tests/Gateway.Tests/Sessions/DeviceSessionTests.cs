using Fleet.Contracts;
using Fleet.Contracts.Agents;
using Fleet.Gateway.Sessions;
using Fleet.Messages.Link;
using static Fleet.Contracts.Agents.SyncReply.Types;
using static Fleet.Gateway.Tests.TestFleet;

namespace Fleet.Gateway.Tests.Sessions;

public sealed class DeviceSessionTests
{
    private static readonly Uplink Linked = new(Up: true, Epoch);
    private static readonly Uplink Cut = new(Up: false, Epoch);
    private static readonly DeviceSession Unknown = new(Till);
    private static readonly DeviceSession InStep = Unknown.Learn(Down(EnvelopeKind.Desired, 2), Epoch).Learn(State(desired: 2, reported: 5), Epoch);

    [Fact]
    public void A_device_in_step_is_answered_without_headquarters()
    {
        var sync = Sync(desired: 2, reported: 5, acknowledged: 5);

        Assert.Null(InStep.Question(sync, Linked));

        Assert.Equal(Outcome.NothingNew, InStep.Conclude(sync, null, Linked).Outcome);
    }

    [Fact]
    public void A_report_goes_up_and_waits_for_an_acknowledgement_that_came_after_it()
    {
        var acknowledgedBefore = InStep.Learn(Down(EnvelopeKind.Ack, 6), Epoch);
        var sync = Sync(desired: 2, reported: 6, acknowledged: 5, Sealed(EnvelopeKind.Report, 6));

        Assert.IsType<DeviceEnvelopeUp>(acknowledgedBefore.Question(sync, Linked));
        Assert.False(acknowledgedBefore.Answers(sync, acknowledgedBefore.Ack, Linked));

        var answered = acknowledgedBefore.Learn(Down(EnvelopeKind.Ack, 6), Epoch);
        Assert.True(answered.Answers(sync, acknowledgedBefore.Ack, Linked));
        var answer = answered.Conclude(sync, acknowledgedBefore.Ack, Linked);
        Assert.Equal(Outcome.Delivered, answer.Outcome);
        Assert.Equal([EnvelopeKind.Ack], answer.Envelopes.Select(e => e.Kind));
    }

    [Fact]
    public void A_device_whose_report_is_answered_without_the_document_it_lacks_comes_back_soon()
    {
        var sync = Sync(desired: 0, reported: 1, acknowledged: 0, Sealed(EnvelopeKind.Report, 1));

        var answered = Unknown.Learn(Down(EnvelopeKind.Ack, 1), Epoch).Learn(State(desired: 1, reported: 1), Epoch);
        var answer = answered.Conclude(sync, null, Linked);

        Assert.Equal((Outcome.Delivered, Pace.Soon), (answer.Outcome, answer.Pace));
        Assert.IsType<DesiredWanted>(answered.Question(Sync(desired: 0, reported: 1, acknowledged: 1), Linked));
    }

    [Fact]
    public void A_report_is_sent_up_and_held_while_the_link_is_down()
    {
        var sync = Sync(desired: 2, reported: 6, acknowledged: 5, Sealed(EnvelopeKind.Report, 6));

        Assert.IsType<DeviceEnvelopeUp>(InStep.Question(sync, Cut));

        var answer = InStep.Conclude(sync, null, Cut);
        Assert.Equal((Outcome.Held, Pace.Retry), (answer.Outcome, answer.Pace));
    }

    [Fact]
    public void A_newer_desired_document_is_delivered_from_here_with_the_link_up_or_down()
    {
        var sync = Sync(desired: 1, reported: 5, acknowledged: 5);

        Assert.Null(InStep.Question(sync, Linked));

        Assert.All([Linked, Cut], uplink => Assert.Equal([2UL], InStep.Conclude(sync, null, uplink).Envelopes.Select(e => e.Version)));
    }

    [Fact]
    public void A_desired_document_that_headquarters_has_and_the_gateway_lacks_is_asked_for()
    {
        var behind = InStep.Learn(State(desired: 3, reported: 5), Epoch);
        var sync = Sync(desired: 2, reported: 5, acknowledged: 5);

        var wanted = Assert.IsType<DesiredWanted>(behind.Question(sync, Linked));

        Assert.Equal(2UL, wanted.HeldVersion);
        Assert.True(behind.Learn(Down(EnvelopeKind.Desired, 3), Epoch).Answers(sync, null, Linked));
        Assert.Equal(Pace.Retry, behind.Conclude(sync, null, Linked).Pace);
    }

    [Fact]
    public void What_headquarters_had_in_an_earlier_epoch_vouches_for_nothing()
    {
        var sync = Sync(desired: 2, reported: 5, acknowledged: 5);
        var newEpoch = new Uplink(Up: true, "epoch-2");

        Assert.IsType<DesiredWanted>(InStep.Question(sync, newEpoch));

        Assert.Equal(Outcome.ReportWanted, InStep.Conclude(sync, null, newEpoch).Outcome);
        Assert.Equal(Outcome.NothingNew, InStep.Learn(State(2, 5), "epoch-2").Conclude(sync, null, newEpoch).Outcome);
    }

    [Fact]
    public void With_the_link_down_a_device_in_step_hears_nothing_new()
    {
        var answer = InStep.Conclude(Sync(desired: 2, reported: 5, acknowledged: 5), null, Cut);

        Assert.Equal((Outcome.NothingNew, Pace.Normal), (answer.Outcome, answer.Pace));
    }

    [Fact]
    public void A_device_with_other_versions_than_headquarters_is_asked_for_its_report()
    {
        var restored = Sync(desired: 2, reported: 4, acknowledged: 4);

        Assert.Equal(Outcome.ReportWanted, InStep.Conclude(restored, null, Linked).Outcome);
    }

    [Fact]
    public void A_device_that_waits_for_an_acknowledgement_gets_the_cached_one()
    {
        var acknowledged = InStep.Learn(Down(EnvelopeKind.Ack, 5), Epoch);
        var sync = Sync(desired: 2, reported: 5, acknowledged: 4);

        Assert.Equal(Outcome.Delivered, acknowledged.Conclude(sync, acknowledged.Ack, Linked).Outcome);

        Assert.Equal(Outcome.ReportWanted, InStep.Conclude(sync, null, Linked).Outcome);
    }

    [Fact]
    public void Two_runs_that_take_turns_are_asked_for_reports_and_a_restart_is_not()
    {
        var first = Sync(2, 5, 5, run: "a");
        var second = Sync(2, 5, 5, run: "b");

        var afterFirst = Heard(InStep, first);
        var afterSecond = Heard(afterFirst.Session, second);
        var again = Heard(afterSecond.Session, first);

        Assert.Equal([Outcome.NothingNew, Outcome.NothingNew, Outcome.ReportWanted], [afterFirst.Outcome, afterSecond.Outcome, again.Outcome]);
    }

    [Fact]
    public void A_refused_device_is_refused_until_headquarters_says_otherwise()
    {
        var refused = InStep.Learn(new DeviceRefusedDown(Till, RefusalCode.Removed, "removed by ann"), Epoch);
        var sync = Sync(2, 6, 5, Sealed(EnvelopeKind.Report, 6));

        Assert.Null(refused.Question(sync, Linked));

        Assert.Equal(Outcome.Refused, refused.Conclude(sync, null, Linked).Outcome);
        Assert.IsType<DeviceEnvelopeUp>(refused.Learn(State(2, 5), Epoch).Question(sync, Linked));
    }

    [Fact]
    public void A_wanted_sync_shortens_one_interval()
    {
        var wanted = InStep.Learn(new SyncWanted(Till), Epoch);
        var sync = Sync(2, 5, 5);
        var answer = wanted.Conclude(sync, null, Linked);

        Assert.Equal(Pace.Soon, answer.Pace);

        Assert.Equal(Pace.Normal, wanted.Heard(sync, answer).Conclude(sync, null, Linked).Pace);
    }

    [Fact]
    public void An_older_desired_document_and_garbage_change_nothing()
    {
        var after = InStep.Learn(Down(EnvelopeKind.Desired, 1), Epoch).Learn(new DeviceEnvelopeDown(Till, new byte[] { 1, 2, 3 }), Epoch);

        Assert.Equal(2UL, after.Desired!.Version);
    }

    [Theory]
    [InlineData(6UL, 5UL, "reported_version says 6")]
    [InlineData(4UL, 5UL, "acknowledged_version is over reported_version")]
    public void A_request_that_contradicts_itself_is_refused_with_the_reason(ulong reported, ulong acknowledged, string reason)
    {
        var request = Request(2, reported, acknowledged, Sealed(EnvelopeKind.Report, 5));

        Assert.Null(DeviceSync.From(Till, request, out var problem));

        Assert.Contains(reason, problem, StringComparison.Ordinal);
    }

    private static (DeviceSession Session, Outcome Outcome) Heard(DeviceSession session, DeviceSync sync)
    {
        var answer = session.Conclude(sync, session.Ack, Linked);
        return (session.Heard(sync, answer), answer.Outcome);
    }

    private static DeviceSync Sync(ulong desired, ulong reported, ulong acknowledged, byte[]? report = null, string run = "a") =>
        DeviceSync.From(Till, Request(desired, reported, acknowledged, report, run), out var problem) ?? throw new ArgumentException(problem);
}
