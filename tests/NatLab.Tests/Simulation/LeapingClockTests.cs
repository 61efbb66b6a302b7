using Fleet.NatLab.Simulation;

namespace Fleet.NatLab.Tests.Simulation;

public sealed class LeapingClockTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly LeapingClock _clock = new();

    [Fact]
    public void A_leap_moves_date_and_elapsed_time()
    {
        var (now, began) = (_clock.GetUtcNow(), _clock.GetTimestamp());

        _clock.Leap(TimeSpan.FromHours(1));

        Assert.InRange(_clock.GetUtcNow() - now, TimeSpan.FromHours(1), TimeSpan.FromHours(1) + Patience);
        Assert.InRange(_clock.GetElapsedTime(began), TimeSpan.FromHours(1), TimeSpan.FromHours(1) + Patience);
    }

    [Fact]
    public async Task Without_a_leap_time_runs_on()
    {
        var fired = new TaskCompletionSource();
        await using var timer = _clock.CreateTimer(_ => fired.TrySetResult(), null, TimeSpan.FromMilliseconds(20.3), Timeout.InfiniteTimeSpan);

        await fired.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task What_a_leap_makes_due_is_due_at_once_and_what_it_does_not_reach_waits()
    {
        var (near, far) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var nearTimer = _clock.CreateTimer(_ => near.TrySetResult(), null, TimeSpan.FromMinutes(5), Timeout.InfiniteTimeSpan);
        await using var farTimer = _clock.CreateTimer(_ => far.TrySetResult(), null, TimeSpan.FromMinutes(20), Timeout.InfiniteTimeSpan);

        _clock.Leap(TimeSpan.FromMinutes(10));
        await near.Task.WaitAsync(Patience);

        Assert.False(far.Task.IsCompleted);
        _clock.Leap(TimeSpan.FromMinutes(10));
        await far.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_periodic_timer_fires_once_a_leap_and_goes_on()
    {
        var fired = new SemaphoreSlim(0);
        await using var timer = _clock.CreateTimer(_ => fired.Release(), null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

        for (var leap = 0; leap < 3; leap++)
        {
            Assert.Equal(0, fired.CurrentCount);
            _clock.Leap(TimeSpan.FromMinutes(10));
            Assert.True(await fired.WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task A_timer_that_was_disposed_or_stopped_stays_silent()
    {
        var (disposed, stopped, other) = (false, false, new TaskCompletionSource());
        var first = _clock.CreateTimer(_ => disposed = true, null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        await using var second = _clock.CreateTimer(_ => stopped = true, null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        await using var third = _clock.CreateTimer(_ => other.TrySetResult(), null, TimeSpan.FromMinutes(2), Timeout.InfiniteTimeSpan);

        await first.DisposeAsync();
        second.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _clock.Leap(TimeSpan.FromMinutes(2));
        await other.Task.WaitAsync(Patience);

        Assert.False(disposed || stopped);
    }
}
