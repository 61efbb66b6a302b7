using Fleet.Device.Events;
using Fleet.Device.Storage;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Device.Tests.Events;

public sealed class EventQueueTests
{
    private const string FileName = "events.bin";
    private static readonly EventCaps Caps = new(MaxCount: 100, MaxBytes: 1_000_000, MaxAge: TimeSpan.FromDays(30));
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly DeviceMemory _storage = new();

    [Fact]
    public void A_file_cut_at_any_byte_gives_back_every_whole_event_and_goes_on()
    {
        var queue = Open();
        var ends = new List<int> { 0 };
        for (var n = 1; n <= 5; n++)
        {
            queue.Add("kind", $"event {n}");
            ends.Add(_storage.Read(FileName)!.Length);
        }

        var whole = _storage.Read(FileName)!;
        for (var length = 0; length <= whole.Length; length++)
        {
            var storage = new DeviceMemory();
            storage.Replace(FileName, whole.AsSpan(0, length));
            var recovered = Open(storage);
            var expected = ends.Count(e => e <= length) - 1;
            Assert.Equal(Numbers(1, expected), recovered.Oldest(100).Select(e => e.Number));

            recovered.Add("kind", "after the crash");
            Assert.Equal(Numbers(1, expected + 1), Open(storage).Oldest(100).Select(e => e.Number));
        }
    }

    [Fact]
    public void A_flipped_byte_never_invents_or_changes_an_event()
    {
        var queue = Open();
        for (var n = 1; n <= 3; n++)
            queue.Add("kind", $"event {n}");
        var whole = _storage.Read(FileName)!;

        for (var at = 0; at < whole.Length; at++)
        {
            var flipped = whole.ToArray();
            flipped[at] ^= 0x40;
            var storage = new DeviceMemory();
            storage.Replace(FileName, flipped);
            Assert.Equal(queue.Oldest(3).Take(Open(storage).Count), Open(storage).Oldest(100));
        }
    }

    [Fact]
    public void Acknowledged_events_go_and_numbers_are_never_used_again()
    {
        var queue = Open();
        queue.Add("kind", "one");
        queue.Add("kind", "two");

        queue.Acknowledge(2);

        Assert.Empty(queue.Oldest(10));
        var restarted = Open(acknowledged: 2);
        restarted.Add("kind", "three");
        Assert.Equal([3UL], restarted.Oldest(10).Select(e => e.Number));
    }

    [Fact]
    public void Numbers_go_on_even_where_the_acknowledged_number_was_not_kept()
    {
        var queue = Open();
        for (var n = 0; n < 300; n++)
        {
            queue.Add("kind", new string('x', 400));
            queue.Acknowledge((ulong)n + 1);
        }

        Assert.True(_storage.Read(FileName)!.Length < 70_000);
        Assert.Equal(300UL, Open().LastNumber);
    }

    [Fact]
    public void Past_the_cap_the_oldest_go_and_a_note_says_how_many()
    {
        var queue = Open();

        for (var n = 1; n <= 250; n++)
            queue.Add("kind", $"event {n}");

        var kept = queue.Oldest(1000);
        Assert.InRange(kept.Count, 2, Caps.MaxCount);
        Assert.Equal("events-dropped", kept[0].Kind);
        Assert.StartsWith($"{kept[0].Number} events were dropped", kept[0].Text);
        Assert.Equal(Numbers((int)kept[0].Number, kept.Count), kept.Select(e => e.Number));
        Assert.Equal(kept, Open().Oldest(1000));
    }

    [Fact]
    public void Events_past_their_age_are_dropped_with_a_note()
    {
        var queue = Open();
        for (var n = 1; n <= 3; n++)
            queue.Add("kind", $"event {n}");
        _clock.Advance(TimeSpan.FromDays(40));

        queue.Add("kind", "now");

        Assert.Equal(["events-dropped", "kind"], queue.Oldest(10).Select(e => e.Kind));
    }

    private EventQueue Open(DeviceMemory? storage = null, ulong acknowledged = 0) => new(storage ?? _storage, Caps, _clock, acknowledged);

    private static IEnumerable<ulong> Numbers(int first, int count) => Enumerable.Range(first, count).Select(n => (ulong)n);
}
