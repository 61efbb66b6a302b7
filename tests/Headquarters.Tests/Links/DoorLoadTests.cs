using Fleet.Headquarters.Links;
using Fleet.Messages.Admission;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Links;

public sealed class DoorLoadTests
{
    private readonly FakeTimeProvider _clock = new();

    // A node waits up to half of what it is told.
    [Theory]
    [InlineData(10, 5.7)]
    [InlineData(1_000, 36)]
    [InlineData(10_000, 200)]
    public void A_thousand_nodes_are_asked_back_within_twenty_seconds_and_more_only_as_fast_as_they_are_let_in(int linked, double seconds)
    {
        var load = Idle();
        for (var i = 0; i < linked; i++)
        {
            load.Opens();
            load.Opened(welcome: true);
        }

        Assert.Equal(seconds, load.ReturnWithin.TotalSeconds, tolerance: 0.1);
    }

    [Fact]
    public void While_as_many_wait_as_may_others_are_let_in_as_fast_as_the_twins_welcome_them()
    {
        var load = Idle();
        for (var i = 0; i < 400; i++)
            load.Opens();
        Assert.True(load.IsFull);

        for (var second = 0; second < 60; second++)
        {
            for (var i = 0; i < 20; i++)
            {
                load.Opened(welcome: true);
                load.Opens();
            }

            _clock.Advance(TimeSpan.FromSeconds(1));
            _ = load.AdmittedPerSecond;
        }

        Assert.Equal(20, load.AdmittedPerSecond, tolerance: 1);
        Assert.InRange(load.ReturnWithin.TotalSeconds, 220, 260);
    }

    [Fact]
    public void Where_the_twins_welcome_nobody_a_few_are_let_in_all_the_same()
    {
        var load = Idle();
        for (var i = 0; i < 400; i++)
            load.Opens();
        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(7, load.AdmittedPerSecond);
    }

    private DoorLoad Idle() => new(hellosPerSecond: 200, new LoadMeter(_clock, () => TimeSpan.Zero), _clock);
}
