using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Messages.Link;
using Fleet.Office.Outbox;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.Office.Tests.Outbox;

public sealed class OutboxFileTests : IDisposable
{
    private static readonly OfficeId Leeds = new("leeds");
    private readonly TempDirectory _directory = new();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void The_newest_report_of_a_device_takes_the_place_of_the_older()
    {
        using var outbox = Open();
        outbox.Keep([Report("a", 1), Report("b", 1)]);

        outbox.Keep([Report("a", 2)]);

        Assert.Equal([("b", 1), ("a", 2)], All(outbox));
    }

    [Fact]
    public void A_device_that_repeats_itself_does_not_lose_its_turn()
    {
        using var outbox = Open();
        outbox.Keep([Report("a", 1), Report("b", 1)]);
        var before = outbox.ReportsAfter(0, 10, 1000).Select(r => r.Place);

        outbox.Keep([Report("a", 1)]);

        Assert.Equal(before, outbox.ReportsAfter(0, 10, 1000).Select(r => r.Place));
    }

    [Fact]
    public void What_is_stored_leaves_and_what_replaced_it_meanwhile_stays()
    {
        using var outbox = Open();
        outbox.Keep([Report("a", 1), Report("b", 1)]);
        var sent = outbox.ReportsAfter(0, 10, 1000).Select(r => r.Place).ToList();
        outbox.Keep([Report("a", 2)]);

        outbox.Stored(sent, 1, 0);

        Assert.Equal([("a", 2)], All(outbox));
    }

    [Fact]
    public void Everything_committed_is_there_after_a_kill()
    {
        using var killed = Open();
        killed.Keep([Report("a", 1)]);
        killed.Record("link-up", "epoch 1");
        // What a killed process leaves: the files as they are, never closed.
        foreach (var file in Directory.GetFiles(_directory.Path, "outbox.db*"))
            File.Copy(file, file.Replace("outbox.db", "after.db", StringComparison.Ordinal));

        using var after = Open("after.db");

        Assert.Equal([("a", 1)], All(after));
        Assert.Equal(["epoch 1"], after.EventsAfter(0, 10).Select(e => e.Text));
    }

    [Fact]
    public void Event_numbers_rise_without_gaps_and_are_never_given_twice()
    {
        using (var outbox = Open())
        {
            outbox.Record("a", "1");
            outbox.Record("a", "2");
            outbox.EventsStored(2);
        }

        using var again = Open();
        again.Record("a", "3");

        Assert.Equal([3UL], again.EventsAfter(0, 10).Select(e => e.Number));
    }

    [Fact]
    public void After_the_file_was_lost_events_get_numbers_that_headquarters_has_not_seen()
    {
        using var outbox = Open();
        outbox.Record("started", "first");
        outbox.Record("started", "second");

        outbox.EventsStored(40);
        outbox.Record("started", "third");

        Assert.Equal([(41UL, "first"), (42UL, "second"), (43UL, "third")], outbox.EventsAfter(0, 10).Select(e => (e.Number, e.Text)));
    }

    [Fact]
    public void Over_the_caps_the_oldest_go()
    {
        using var outbox = Open(options: new OutboxOptions(MaxReports: 2, MaxEvents: 2, MaxAge: TimeSpan.FromDays(1)));

        outbox.Keep([Report("a", 1), Report("b", 1), Report("c", 1)]);
        foreach (var text in new[] { "1", "2", "3" })
            outbox.Record("a", text);

        Assert.Equal([("b", 1), ("c", 1)], All(outbox));
        Assert.Equal(["2", "3"], outbox.EventsAfter(0, 10).Select(e => e.Text));
    }

    [Fact]
    public void Over_the_age_everything_goes()
    {
        using var outbox = Open(options: new OutboxOptions(MaxReports: 10, MaxEvents: 10, MaxAge: TimeSpan.FromDays(1)));
        outbox.Keep([Report("a", 1)]);
        outbox.Record("a", "old");
        _clock.Advance(TimeSpan.FromDays(2));

        outbox.Keep([Report("b", 1)]);
        outbox.Record("a", "new");

        Assert.Equal([("b", 1)], All(outbox));
        Assert.Equal(["new"], outbox.EventsAfter(0, 10).Select(e => e.Text));
    }

    [Fact]
    public void Reports_are_read_up_to_a_size_and_at_least_one()
    {
        using var outbox = Open();
        outbox.Keep([Report("a", 1, size: 600), Report("b", 1, size: 600), Report("c", 1, size: 600)]);

        Assert.Equal(2, outbox.ReportsAfter(0, 10, maxBytes: 1000).Count);
        Assert.Single(outbox.ReportsAfter(0, 10, maxBytes: 1));
    }

    [Fact]
    public void A_damaged_file_is_refused_with_advice()
    {
        File.WriteAllBytes(_directory.Of("outbox.db"), Enumerable.Repeat((byte)7, 8192).ToArray());

        var fault = Assert.Throws<StorageException>(() => Open());

        Assert.Contains("delete it", fault.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    private OutboxFile Open(string name = "outbox.db", OutboxOptions? options = null) =>
        new(_directory.Of(name), options ?? new OutboxOptions(100, 100, TimeSpan.FromDays(30)), _clock);

    private static DeviceEnvelopeUp Report(string device, byte version, int size = 1)
    {
        var envelope = new byte[size];
        envelope[0] = version;
        return new DeviceEnvelopeUp(new DeviceId(device), envelope, Leeds);
    }

    private static IEnumerable<(string, int)> All(OutboxFile outbox) =>
        outbox.ReportsAfter(0, 100, int.MaxValue).Select(r => (r.Report.DeviceId.Value, (int)r.Report.Envelope.Span[0]));
}
