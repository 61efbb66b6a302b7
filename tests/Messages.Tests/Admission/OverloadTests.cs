using Fleet.Messages.Admission;

namespace Fleet.Messages.Tests.Admission;

public sealed class OverloadTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly OverloadLimits Limits = new(PoolDelay: TimeSpan.FromSeconds(2), JournalWrite: TimeSpan.FromSeconds(5), ShownLate: TimeSpan.FromSeconds(30));
    private static readonly Strain Easy = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(5), DoorFull: false, ShownLate: TimeSpan.Zero);
    private static readonly Strain Slow = new(TimeSpan.Zero, TimeSpan.FromSeconds(7), DoorFull: false, ShownLate: TimeSpan.Zero);
    private static readonly Strain Between = new(TimeSpan.FromSeconds(1), TimeSpan.Zero, DoorFull: false, ShownLate: TimeSpan.Zero);

    [Fact]
    public void A_moment_of_strain_is_no_overload()
    {
        Assert.Equal(0, After(OverloadStand.None, Slow, seconds: 4).Level);
    }

    [Fact]
    public void Strain_that_lasts_puts_off_the_least_missed_first_and_the_next_only_if_that_was_not_enough()
    {
        Assert.Equal((int)Deferrable.Lists, After(OverloadStand.None, Slow, seconds: 6).Level);
        Assert.Equal((int)Deferrable.Enrolments, After(OverloadStand.None, Slow, seconds: 11).Level);
        Assert.Equal((int)Deferrable.Reports, After(OverloadStand.None, Slow, seconds: 16).Level);
        Assert.Equal((int)Deferrable.Reports, After(OverloadStand.None, Slow, seconds: 600).Level);
    }

    [Fact]
    public void It_says_what_is_slow()
    {
        Assert.Equal("the journal takes 7 s for a write", After(OverloadStand.None, Slow, seconds: 6).Why);
        Assert.Equal("work begins 3 s late, links wait for their offices", After(OverloadStand.None, new Strain(TimeSpan.FromSeconds(3), TimeSpan.Zero, DoorFull: true, TimeSpan.Zero), seconds: 6).Why);
    }

    [Fact]
    public void At_ease_it_takes_up_again_what_it_put_off_last_and_then_the_rest()
    {
        var full = After(OverloadStand.None, Slow, seconds: 16);

        Assert.Equal((int)Deferrable.Reports, After(full, Easy, seconds: 9).Level);
        Assert.Equal((int)Deferrable.Enrolments, After(full, Easy, seconds: 11).Level);
        Assert.Equal((0, ""), (After(full, Easy, seconds: 31).Level, After(full, Easy, seconds: 31).Why));
    }

    [Fact]
    public void Neither_strained_nor_at_ease_it_stays_as_it_is()
    {
        var one = After(OverloadStand.None, Slow, seconds: 6);

        Assert.Equal(1, After(one, Between, seconds: 600).Level);
    }

    [Fact]
    public void What_is_shown_late_puts_off_reports_alone_until_it_has_come_up()
    {
        var late = After(OverloadStand.None, Easy with { ShownLate = TimeSpan.FromSeconds(34) }, seconds: 1);
        var overload = new Overload();
        overload.Set(late);

        Assert.Equal((0, "what is shown is 34 s behind the journal"), (late.Level, late.WhyReports));
        Assert.Equal((false, false, true), (Waits(overload, Deferrable.Lists), Waits(overload, Deferrable.Enrolments), Waits(overload, Deferrable.Reports)));
        Assert.True(After(late, Easy with { ShownLate = TimeSpan.FromSeconds(8) }, seconds: 1).IsOverloaded);
        Assert.False(After(late, Easy with { ShownLate = TimeSpan.FromSeconds(7) }, seconds: 1).IsOverloaded);
        Assert.False(After(OverloadStand.None, Easy with { ShownLate = TimeSpan.FromSeconds(29) }, seconds: 600).IsOverloaded);
    }

    [Fact]
    public void What_is_shown_late_is_said_beside_what_else_is_slow()
    {
        var stand = After(OverloadStand.None, Slow with { ShownLate = TimeSpan.FromSeconds(34) }, seconds: 6);

        Assert.Equal(((int)Deferrable.Lists, "the journal takes 7 s for a write", "what is shown is 34 s behind the journal"), (stand.Level, stand.Why, stand.WhyReports));
    }

    [Theory]
    [InlineData(0, false, false, false)]
    [InlineData(1, true, false, false)]
    [InlineData(2, true, true, false)]
    [InlineData(3, true, true, true)]
    public void A_level_puts_off_itself_and_what_is_missed_less(int level, bool lists, bool enrolments, bool reports)
    {
        var told = new List<Deferrable>();
        var overload = new Overload(told.Add);

        overload.Set(OverloadStand.None with { Level = level, Why = "slow" });

        Assert.Equal((lists, enrolments, reports), (Waits(overload, Deferrable.Lists), Waits(overload, Deferrable.Enrolments), Waits(overload, Deferrable.Reports)));
        Assert.Equal(level, told.Count);
    }

    private static bool Waits(Overload overload, Deferrable what) => overload.PutOff(what) is { } wait && wait > TimeSpan.FromSeconds(1) && wait < TimeSpan.FromMinutes(1);

    // A look a second, as the node looks.
    private static OverloadStand After(OverloadStand stand, Strain strain, int seconds)
    {
        var start = (stand.StrainedSince ?? stand.EasySince ?? Noon) + TimeSpan.FromSeconds(1);
        for (var second = 0; second < seconds; second++)
            stand = OverloadRule.Next(stand, strain, Limits, start + TimeSpan.FromSeconds(second));
        return stand;
    }
}
