using Fleet.Contracts.Agents;
using Google.Protobuf.WellKnownTypes;

namespace Fleet.Contracts.Tests;

public sealed class RetryAfterTests
{
    [Fact]
    public void A_wait_is_read_as_it_was_named()
    {
        var wait = TimeSpan.FromMilliseconds(1500);

        Assert.Equal(wait, RetryAfter.Read(RetryAfter.Text(wait)));
        Assert.Equal(wait, RetryAfter.Read(Duration.FromTimeSpan(wait)));
        Assert.Equal(wait, RetryAfter.Read(wait));
    }

    // Carriers are not trusted: whatever they send must neither silence a device nor break it.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(-5, 0)]
    [InlineData(86_400, 1000)]
    [InlineData(315_360_000, 0)]
    [InlineData(long.MaxValue, 0)]
    [InlineData(1, -1)]
    [InlineData(1, int.MaxValue)]
    public void A_senseless_wait_is_none(long seconds, int nanos) => Assert.Null(RetryAfter.Read(new Duration { Seconds = seconds, Nanos = nanos }));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("1 s")]
    [InlineData("86400001")]
    [InlineData("99999999999999999999")]
    public void A_senseless_trailer_is_none(string? trailer) => Assert.Null(RetryAfter.Read(trailer));

    [Fact]
    public void No_wait_is_longer_than_a_day() => Assert.Null(RetryAfter.Read(TimeSpan.MaxValue));
}
