using Fleet.Messages.Admission;

namespace Fleet.Messages.Tests.Admission;

public sealed class AdmissionRateTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_burst_is_let_in_at_once_and_then_so_many_a_second()
    {
        var rate = new AdmissionRate(perSecond: 10, burst: 10);

        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => rate.Wait(Noon, 0.5) is null));
        Assert.Equal(10, Enumerable.Range(1, 100).Count(i => rate.Wait(Noon.AddMilliseconds(10 * i), 0.5) is null));
    }

    [Fact]
    public void Those_who_have_to_wait_are_spread_over_the_time_that_their_number_takes()
    {
        var rate = new AdmissionRate(perSecond: 10, burst: 10);
        var chance = new Random(7);

        var waits = Enumerable.Range(0, 1010).Select(_ => rate.Wait(Noon, chance.NextDouble())).OfType<TimeSpan>().ToList();

        Assert.Equal(1000, waits.Count);
        Assert.All(waits, w => Assert.True(w >= TimeSpan.FromSeconds(1)));
        // A thousand at ten a second take a hundred seconds: no second gets more than a few times its share.
        Assert.InRange(waits.Max(), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(110));
        Assert.InRange(waits.GroupBy(w => (int)w.TotalSeconds).Where(g => g.Key > 10).Max(g => g.Count()), 1, 40);
    }

    [Fact]
    public void A_quiet_time_voids_the_queue()
    {
        var rate = new AdmissionRate(perSecond: 10, burst: 10);
        for (var i = 0; i < 1000; i++)
            rate.Wait(Noon, 1);

        Assert.Null(rate.Wait(Noon.AddMinutes(1), 1));
    }

    [Fact]
    public void That_one_is_let_in_again_does_not_call_the_others_back_at_once()
    {
        var rate = new AdmissionRate(perSecond: 10, burst: 10);
        for (var i = 0; i < 1000; i++)
            rate.Refuse(Noon, 1);

        Assert.Null(rate.Wait(Noon.AddSeconds(5), 1));
        Assert.InRange(rate.Refuse(Noon.AddSeconds(5), 1), TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(104));

        // All must have come again by then.
        Assert.InRange(rate.Refuse(Noon.AddSeconds(300), 1), TimeSpan.Zero, TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void Those_who_are_turned_away_again_and_again_are_as_many_as_they_were()
    {
        var rate = new AdmissionRate(perSecond: 10, burst: 10);
        for (var i = 0; i < 100; i++)
            rate.Refuse(Noon, 1);

        var waits = Enumerable.Range(1, 1000).Select(i => rate.Refuse(Noon.AddMilliseconds(10 * i), 1, again: true)).ToList();

        Assert.All(waits, w => Assert.InRange(w, TimeSpan.FromSeconds(11), TimeSpan.FromSeconds(13)));
        Assert.Null(rate.Wait(Noon.AddSeconds(11), 1, again: true));
        Assert.InRange(rate.Refuse(Noon.AddSeconds(11), 1, again: true), TimeSpan.FromSeconds(11), TimeSpan.FromSeconds(13));
    }

    [Fact]
    public void A_rate_that_the_load_has_lowered_admits_fewer()
    {
        var rate = new AdmissionRate(perSecond: 10, burst: 10);
        for (var i = 0; i < 10; i++)
            rate.Wait(Noon, 0.5);

        rate.PerSecond = 2;

        // Ten seconds of two, and what is left of the burst.
        Assert.InRange(Enumerable.Range(1, 1000).Count(i => rate.Wait(Noon.AddMilliseconds(10 * i), 0.5) is null), 20, 30);
    }

    [Fact]
    public void One_identity_that_floods_takes_nothing_from_the_others()
    {
        var rates = new IdentityRates<string>(perSecond: 1, burst: 5);

        var flood = Enumerable.Range(0, 100_000).Count(_ => rates.Wait("gw1.leeds", Noon, 0.5) is null);

        Assert.Equal(5, flood);
        Assert.All(Enumerable.Range(0, 1000), i => Assert.Null(rates.Wait($"gw{i}.york", Noon, 0.5)));
        Assert.NotNull(rates.Wait("gw1.leeds", Noon, 0.5));
    }

    [Fact]
    public void Whoever_is_remembered_for_a_debt_is_not_forgotten_for_the_sake_of_those_who_have_none()
    {
        var rates = new IdentityRates<int>(perSecond: 1, burst: 1);
        var later = Noon.AddSeconds(2);
        for (var i = 0; i < 49_999; i++)
            rates.Wait(i, Noon, 0.5);
        rates.Wait(-1, later, 0.5);

        rates.Wait(-2, later, 0.5);

        Assert.NotNull(rates.Wait(-1, later, 0.5));
    }
}
