using Fleet.Headquarters.Monitoring;

namespace Fleet.Headquarters.Tests.Monitoring;

public sealed class RestingHeapTests
{
    private const long Old = 400_000_000;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_quiet_headquarters_is_left_alone() => Assert.Equal(HeapCare.None, Quiet(new RestingHeap(), 600).Due);

    [Fact]
    public void After_a_storm_and_a_minute_of_quiet_all_is_put_in_order_once()
    {
        var after = Storm(Quiet(new RestingHeap(), 600));

        Assert.Equal(HeapCare.None, Quiet(after, 59).Due);
        Assert.Equal(HeapCare.Compact, Quiet(after, 60).Due);
        Assert.Equal(HeapCare.None, Quiet(Quiet(after, 60).Cared(), 600).Due);
    }

    [Fact]
    public void A_storm_that_goes_on_is_not_disturbed() => Assert.Equal(HeapCare.None, Quiet(Storm(Quiet(Storm(new RestingHeap()), 59)), 59).Due);

    [Theory]
    [InlineData(420_000_000, false)]
    [InlineData(420_000_001, true)]
    public void In_quiet_times_old_objects_grow_by_a_twentieth_before_the_dead_ones_are_looked_for(long grownTo, bool sweeps) =>
        Assert.Equal(sweeps ? HeapCare.Sweep : HeapCare.None, Quiet(new RestingHeap(), 60, grownTo).Due);

    [Fact]
    public void A_heap_whose_compaction_would_outlast_links_is_swept_alone()
    {
        var large = RestingHeap.MostAtOnce + 1;

        Assert.Equal(HeapCare.Sweep, Quiet(Storm(new RestingHeap()), 60, large, large).Due);
    }

    [Fact]
    public void While_it_is_not_quiet_growth_is_the_runtimes_own_affair() => Assert.Equal(HeapCare.None, Quiet(Storm(new RestingHeap()), 59, 2 * Old).Due);

    [Fact]
    public void A_sweep_that_is_under_way_is_not_asked_for_again_at_once() => Assert.Equal(HeapCare.None, Quiet(Quiet(new RestingHeap(), 60, 2 * Old).Cared(), 59, 2 * Old).Due);

    private static RestingHeap Storm(RestingHeap heap) => heap.Next(RestingHeap.StormPerSecond + 1, Second, Old, Old);

    private static RestingHeap Quiet(RestingHeap heap, int seconds, long old = Old, long atLast = Old)
    {
        for (var i = 0; i < seconds; i++)
            heap = heap.Next(12_000_000, Second, old, atLast);
        return heap;
    }
}
