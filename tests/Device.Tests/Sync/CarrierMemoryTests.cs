using Fleet.Device.Sync;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Device.Tests.Sync;

public sealed class CarrierMemoryTests
{
    private static readonly TimeSpan ReturnAfter = TimeSpan.FromMinutes(5);

    private readonly FakeTimeProvider _clock = new();
    private readonly CarrierMemory _memory;

    public CarrierMemoryTests() => _memory = new CarrierMemory(ReturnAfter, _clock, new Random(1));

    [Fact]
    public void A_carrier_that_failed_is_tried_last_until_its_time_is_over()
    {
        _memory.Fail("a");

        Assert.Equal(["b", "c", "a"], _memory.Order(["a", "b", "c"]));
        _clock.Advance(_memory.Left("a"));
        Assert.Equal(["a", "b", "c"], _memory.Order(["a", "b", "c"]));
    }

    [Fact]
    public void Where_all_failed_the_order_given_counts()
    {
        foreach (var carrier in new[] { "c", "a", "b" })
            _memory.Fail(carrier);

        Assert.Equal(["a", "b", "c"], _memory.Order(["a", "b", "c"]));
    }

    [Fact]
    public void One_failure_that_is_seen_often_counts_once()
    {
        _memory.Fail("a");
        var left = _memory.Left("a");

        _memory.Fail("a");

        Assert.Equal(left, _memory.Left("a"));
    }

    [Fact]
    public void One_that_fails_again_and_again_is_left_alone_for_longer_up_to_eightfold()
    {
        var times = Enumerable.Range(0, 8).Select(_ =>
        {
            _memory.Fail("a");
            var left = _memory.Left("a");
            _clock.Advance(left);
            return left / ReturnAfter;
        }).ToList();

        foreach (var (time, bound) in times.Zip([1, 2, 4, 8, 8, 8, 8, 8]))
            Assert.InRange(time, bound * 0.5, bound * 1.5);
    }

    [Fact]
    public void One_that_was_well_for_long_begins_anew()
    {
        _memory.Fail("a");
        _clock.Advance(4 * ReturnAfter);

        _memory.Fail("a");

        Assert.InRange(_memory.Left("a") / ReturnAfter, 0.5, 1.5);
    }

    [Fact]
    public void The_times_of_many_devices_are_spread_evenly_over_the_whole_of_it()
    {
        var times = Enumerable.Range(0, 1000).Select(seed =>
        {
            var memory = new CarrierMemory(ReturnAfter, _clock, new Random(seed));
            memory.Fail("a");
            return memory.Left("a") / ReturnAfter;
        }).ToList();

        Assert.All(Enumerable.Range(5, 10), tenth => Assert.InRange(times.Count(t => t >= tenth / 10.0 && t < (tenth + 1) / 10.0), 60, 140));
    }
}
