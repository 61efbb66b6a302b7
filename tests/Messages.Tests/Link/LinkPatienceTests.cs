using Fleet.Messages.Link;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Messages.Tests.Link;

public sealed class LinkPatienceTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(3);

    private readonly FakeTimeProvider _clock = new();
    private readonly LinkPatience _patience;

    // On time for its first minute.
    public LinkPatienceTests()
    {
        _patience = New(TimeSpan.Zero);
        Hear(times: 21, every: 3);
    }

    [Fact]
    public void Who_was_on_time_is_lost_after_a_lease_of_silence()
    {
        Hear(times: 5, every: 3);

        Assert.False(IsOverAfter(8.9));
        Assert.True(IsOverAfter(0.1));
    }

    [Fact]
    public void Who_came_late_is_waited_for_longer_the_later_the_longer()
    {
        Hear(times: 1, every: 5);
        Assert.Equal(9 + (3 * 2), _patience.Left.TotalSeconds, precision: 3);

        Hear(times: 1, every: 8);
        Assert.Equal(9 + (3 * 5), _patience.Left.TotalSeconds, precision: 3);

        Assert.False(IsOverAfter(23));
        Assert.True(IsOverAfter(1));
    }

    [Fact]
    public void A_new_link_is_waited_for_a_ping_longer_in_its_first_minute_and_longer_still_where_it_took_long_to_open()
    {
        Assert.Equal(12, New(TimeSpan.Zero).Left.TotalSeconds, precision: 3);
        Assert.Equal(12 + (3 * 4), New(opening: TimeSpan.FromSeconds(4)).Left.TotalSeconds, precision: 3);
        Assert.Equal(9, _patience.Left.TotalSeconds, precision: 3);
    }

    [Fact]
    public void Words_that_waited_together_and_come_at_once_do_not_end_that()
    {
        Hear(times: 1, every: 8);
        Hear(times: 3, every: 0.01);

        Assert.Equal(24, _patience.Left.TotalSeconds, precision: 3);
    }

    [Fact]
    public void A_minute_on_time_ends_it()
    {
        Hear(times: 1, every: 8);
        Hear(times: 21, every: 3);

        Assert.Equal(9, _patience.Left.TotalSeconds, precision: 3);
    }

    [Fact]
    public void However_late_it_was_it_is_lost_after_six_leases()
    {
        Hear(times: 1, every: 300);

        Assert.False(IsOverAfter(53.9));
        Assert.True(IsOverAfter(0.1));
    }

    [Fact]
    public void Who_asks_late_stood_still_and_listens_once_more()
    {
        Assert.False(IsOverAfter(12));
        Assert.Equal(3, _patience.Left.TotalSeconds, precision: 3);

        Assert.True(IsOverAfter(3));
    }

    [Fact]
    public void One_who_always_asks_late_gives_up_all_the_same()
    {
        var asked = 0;
        while (!IsOverAfter(_patience.Left.TotalSeconds + 5))
            Assert.InRange(++asked, 1, 10);

        Assert.InRange(_patience.Silence.TotalSeconds, 54, 65);
    }

    [Fact]
    public void A_word_after_that_is_a_word_as_any()
    {
        Assert.False(IsOverAfter(12));
        _patience.Heard();
        Hear(times: 21, every: 3);

        Assert.False(IsOverAfter(8.9));
        Assert.True(IsOverAfter(0.2));
    }

    private LinkPatience New(TimeSpan opening) => new(Lease, PingEvery, opening, _clock);

    private void Hear(int times, double every)
    {
        for (var i = 0; i < times; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(every));
            _patience.Heard();
        }
    }

    private bool IsOverAfter(double seconds)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        return _patience.IsOver();
    }
}
