using Fleet.Updates.Packages;

namespace Fleet.Updates.Tests.Packages;

public sealed class PackagePatternTests
{
    [Theory]
    [InlineData("acme-*", "acme-scale", true)]
    [InlineData("acme-*", "acme", false)]
    [InlineData("acme-*", "my-acme-scale", false)]
    [InlineData("*", "till", true)]
    [InlineData("till?", "till2", true)]
    [InlineData("till", "till", true)]
    public void A_pattern_picks_by_the_whole_name(string pattern, string package, bool picked) => Assert.Equal(picked, PackagePattern.Matches(pattern, package));

    [Theory, InlineData(""), InlineData("Acme-*"), InlineData("acme.*"), InlineData("acme/*"), InlineData("acme *")]
    public void What_no_package_can_be_called_is_no_pattern(string pattern) => Assert.Contains("picks no package", PackagePattern.Problem(pattern), StringComparison.Ordinal);

    [Theory, InlineData("acme-*"), InlineData("*"), InlineData("till-2")]
    public void What_some_package_may_be_called_is_one(string pattern) => Assert.Null(PackagePattern.Problem(pattern));
}
