using Fleet.Updates.Fetching;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Updates.Tests.Fetching;

public sealed class BudgetTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Without_a_limit_nobody_waits() => Assert.True(new Budget(_clock).Spend(int.MaxValue, CancellationToken.None).IsCompleted);

    [Fact]
    public async Task What_is_over_the_rate_waits_as_long_as_it_takes()
    {
        var budget = new Budget(_clock) { BytesPerSecond = 1000 };

        var (first, second) = (budget.Spend(2000, CancellationToken.None), budget.Spend(1000, CancellationToken.None));
        Assert.False(first.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(2));
        await first;
        Assert.False(second.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));

        await second;
    }

    [Fact]
    public void At_most_a_second_is_saved_up()
    {
        var budget = new Budget(_clock) { BytesPerSecond = 1000 };
        _clock.Advance(TimeSpan.FromHours(1));

        Assert.True(budget.Spend(1000, CancellationToken.None).IsCompleted);
        Assert.False(budget.Spend(1, CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task A_new_rate_counts_from_now_on()
    {
        var budget = new Budget(_clock) { BytesPerSecond = 10 };
        budget.BytesPerSecond = 1_000_000;

        var spent = budget.Spend(500_000, CancellationToken.None);
        _clock.Advance(TimeSpan.FromMilliseconds(500));

        await spent;
    }
}
