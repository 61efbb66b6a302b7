using System.Text;
using Fleet.Updates.Tuf;

namespace Fleet.Updates.Tests.Tuf;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":{"b":1,"\u0062":2}}""")]
    [InlineData("1.0")]
    [InlineData("1e2")]
    [InlineData("1e400")]
    [InlineData("-0")]
    [InlineData("9223372036854775808")]
    [InlineData("{} {}")]
    [InlineData("{}x")]
    [InlineData("\uFEFF{}")]
    [InlineData("// why\n{}")]
    [InlineData("[1,]")]
    [InlineData("""["\ud800"]""")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("")]
    public void Attack_14_JSON_that_two_readers_may_understand_differently_is_refused(string text)
    {
        Assert.Throws<FormatException>(() => StrictJson.Parse(Encoding.UTF8.GetBytes(text), 1000));
    }

    [Fact]
    public void Attack_14_text_that_is_no_UTF_8_is_refused()
    {
        Assert.Throws<FormatException>(() => StrictJson.Parse([.. "[\""u8, 0xC3, 0x28, .. "\"]"u8], 1000));
    }

    [Fact]
    public void Attack_14_depth_is_bounded()
    {
        static byte[] Nested(int depth) => Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth));

        StrictJson.Parse(Nested(StrictJson.MaxDepth), 100_000);

        Assert.Throws<FormatException>(() => StrictJson.Parse(Nested(StrictJson.MaxDepth + 1), 100_000));
        Assert.Throws<FormatException>(() => StrictJson.Parse(Nested(10_000), 100_000));
    }

    [Fact]
    public void Attack_14_size_is_judged_before_the_content()
    {
        var fault = Assert.Throws<FormatException>(() => StrictJson.Parse("not JSON"u8, 7));

        Assert.Contains("8 bytes", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_numbers_of_64_bits_and_white_space_at_the_end_are_taken()
    {
        var numbers = StrictJson.Parse("[9223372036854775807,-9223372036854775808,0]  \n"u8, 1000);

        Assert.Equal([long.MaxValue, long.MinValue, 0], numbers.EnumerateArray().Select(n => n.GetInt64()));
    }
}
