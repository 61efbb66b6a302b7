using Fleet.Contracts;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Tests.Updates;

public sealed class AptRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AptRepository Debian = new("debian", "https://deb.debian.org/debian", new byte[500], ["bookworm", "bookworm-updates"]);

    [Fact]
    public void A_repository_stands_in_the_book_under_its_next_version()
    {
        var company = Put(new Company.Company(), Debian);

        Assert.Equal((1UL, "debian"), (company.Updates.Version, Assert.Single(company.Updates.Apt).Name));
    }

    [Fact]
    public void The_same_again_changes_nothing_and_another_takes_its_place()
    {
        var company = Put(new Company.Company(), Debian);

        Assert.Empty(company.Decide(new PutAptRepository(Debian with { Suites = ["bookworm", "bookworm-updates"] }, "test"), Noon).Events);
        Assert.Equal("http://mirror/debian", Assert.Single(Put(company, Debian with { Url = "http://mirror/debian" }).Updates.Apt).Url);
    }

    [Fact]
    public void A_repository_is_removed_and_a_mistyped_one_is_answered_with_the_one_that_was_meant()
    {
        var company = Put(new Company.Company(), Debian);

        var refused = Assert.IsType<CompanyRefused>(company.Decide(new RemoveAptRepository("debain", "test"), Noon).Reply);
        var removed = company.Decide(new RemoveAptRepository("debian", "test"), Noon).Events.Aggregate(company, (c, e) => c.Apply(e));

        Assert.Contains("debian", refused.Detail, StringComparison.Ordinal);
        Assert.Equal((2UL, 0), (removed.Updates.Version, removed.Updates.Apt.Count));
    }

    [Theory]
    [InlineData("Debian", "http://a/b", "bookworm", "a name has")]
    [InlineData("..", "http://a/b", "bookworm", "a name has")]
    [InlineData("", "http://a/b", "bookworm", "a name has")]
    [InlineData("debian", "ftp://a/b", "bookworm", "http:// or https://")]
    [InlineData("debian", "/srv/mirror", "bookworm", "http:// or https://")]
    [InlineData("debian", "http://user:secret@a/b", "bookworm", "a user or a password")]
    [InlineData("debian", "http://a/b?c=d", "bookworm", "end with a path")]
    [InlineData("debian", "http://a/b", "../other", "is no suite")]
    [InlineData("debian", "http://a/b", "", "is no suite")]
    [InlineData("debian", "http://a/b", "book worm", "is no suite")]
    public void What_can_not_be_passed_on_is_refused(string name, string url, string suite, string why)
    {
        var decision = new Company.Company().Decide(new PutAptRepository(new AptRepository(name, url, new byte[1], [suite]), "test"), Noon);

        Assert.Empty(decision.Events);
        Assert.Contains(why, Assert.IsType<CompanyRefused>(decision.Reply).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Keyrings_travel_in_one_message_and_so_have_a_limit_together()
    {
        var company = Put(new Company.Company(), Debian with { Keyring = new byte[40_000] });

        var refused = Assert.IsType<CompanyRefused>(company.Decide(new PutAptRepository(Debian with { Name = "other", Keyring = new byte[40_000] }, "test"), Noon).Reply);

        Assert.Equal(RefusalCode.TooLarge, refused.Code);
    }

    private static Company.Company Put(Company.Company company, AptRepository repository)
    {
        var decision = company.Decide(new PutAptRepository(repository, "test"), Noon);
        Assert.IsType<CompanyAccepted>(decision.Reply);
        return decision.Events.Aggregate(company, (c, e) => c.Apply(e));
    }
}
