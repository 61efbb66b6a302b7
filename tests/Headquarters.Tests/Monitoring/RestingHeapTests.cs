using Fleet.Headquarters.Monitoring;

namespace Fleet.Headquarters.Tests.Monitoring;

public sealed class RestingHeapTests
{
    private static readonly OldObjects Old = new(400_000_000, Holes: 0);
    private static readonly OldObjects TooLarge = new(RestingHeap.MostAtOnce + 1, Holes: 0);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_quiet_headquarters_is_left_alone() => Assert.Equal(HeapCare.None, Quiet(new RestingHeap(), 240).Due);

    [Fact]
    public void After_a_storm_and_a_minute_of_quiet_all_is_put_in_order_once()
    {
        var after = Storm(Quiet(new RestingHeap(), 60));

        Assert.Equal(HeapCare.None, Quiet(after, 59).Due);
        Assert.Equal(HeapCare.Compact, Quiet(after, 60).Due);
        Assert.Equal(HeapCare.None, Quiet(Quiet(after, 60).Cared(), 240).Due);
    }

    [Fact]
    public void A_storm_that_goes_on_is_not_disturbed() => Assert.Equal(HeapCare.None, Quiet(Storm(Quiet(Storm(new RestingHeap()), 59)), 59).Due);

    [Fact]
    public void In_quiet_times_dead_old_objects_are_looked_for_the_seldomer_the_more_old_ones_there_are()
    {
        Assert.Equal(HeapCare.Sweep, Quiet(new RestingHeap(), 241).Due);
        Assert.Equal(HeapCare.None, Quiet(new RestingHeap(), 241, Old with { Bytes = 500_000_000 }).Due);
        Assert.Equal(HeapCare.None, Quiet(Quiet(new RestingHeap(), 241).Cared(), 240).Due);
    }

    [Fact]
    public void Many_holes_between_them_are_closed_instead()
    {
        Assert.Equal(HeapCare.Compact, Quiet(new RestingHeap(), 241, Old with { Holes = 40_000_001 }).Due);
        Assert.Equal(HeapCare.Sweep, Quiet(new RestingHeap(), 241, Old with { Holes = 40_000_000 }).Due);
    }

    [Fact]
    public void A_small_heap_is_not_swept_all_the_time()
    {
        var small = new OldObjects(20_000_000, Holes: 10_000_000);

        Assert.Equal(HeapCare.None, Quiet(new RestingHeap(), 240, small).Due);
        Assert.Equal(HeapCare.Compact, Quiet(new RestingHeap(), 241, small).Due);
    }

    [Fact]
    public void A_heap_whose_compaction_would_outlast_links_is_swept_alone()
    {
        Assert.Equal(HeapCare.Sweep, Quiet(Storm(new RestingHeap()), 60, TooLarge).Due);
        Assert.Equal(HeapCare.Sweep, Quiet(new RestingHeap(), 1201, TooLarge with { Holes = TooLarge.Bytes / 2 }).Due);
    }

    private static RestingHeap Storm(RestingHeap heap) => heap.Next(RestingHeap.StormPerSecond + 1, Second, Old);

    private static RestingHeap Quiet(RestingHeap heap, int seconds) => Quiet(heap, seconds, Old);

    private static RestingHeap Quiet(RestingHeap heap, int seconds, OldObjects old)
    {
        for (var i = 0; i < seconds; i++)
            heap = heap.Next(12_000_000, Second, old);
        return heap;
    }
}
