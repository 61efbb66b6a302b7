using Fleet.Contracts;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;

namespace Fleet.Messages.Tests.Offices;

/// <summary>How events that were decided together share rows of the journal.</summary>
public sealed class OfficeEventsTests
{
    private static readonly OfficeId Leeds = new("leeds");
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void One_event_stays_itself()
    {
        var alone = Reported(1);

        Assert.Same(alone, Assert.Single(OfficeEvents.Rows(Leeds, [alone])));
        Assert.Empty(OfficeEvents.Rows(Leeds, []));
    }

    [Fact]
    public void All_events_are_in_the_rows_once_and_in_order_and_no_row_is_too_large()
    {
        List<IOfficeEvent> events = [.. Enumerable.Range(0, 2500).Select(n => Reported(n)), .. Enumerable.Range(0, 50).Select(n => Reported(n, bytes: 48 * 1024))];

        var rows = OfficeEvents.Rows(Leeds, events);

        Assert.Equal(events, rows.SelectMany(Events));
        Assert.All(rows, row => Assert.InRange(Events(row).Count, 1, OfficeEvents.Most));
        Assert.All(rows, row => Assert.True(Events(row).SkipLast(1).Sum(e => ((DeviceReported)e).Report.Length) < OfficeEvents.MostBytes));
        Assert.InRange(rows.Count, 5, 7);
    }

    [Fact]
    public void A_row_names_no_more_kinds_than_its_manifest_has_room_for()
    {
        var device = new DeviceId("till");
        List<IOfficeEvent> events =
        [
            new OfficeOpened(Leeds, "", "", Noon), new OfficeClosed(Leeds, "", Noon), Reported(1), new DeviceMoveDone(Leeds, device, Noon), new DeviceRemoved(Leeds, device, "", Noon),
            new DeviceConnectionSet(Leeds, device, null, "", Noon), new DeviceConnectionDecided(Leeds, device, false, "", Noon), new DeviceWakeRequested(Leeds, device, 1, "", Noon),
            new DeviceEventRecorded(Leeds, device, 1, "", "", Noon, Noon), new DeviceDesiredChanged(Leeds, device, 1, default, Noon), new DeviceCloneSeen(Leeds, device, default, "", Noon),
            new DeviceWakeEnded(Leeds, device, 1, WakeChannel.OfficePush, default, "", Noon),
        ];

        var rows = OfficeEvents.Rows(Leeds, events);

        Assert.Equal(events, rows.SelectMany(Events));
        Assert.Equal([OfficeEvents.MostKinds, events.Count - OfficeEvents.MostKinds], rows.Select(r => Events(r).Count));
    }

    private static IReadOnlyList<IOfficeEvent> Events(IOfficeEvent row) => row is OfficeEvents many ? many.Events : [row];

    private static DeviceReported Reported(int number, int bytes = 10) => new(Leeds, new DeviceId($"till-{number}"), 1, 1, 1, default, new byte[bytes], Noon);
}
