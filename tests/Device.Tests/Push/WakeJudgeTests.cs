using Fleet.Contracts.Envelopes;
using Fleet.Device.Identity;
using Fleet.Device.Push;
using Fleet.TestSupport;

namespace Fleet.Device.Tests.Push;

public sealed class WakeJudgeTests
{
    private readonly DeviceIdentity _identity;
    private readonly EnvelopeKeys _keys;

    public WakeJudgeTests()
    {
        _identity = IdentityFiles.Load(TestDevice.EnrolledAt(new FakeHeadquarters()).Storage)!;
        _keys = _identity.KeysOf(1)!;
    }

    [Fact]
    public void A_signal_wakes_once_whatever_ways_it_comes()
    {
        var judge = new WakeJudge(newest: 0);
        var signal = WakeSignal.Make(_keys, 7);

        Assert.True(judge.Accepts(signal, _identity, out var counter));
        Assert.Equal(7UL, counter);
        Assert.False(judge.Accepts(signal, _identity, out _));
        Assert.False(judge.Accepts(WakeSignal.Make(_keys, 6), _identity, out _));
        Assert.True(judge.Accepts(WakeSignal.Make(_keys, 8), _identity, out _));
    }

    [Fact]
    public void What_was_accepted_before_a_restart_wakes_nobody_after_it() =>
        Assert.False(new WakeJudge(newest: 7).Accepts(WakeSignal.Make(_keys, 7), _identity, out _));

    [Fact]
    public void Forged_signals_are_counted_and_change_nothing()
    {
        var judge = new WakeJudge(newest: 0);
        var forged = WakeSignal.Make(_keys, ulong.MaxValue);
        forged[^1] ^= 1;

        for (var n = 0; n < 1000; n++)
            Assert.False(judge.Accepts(forged, _identity, out _));

        Assert.Equal(1000, judge.Forged);
        Assert.True(judge.Accepts(WakeSignal.Make(_keys, 1), _identity, out _));
    }
}
