using Fleet.Contracts.Agents;
using Fleet.Device.Identity;
using Fleet.Device.Sync;
using Fleet.TestSupport;
using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Device.Tests.Sync;

public sealed class ReplyRulesTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private readonly FakeTimeProvider _headquartersClock = new(DateTimeOffset.UtcNow);
    private readonly FakeHeadquarters _headquarters;
    private readonly DeviceIdentity _identity;

    public ReplyRulesTests()
    {
        _headquarters = new FakeHeadquarters(_headquartersClock);
        _identity = IdentityFiles.Load(TestDevice.EnrolledAt(_headquarters).Storage)!;
    }

    public void Dispose() => _headquarters.Dispose();

    [Fact]
    public void A_replayed_desired_document_is_refused()
    {
        _headquarters.Desired = new DesiredDocument { Version = 1, Settings = { ["colour"] = "red" } };
        var old = _headquarters.SealDesired();
        _headquarters.Desired = new DesiredDocument { Version = 2, Settings = { ["colour"] = "green" } };
        var state = Take(new SyncState(), _headquarters.SealDesired()).State;

        var taken = Take(state, old);

        Assert.Contains("replayed", Assert.Single(taken.Distrust));
        Assert.Equal("green", taken.State.Desired!.Settings["colour"]);
    }

    [Fact]
    public void The_newest_document_again_is_neither_new_nor_a_fault()
    {
        _headquarters.Desired = new DesiredDocument { Version = 1 };
        var sealedDocument = _headquarters.SealDesired();
        var state = Take(new SyncState(), sealedDocument).State;

        var taken = Take(state, sealedDocument);

        Assert.Empty(taken.Distrust);
        Assert.Same(state, taken.State);
    }

    [Fact]
    public void The_update_repositorys_newest_timestamp_only_rises_and_makes_no_other_document()
    {
        _headquarters.Desired = new DesiredDocument { Version = 1, UpdateTimestamp = 5 };
        var state = Take(new SyncState(), _headquarters.SealDesired()).State;
        _clock.Advance(TimeSpan.FromMinutes(1));
        _headquarters.Desired = new DesiredDocument { Version = 1, UpdateTimestamp = 7 };
        var newer = Take(state, _headquarters.SealDesired()).State;
        _headquarters.Desired = new DesiredDocument { Version = 2, UpdateTimestamp = 6 };
        var lower = Take(newer, _headquarters.SealDesired()).State;

        Assert.Equal((5UL, 7UL, 7UL), (state.UpdateTimestamp, newer.UpdateTimestamp, lower.UpdateTimestamp));
        Assert.Equal((state.Desired, state.AppliedAt), (newer.Desired, newer.AppliedAt));
    }

    [Fact]
    public void A_replayed_acknowledgement_is_refused()
    {
        var old = _headquarters.Acknowledge(3, 1);
        var state = Take(new SyncState { ReportedVersion = 4 }, _headquarters.Acknowledge(4, 2)).State;

        var taken = Take(state, old);

        Assert.Contains("replayed", Assert.Single(taken.Distrust));
        Assert.Equal((4UL, 2UL), (taken.State.AcknowledgedVersion, taken.State.AcknowledgedEvent));
    }

    [Fact]
    public void An_acknowledgement_cannot_pass_as_a_desired_document()
    {
        var ack = SealedEnvelope.Parser.ParseFrom(_headquarters.Acknowledge(1, 0));
        var header = EnvelopeHeader.Parser.ParseFrom(ack.Header);
        header.Kind = EnvelopeKind.Desired;
        ack.Header = header.ToByteString();

        var taken = Take(new SyncState(), ack.ToByteArray());

        Assert.Single(taken.Distrust);
        Assert.Null(taken.State.Desired);
    }

    [Fact]
    public void An_envelope_of_another_device_is_refused()
    {
        using var elsewhere = new FakeHeadquarters();
        _ = TestDevice.EnrolledAt(elsewhere);
        elsewhere.Desired = new DesiredDocument { Version = 1 };

        var taken = Take(new SyncState(), elsewhere.SealDesired());

        Assert.Contains("altered", Assert.Single(taken.Distrust));
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(2)]
    public void A_clock_two_days_off_is_told_once_and_the_sync_counts(int days)
    {
        _clock.SetUtcNow(_headquartersClock.GetUtcNow());
        _headquartersClock.Advance(TimeSpan.FromDays(2));
        var now = _headquartersClock.GetUtcNow();
        if (days > 0)
            _clock.SetUtcNow(now.AddDays(days));
        var state = new SyncState { ReportedVersion = 1, ReportMadeAt = _clock.GetUtcNow() };

        var taken = Take(state, _headquarters.Acknowledge(1, 0));
        var again = Take(taken.State, _headquarters.Acknowledge(1, 0));

        Assert.Equal(1UL, taken.State.AcknowledgedVersion);
        Assert.Equal(ReplyRules.ClockWrong, Assert.Single(taken.Notes).Kind);
        Assert.Equal(-days, Math.Round(taken.State.ClockBehind.TotalDays));
        Assert.Empty(again.Notes);
    }

    [Fact]
    public void An_acknowledgement_that_lay_at_a_gateway_for_a_day_is_no_wrong_clock()
    {
        var made = _headquartersClock.GetUtcNow();
        var ack = _headquarters.Acknowledge(1, 0);
        _clock.SetUtcNow(made.AddDays(1));

        var taken = Take(new SyncState { ReportedVersion = 1, ReportMadeAt = made }, ack);

        Assert.Empty(taken.Notes);
        Assert.Equal(TimeSpan.Zero, taken.State.ClockBehind);
    }

    [Fact]
    public void A_clock_that_was_set_is_told_too()
    {
        var state = new SyncState { ReportedVersion = 1, ReportMadeAt = _headquartersClock.GetUtcNow(), ClockBehind = TimeSpan.FromDays(2) };
        _clock.SetUtcNow(_headquartersClock.GetUtcNow());

        var taken = Take(state, _headquarters.Acknowledge(1, 0));

        Assert.Equal(ReplyRules.ClockRight, Assert.Single(taken.Notes).Kind);
    }

    private ReplyTaken Take(SyncState state, byte[] envelope) =>
        ReplyRules.Take(state, _identity, new SyncReply { Envelopes = { ByteString.CopyFrom(envelope) } }, TestDevice.Options, _clock);
}
