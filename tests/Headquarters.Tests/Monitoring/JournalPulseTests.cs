using Fleet.Headquarters.Monitoring;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Monitoring;

public sealed class JournalPulseTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly JournalPulse _pulse;

    public JournalPulseTests() => _pulse = new JournalPulse(_clock);

    [Fact]
    public void The_slowest_of_what_ended_is_told_once()
    {
        Write("office-leeds", 3);
        Write("office-york", 2);

        Assert.Equal(TimeSpan.FromSeconds(3), _pulse.TakeSlowest());
        Assert.Equal(TimeSpan.Zero, _pulse.TakeSlowest());
    }

    [Fact]
    public void A_write_that_does_not_end_is_seen_each_time_one_looks()
    {
        _pulse.Begun("office-leeds");
        _clock.Advance(TimeSpan.FromSeconds(4));
        Write("office-york", 1);

        Assert.Equal(TimeSpan.FromSeconds(5), _pulse.TakeSlowest());
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(6), _pulse.TakeSlowest());
    }

    [Fact]
    public void A_write_that_failed_is_no_longer_under_way_and_a_twin_that_reads_shows_that_the_journal_is_back()
    {
        _pulse.Begun("office-leeds");
        _pulse.Begun("office-york");
        _clock.Advance(TimeSpan.FromSeconds(10));

        _pulse.Failed("office-leeds", "the disk is full");
        Assert.Equal("the disk is full", _pulse.Problem);
        _pulse.Read("office-york");

        Assert.Equal(TimeSpan.Zero, _pulse.TakeSlowest());
        Assert.Null(_pulse.Problem);
    }

    private void Write(string twin, int seconds)
    {
        _pulse.Begun(twin);
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(TimeSpan.FromSeconds(seconds), _pulse.Stored(twin));
    }
}
