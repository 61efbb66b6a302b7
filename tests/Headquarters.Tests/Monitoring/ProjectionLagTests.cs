using Fleet.Headquarters.Monitoring;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Headquarters.Tests.Monitoring;

public sealed class ProjectionLagTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ProjectionLag _lag;

    public ProjectionLagTests() => _lag = new ProjectionLag(_clock);

    [Fact]
    public void A_node_that_does_not_write_the_read_model_knows_nothing_of_it()
    {
        _lag.Saw(10);

        Assert.Null(_lag.Now);
    }

    [Fact]
    public void What_the_node_that_writes_it_told_counts_for_a_while()
    {
        Assert.Equal(TimeSpan.Zero, _lag.Behind);
        _lag.Told(TimeSpan.FromSeconds(40));
        Assert.Equal(TimeSpan.FromSeconds(40), _lag.Behind);

        _clock.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(TimeSpan.Zero, _lag.Behind);
    }

    [Fact]
    public void What_a_node_measures_counts_more_than_what_it_was_told()
    {
        _lag.Told(TimeSpan.FromSeconds(40));
        _lag.Reached(100);

        Assert.Equal(TimeSpan.Zero, _lag.Behind);
    }

    [Fact]
    public void Standing_still_it_falls_behind_by_rows_and_by_time()
    {
        _lag.Reached(100);
        _lag.Saw(130);
        _clock.Advance(TimeSpan.FromSeconds(5));
        _lag.Saw(150);
        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal((50, TimeSpan.FromSeconds(10)), _lag.Now);
    }

    [Fact]
    public void Its_delay_is_that_of_the_oldest_end_it_has_not_come_to()
    {
        _lag.Reached(100);
        _lag.Saw(130);
        _clock.Advance(TimeSpan.FromSeconds(5));
        _lag.Saw(150);
        _clock.Advance(TimeSpan.FromSeconds(5));
        _lag.Reached(140);

        Assert.Equal((10, TimeSpan.FromSeconds(5)), _lag.Now);
    }

    [Fact]
    public void All_written_is_no_delay_however_long_nothing_happens()
    {
        _lag.Reached(100);
        _lag.Saw(130);
        _lag.Reached(130);
        _clock.Advance(TimeSpan.FromHours(1));
        _lag.Saw(130);

        Assert.Equal((0, TimeSpan.Zero), _lag.Now);
    }

    [Fact]
    public void Given_to_another_node_it_is_no_longer_told_here()
    {
        _lag.Reached(100);
        _lag.Saw(130);
        _lag.Ends();

        Assert.Null(_lag.Now);
    }
}
