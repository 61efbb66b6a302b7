using Fleet.Office.Discovery;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Discovery;

public sealed class PaceTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Over_a_while_as_many_packets_go_as_were_asked_for_whatever_the_jitter(double jitter)
    {
        var clock = new FakeTimeProvider();
        var pace = new Pace(100, jitter, clock);

        var sent = SentIn(TimeSpan.FromSeconds(20), pace, clock);

        Assert.InRange(sent, 1900, 2100);
    }

    [Fact]
    public void Runs_that_share_a_pace_are_together_no_faster_and_each_counts_its_own()
    {
        var clock = new FakeTimeProvider();
        var whole = new Pace(100, 0, clock);
        var (one, other) = (new Pace(whole), new Pace(whole));

        var turn = 0;
        var sent = SentIn(TimeSpan.FromSeconds(10), () => (turn++ % 2 == 0 ? one : other).Next(CancellationToken.None), clock);

        Assert.InRange(sent, 990, 1010);
        Assert.InRange(one.Packets - other.Packets, -1, 1);
        Assert.Equal(whole.Packets, one.Packets + other.Packets);
    }

    [Fact]
    public void A_pause_is_not_made_up_for_by_a_burst()
    {
        var clock = new FakeTimeProvider();
        var pace = new Pace(1000, 0, clock);
        clock.Advance(TimeSpan.FromMinutes(1));

        var atOnce = 0;
        while (pace.Next(CancellationToken.None).IsCompleted)
            atOnce++;

        Assert.InRange(atOnce, 1, 12);
    }

    private static int SentIn(TimeSpan time, Pace pace, FakeTimeProvider clock) => SentIn(time, () => pace.Next(CancellationToken.None), clock);

    private static int SentIn(TimeSpan time, Func<ValueTask> next, FakeTimeProvider clock)
    {
        var (end, sent) = (clock.GetUtcNow() + time, 0);
        while (clock.GetUtcNow() < end)
        {
            var turn = next().AsTask();
            while (!turn.IsCompleted)
                clock.Advance(TimeSpan.FromMilliseconds(1));
            sent++;
        }

        return sent;
    }
}
