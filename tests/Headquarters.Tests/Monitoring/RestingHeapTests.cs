using Fleet.Headquarters.Monitoring;

namespace Fleet.Headquarters.Tests.Monitoring;

public sealed class RestingHeapTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_quiet_headquarters_is_left_alone() => Assert.False(Quiet(new RestingHeap(), 600).IsDue);

    [Fact]
    public void After_a_storm_and_a_minute_of_quiet_it_is_due_once()
    {
        var after = Storm(Quiet(new RestingHeap(), 600));

        Assert.False(Quiet(after, 59).IsDue);
        Assert.True(Quiet(after, 60).IsDue);
        Assert.False(Quiet(Quiet(after, 60).Collected(), 600).IsDue);
    }

    [Fact]
    public void A_storm_that_goes_on_is_not_disturbed() => Assert.False(Quiet(Storm(Quiet(Storm(new RestingHeap()), 59)), 59).IsDue);

    private static RestingHeap Storm(RestingHeap heap) => heap.Next(RestingHeap.StormPerSecond + 1, Second);

    private static RestingHeap Quiet(RestingHeap heap, int seconds)
    {
        for (var i = 0; i < seconds; i++)
            heap = heap.Next(12_000_000, Second);
        return heap;
    }
}
