using Fleet.Contracts;
using Fleet.Messages.Admission;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Messages.Tests.Admission;

public sealed class LoadTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.7, 1)]
    [InlineData(0.85, 0.5)]
    [InlineData(1, 0.1)]
    public void Newcomers_are_let_in_slower_while_the_processors_are_busy_and_never_not_at_all(double processors, double speed) =>
        Assert.Equal(speed, LoadRule.Speed(processors), precision: 6);

    [Theory]
    [InlineData(0.85, 0.5)]
    [InlineData(1, 0.4)]
    public void A_server_says_itself_what_is_left_of_its_speed_whatever_the_load(double processors, double speed) =>
        Assert.Equal(speed, LoadRule.Speed(processors, least: 0.4), precision: 6);

    [Fact]
    public void Those_who_come_back_within_the_window_bring_no_more_a_second_than_it_was_made_for()
    {
        const int callers = 20_000;
        var (window, chance, backoff) = (LoadRule.Window(callers, perSecond: 100), new Random(3), new Backoff(TimeSpan.FromSeconds(5)));
        // Everybody has tried in vain for five minutes when the server is back.
        var back = TimeSpan.FromMinutes(5);

        var returns = new List<double>();
        for (var i = 0; i < callers; i++)
        {
            var at = TimeSpan.Zero;
            for (var failures = 1; at < back; failures++)
                at += backoff.AfterFailures(failures, TimeSpan.FromSeconds(30), window, chance);
            returns.Add((at - back).TotalSeconds);
        }

        // Half of the window is for those who must try twice.
        Assert.Equal(TimeSpan.FromSeconds(800), window);
        Assert.InRange(returns.Max(), 0, window.TotalSeconds / 2);
        Assert.InRange(returns.GroupBy(r => (int)r).Max(second => second.Count()), 50, 140);
    }

    [Fact]
    public void What_was_taken_is_averaged_and_the_processors_are_those_of_the_last_look()
    {
        var clock = new FakeTimeProvider();
        var used = TimeSpan.Zero;
        var meter = new LoadMeter(clock, () => used);
        for (var second = 0; second < 600; second++)
        {
            for (var i = 0; i < 50; i++)
                meter.Took();
            used += TimeSpan.FromSeconds(0.5) * Environment.ProcessorCount;
            clock.Advance(TimeSpan.FromSeconds(1));
            _ = meter.Now;
        }

        Assert.Equal(50, meter.Now.PerSecond, tolerance: 0.1);
        Assert.Equal(0.5, meter.Now.Processors, precision: 3);
    }
}
