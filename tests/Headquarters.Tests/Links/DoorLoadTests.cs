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
    public void Where_many_wait_for_long_others_are_let_in_as_fast_as_the_twins_welcome_them_and_soon_after_as_before()
    {
        var load = Idle();
        Wait(load, nodes: 400);
        Assert.True(load.IsFull);

        Pass(load, seconds: 5, welcomedEach: 20);
        Assert.InRange(load.AdmittedPerSecond, 160, 200);

        Pass(load, seconds: 175, welcomedEach: 20);
        Assert.Equal(20, load.AdmittedPerSecond, tolerance: 1);
        // Who is lost meanwhile is not told to stay away for longer than such a minute lasts.
        Assert.Equal(4.0 * load.Linked / 200, load.ReturnWithin.TotalSeconds, tolerance: 40);

        Leave(load, nodes: 400);
        Pass(load, seconds: 180, welcomedEach: 0);
        Assert.Equal(200, load.AdmittedPerSecond, tolerance: 1);
    }

    [Fact]
    public void Where_the_twins_welcome_nobody_a_few_are_let_in_all_the_same()
    {
        var load = Idle();
        Wait(load, nodes: 400);

        Pass(load, seconds: 300, welcomedEach: 0);

        Assert.Equal(7, load.AdmittedPerSecond);
    }

    [Fact]
    public void So_many_wait_for_their_twin_as_are_answered_within_a_few_seconds()
    {
        var load = Idle();
        Wait(load, nodes: 199);
        Assert.False(load.IsFull);

        Pass(load, seconds: 30, welcomedEach: 20);
        Leave(load, nodes: 199 - 79);
        Assert.False(load.IsFull);
        Wait(load, nodes: 2);
        Assert.True(load.IsFull);

        // However slow the twins: the processors are never without work because of it.
        Pass(load, seconds: 60, welcomedEach: 0);
        Leave(load, nodes: 81 - 39);
        Assert.False(load.IsFull);
        Wait(load, nodes: 1);
        Assert.True(load.IsFull);

        Leave(load, nodes: 40);
        Pass(load, seconds: 60, welcomedEach: 0);
        Wait(load, nodes: 199);
        Assert.False(load.IsFull);
    }

    private static void Leave(DoorLoad load, int nodes)
    {
        for (var i = 0; i < nodes; i++)
            load.Opened(welcome: false);
    }

    private static void Wait(DoorLoad load, int nodes)
    {
        for (var i = 0; i < nodes; i++)
            load.Opens();
    }

    // As many come in as are welcomed.
    private void Pass(DoorLoad load, int seconds, int welcomedEach)
    {
        for (var second = 0; second < seconds; second++)
        {
            Wait(load, welcomedEach);
            for (var i = 0; i < welcomedEach; i++)
                load.Opened(welcome: true);
            _clock.Advance(TimeSpan.FromSeconds(1));
            _ = load.AdmittedPerSecond;
        }
    }

    private DoorLoad Idle() => new(hellosPerSecond: 200, new LoadMeter(_clock, () => TimeSpan.Zero), _clock);
}
