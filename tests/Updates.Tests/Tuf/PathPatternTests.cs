using System.Text.RegularExpressions;
using Fleet.Updates.Tuf;

namespace Fleet.Updates.Tests.Tuf;

public sealed class PathPatternTests
{
    [Theory]
    [InlineData("*", "a.deb", true)]
    [InlineData("*", "a/b.deb", false)]
    [InlineData("*/*.deb", "a/b.deb", true)]
    [InlineData("*/*.deb", "a/b/c.deb", false)]
    [InlineData("foo-?.tgz", "foo-1.tgz", true)]
    [InlineData("foo-?.tgz", "foo-12.tgz", false)]
    [InlineData("foo?bar", "foo/bar", false)]
    [InlineData("*.MD", "readme.md", false)]
    [InlineData("a[bc].deb", "ab.deb", false)]
    [InlineData("a[bc].deb", "a[bc].deb", true)]
    [InlineData("", "a", false)]
    [InlineData("a*", "a", true)]
    [InlineData("a**b", "axyb", true)]
    public void A_pattern_matches_within_segments(string pattern, string path, bool matches)
    {
        Assert.Equal(matches, PathPattern.Matches(pattern, path));
    }

    [Fact]
    public void It_agrees_with_the_regular_expression_of_its_definition()
    {
        var random = new Random(7);
        for (var round = 0; round < 20_000; round++)
        {
            var pattern = new string(random.GetItems("ab/*?".AsSpan(), random.Next(8)));
            var path = new string(random.GetItems("ab/".AsSpan(), random.Next(8)));
            var defined = $"^{Regex.Escape(pattern).Replace("\\*", "[^/]*", StringComparison.Ordinal).Replace("\\?", "[^/]", StringComparison.Ordinal)}\\z";

            Assert.True(Regex.IsMatch(path, defined) == PathPattern.Matches(pattern, path), $"'{pattern}' on '{path}'");
        }
    }

    [Fact]
    public void A_pattern_of_many_stars_takes_no_longer_than_its_length_demands()
    {
        var pattern = string.Concat(Enumerable.Repeat("a*", 2000)) + "b";

        Assert.False(PathPattern.Matches(pattern, new string('a', 20_000)));
    }
}
