using Fleet.Cli.Updates;

namespace Fleet.Cli.Tests.Updates;

public sealed class UplinkTextTests
{
    [Theory]
    [InlineData("0-6=20MB,6-22=1MB", "0:20000000 6:1000000 22:0")]
    [InlineData("22-6=5MiB", "0:5242880 6:0 22:5242880")]
    [InlineData("0-24=500KB", "0:500000")]
    [InlineData("8-18=1B", "0:0 8:1 18:0")]
    public void Hours_become_limits_that_hold_until_the_next(string text, string limits)
    {
        var read = UplinkText.Read(text, out var problem);

        Assert.Equal("", problem);
        Assert.Equal(limits, string.Join(' ', read!.Select(l => $"{l.FromHour}:{l.BytesPerSecond}")));
    }

    [Theory]
    [InlineData("0-6=20MB,6-22=1MB")]
    [InlineData("0-24=500KB")]
    [InlineData("8-18=1B")]
    public void What_is_shown_reads_back(string text) => Assert.Equal(text, UplinkText.Of(UplinkText.Read(text, out _)!));

    [Theory]
    [InlineData("20MB")]
    [InlineData("0-25=1MB")]
    [InlineData("6-6=1MB")]
    [InlineData("24-6=1MB")]
    [InlineData("0-6=fast")]
    [InlineData("0-6=0MB")]
    [InlineData("0-6=1MB,5-7=2MB")]
    [InlineData("")]
    public void What_can_not_be_read_says_how_to_write_it(string text)
    {
        Assert.Null(UplinkText.Read(text, out var problem));
        Assert.NotEmpty(problem);
    }
}
