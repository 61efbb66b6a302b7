using Fleet.Office.Link;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Link;

public sealed class HeadquartersClockTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _own = new(Noon);
    private readonly HeadquartersClock _clock;

    public HeadquartersClockTests() => _clock = new HeadquartersClock(_own);

    [Theory]
    [InlineData(30)]
    [InlineData(-30)]
    public void It_shows_headquarters_time_where_the_machines_is_off(int days)
    {
        _clock.Told(Noon.AddDays(days));
        _own.Advance(TimeSpan.FromHours(1));

        Assert.Equal(Noon.AddDays(days).AddHours(1), _clock.GetUtcNow());
    }

    [Fact]
    public void It_shows_the_machines_own_until_told_and_where_the_network_alone_makes_the_difference()
    {
        var untold = _clock.GetUtcNow();
        _clock.Told(Noon.AddSeconds(-20));

        Assert.Equal((Noon, Noon), (untold, _clock.GetUtcNow()));
    }

    [Fact]
    public void Once_the_machines_clock_is_set_right_the_next_word_of_headquarters_makes_it_count_again()
    {
        _clock.Told(Noon.AddDays(30));
        _own.SetUtcNow(Noon.AddDays(30));
        _clock.Told(Noon.AddDays(30));

        Assert.Equal(Noon.AddDays(30), _clock.GetUtcNow());
    }

    [Fact]
    public void Timers_and_timestamps_are_the_machines()
    {
        _clock.Told(Noon.AddDays(30));
        var fired = false;
        using var timer = _clock.CreateTimer(_ => fired = true, null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        _own.Advance(TimeSpan.FromMinutes(1));

        Assert.True(fired);
        Assert.Equal(_own.GetTimestamp(), _clock.GetTimestamp());
    }
}
