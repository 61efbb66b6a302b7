using System.Globalization;
using Fleet.Device.Updates;

namespace Fleet.Device.Tests.Updates;

public sealed class MaintenanceWindowTests
{
    // 2026-11-27 is a Friday.
    [Theory]
    [InlineData("22:00-05:00", "2026-11-27 21:59", false)]
    [InlineData("22:00-05:00", "2026-11-27 22:00", true)]
    [InlineData("22:00-05:00", "2026-11-28 04:59", true)]
    [InlineData("22:00-05:00", "2026-11-28 05:00", false)]
    [InlineData("Mon-Fri 22:00-05:00", "2026-11-28 04:59", true)]
    [InlineData("Mon-Fri 22:00-05:00", "2026-11-28 22:30", false)]
    [InlineData("Mon-Fri 22:00-05:00", "2026-11-30 04:00", false)]
    [InlineData("Fri-Mon 8:00-20:00", "2026-11-29 12:00", true)]
    [InlineData("Fri-Mon 8:00-20:00", "2026-12-01 12:00", false)]
    [InlineData("sat,Sun 08:00-24:00", "2026-11-28 23:59", true)]
    [InlineData("sat,Sun 08:00-24:00", "2026-11-30 00:00", false)]
    public void It_is_open_when_the_wall_clock_says_so(string window, string local, bool open) =>
        Assert.Equal(open, Read(window).IsOpen(At(local)));

    [Theory]
    [InlineData("22:00-05:00", "2026-11-27 12:00", "2026-11-27 22:00")]
    [InlineData("22:00-05:00", "2026-11-28 05:00", "2026-11-28 22:00")]
    [InlineData("Mon-Fri 22:00-05:00", "2026-11-28 05:00", "2026-11-30 22:00")]
    [InlineData("Fri 08:00-09:00", "2026-11-27 09:00", "2026-12-04 08:00")]
    public void It_says_when_it_opens_next(string window, string local, string opens) =>
        Assert.Equal(At(opens), Read(window).OpensAfter(At(local)));

    [Theory]
    [InlineData("")]
    [InlineData("night")]
    [InlineData("22:00")]
    [InlineData("22:00-25:00")]
    [InlineData("22:00-22:00")]
    [InlineData("Mo-Fr 22:00-05:00")]
    [InlineData("Mon-Wed-Fri 22:00-05:00")]
    [InlineData("Mon, 22:00-05:00")]
    [InlineData("Mon Fri 22:00-05:00")]
    public void What_is_no_window_is_refused_with_an_example(string text)
    {
        Assert.Null(MaintenanceWindow.Parse(text, out var problem));
        Assert.Contains($"'{text}' is no maintenance window", problem);
    }

    private static MaintenanceWindow Read(string text) => MaintenanceWindow.Parse(text, out var problem) ?? throw new FormatException(problem);

    private static DateTime At(string text) => DateTime.ParseExact(text, "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
