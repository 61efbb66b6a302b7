namespace Fleet.Contracts.Tests;

public sealed class SizeTextTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(20_000_000, "19.1 MiB")]
    [InlineData(50L << 30, "50 GiB")]
    [InlineData(long.MaxValue, "8192 PiB")]
    public void Bytes_are_shown_in_the_unit_that_fits(long bytes, string text) => Assert.Equal(text, SizeText.Of(bytes));
}
