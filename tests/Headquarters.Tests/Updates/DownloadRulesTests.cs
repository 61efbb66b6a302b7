using Fleet.Contracts;
using Fleet.Headquarters.Updates;
using Fleet.Messages.Company;

namespace Fleet.Headquarters.Tests.Updates;

public sealed class DownloadRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly UpdateSource Headquarters = new(UpdateSourceKind.Headquarters, "");
    private static readonly DownloadTask Nightly = new(
        "nightly", [], [Headquarters], ["till-*"], "0 2 * * *", "Europe/London", TimeSpan.FromHours(1), [new UplinkBudget(0, 0), new UplinkBudget(6, 1_000_000)], 0, Paused: false);

    [Fact]
    public void A_task_stands_in_the_book_under_its_next_version_and_the_same_again_changes_nothing()
    {
        var company = Done(new Company.Company(), new PutDownloadTask(Nightly, "test"));

        Assert.Equal((1UL, "nightly"), (company.Updates.Version, Assert.Single(company.Updates.Tasks).Name));
        Assert.Empty(company.Decide(new PutDownloadTask(Nightly with { Patterns = ["till-*"] }, "test"), Noon).Events);
    }

    [Fact]
    public void A_task_that_is_changed_stays_paused_and_keeps_the_numbers_of_its_runs()
    {
        var company = Done(new Company.Company(), new PutDownloadTask(Nightly, "test"), new RunDownloadTask("nightly", "test"), new PauseDownloadTask("nightly", Paused: true, "test"));

        var task = Assert.Single(Done(company, new PutDownloadTask(Nightly with { Schedule = "" }, "test")).Updates.Tasks);

        Assert.Equal(("", true, 2UL), (task.Schedule, task.Paused, task.RunNumber));
    }

    [Fact]
    public void Each_run_has_a_higher_number_than_any_before_even_when_the_task_was_made_anew()
    {
        var first = Done(new Company.Company(), new PutDownloadTask(Nightly, "test"), new RunDownloadTask("nightly", "test"), new RunDownloadTask("nightly", "test"));
        var anew = Done(first, new RemoveDownloadTask("nightly", "test"), new PutDownloadTask(Nightly, "test"), new RunDownloadTask("nightly", "test"));

        Assert.True(anew.Updates.Tasks[0].RunNumber > first.Updates.Tasks[0].RunNumber);
    }

    [Fact]
    public void A_paused_task_is_not_run_until_it_is_resumed()
    {
        var paused = Done(new Company.Company(), new PutDownloadTask(Nightly, "test"), new PauseDownloadTask("nightly", Paused: true, "test"));

        Assert.Contains("resume it first", Refused(paused, new RunDownloadTask("nightly", "test")).Detail, StringComparison.Ordinal);
        Assert.False(Assert.Single(Done(paused, new PauseDownloadTask("nightly", Paused: false, "test")).Updates.Tasks).Paused);
    }

    [Fact]
    public void A_mistyped_task_is_answered_with_the_one_that_was_meant()
    {
        var company = Done(new Company.Company(), new PutDownloadTask(Nightly, "test"));

        foreach (var command in (ICompanyCommand[])[new RemoveDownloadTask("nigthly", "test"), new RunDownloadTask("nigthly", "test"), new CancelDownloadTask("nigthly", "test"), new PauseDownloadTask("nigthly", true, "test")])
            Assert.Contains("nightly", Refused(company, command).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_names_offices_that_exist()
    {
        var company = Done(new Company.Company(), new AddOffice(new OfficeId("leeds"), "Leeds", "test"));

        Done(company, new PutDownloadTask(Nightly with { Offices = [new OfficeId("leeds")] }, "test"));
        Assert.Contains("office york, which does not exist", Refused(company, new PutDownloadTask(Nightly with { Offices = [new OfficeId("york")] }, "test")).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_with_the_same_labels_again_changes_nothing_and_with_others_does()
    {
        var labelled = Nightly with { Labels = Labels(("line", "poor"), ("floor", "1")) };
        var company = Done(new Company.Company(), new PutDownloadTask(labelled, "test"));

        Assert.Empty(company.Decide(new PutDownloadTask(labelled with { Labels = Labels(("floor", "1"), ("line", "poor")) }, "test"), Noon).Events);
        Assert.Null(Assert.Single(Done(company, new PutDownloadTask(Nightly, "test")).Updates.Tasks).Labels);
        Assert.True(DownloadRules.Says(labelled, labelled with { Labels = Labels(("floor", "1"), ("line", "poor")) }));
        Assert.False(DownloadRules.Says(labelled, Nightly));
    }

    [Fact]
    public void A_task_picks_distribution_points_by_office_and_label_and_all_must_fit()
    {
        var task = Nightly with { Offices = [new OfficeId("leeds")], Labels = Labels(("line", "poor"), ("floor", "1")) };

        Assert.True(DownloadRules.IsFor(task, new OfficeId("leeds"), Labels(("line", "poor"), ("floor", "1"), ("room", "shop"))));
        Assert.False(DownloadRules.IsFor(task, new OfficeId("leeds"), Labels(("line", "poor"), ("floor", "2"))));
        Assert.False(DownloadRules.IsFor(task, new OfficeId("york"), Labels(("line", "poor"), ("floor", "1"))));
        Assert.True(DownloadRules.IsFor(Nightly, new OfficeId("york"), Labels()));
    }

    [Theory]
    [InlineData(UpdateSourceKind.Vendor, "ftp://a/b", "is no source")]
    [InlineData(UpdateSourceKind.Vendor, "headquaters", "is no source")]
    [InlineData(UpdateSourceKind.Vendor, "https://user:secret@a/b", "a user or a password")]
    [InlineData(UpdateSourceKind.Vendor, "https://a/b?c=d", "end with a path")]
    [InlineData(UpdateSourceKind.Folder, "updates", "must be a whole path")]
    [InlineData(UpdateSourceKind.Headquarters, "other", "one place")]
    public void A_source_that_nothing_comes_from_is_refused(UpdateSourceKind kind, string location, string why) =>
        Assert.Contains(why, Refused(Nightly with { Sources = [Headquarters, new UpdateSource(kind, location)] }), StringComparison.Ordinal);

    [Fact]
    public void A_password_stays_until_another_is_given_and_goes_with_its_user()
    {
        var vendor = new UpdateSource(UpdateSourceKind.Vendor, "https://a/b", User: "shop", Password: new byte[] { 1 });
        var company = Done(new Company.Company(), new PutDownloadTask(Nightly with { Sources = [vendor] }, "test"));

        var kept = Done(company, new PutDownloadTask(Nightly with { Sources = [vendor with { Password = default }], Schedule = "" }, "test"));
        var other = Done(company, new PutDownloadTask(Nightly with { Sources = [vendor with { Password = default, User = "other" }] }, "test"));

        Assert.Equal(new byte[] { 1 }, kept.Updates.Tasks[0].Sources[0].Password.ToArray());
        Assert.True(other.Updates.Tasks[0].Sources[0].Password.IsEmpty);
        Assert.Empty(company.Decide(new PutDownloadTask(Nightly with { Sources = [vendor with { Password = default }] }, "test"), Noon).Events);
    }

    [Theory]
    [InlineData("http://a/b", "", "shop", "", "must begin with https://")]
    [InlineData("https://a/b", "", "sh:op", "", "without ':'")]
    [InlineData("https://a/b", "", "", "ABC", "64 lower-case")]
    [InlineData("https://a/b", "socks://a:1", "", "", "is no proxy")]
    [InlineData("https://a/b", "http://user:secret@a:1", "", "", "is no proxy")]
    public void How_a_source_is_asked_must_be_possible_and_not_give_it_away(string url, string proxy, string user, string pin, string why) =>
        Assert.Contains(why, Refused(Nightly with { Sources = [new UpdateSource(UpdateSourceKind.Vendor, url, proxy, user, default, pin)] }), StringComparison.Ordinal);

    [Fact]
    public void A_folder_has_no_user() =>
        Assert.Contains("for sources with a URL", Refused(Nightly with { Sources = [new UpdateSource(UpdateSourceKind.Folder, "/srv", User: "shop")] }), StringComparison.Ordinal);

    [Theory]
    [InlineData("/srv/updates")]
    [InlineData(@"D:\updates")]
    [InlineData(@"\\server\updates")]
    public void A_folder_is_a_whole_path_of_the_system_that_the_node_runs(string path) =>
        Done(new Company.Company(), new PutDownloadTask(Nightly with { Sources = [new UpdateSource(UpdateSourceKind.Folder, path)] }, "test"));

    [Theory]
    [InlineData("every night", "UTC", "is no schedule")]
    [InlineData("0 25 * * *", "UTC", "is no schedule")]
    [InlineData("0 2 * * *", "London", "is no time zone")]
    [InlineData("0 2 * * *", "", "is no time zone")]
    public void A_schedule_that_nobody_can_read_is_refused(string schedule, string zone, string why) =>
        Assert.Contains(why, Refused(Nightly with { Schedule = schedule, TimeZone = zone }), StringComparison.Ordinal);

    [Fact]
    public void What_no_node_could_do_is_refused()
    {
        Assert.Contains("1 to 10 sources", Refused(Nightly with { Sources = [] }), StringComparison.Ordinal);
        Assert.Contains("task:", Refused(Nightly with { Name = "no good" }), StringComparison.Ordinal);
        Assert.Contains("picks no package", Refused(Nightly with { Patterns = ["../*"] }), StringComparison.Ordinal);
        Assert.Contains("KEY=VALUE", Refused(Nightly with { Labels = Labels(("", "poor")) }), StringComparison.Ordinal);
        Assert.Contains("KEY=VALUE", Refused(Nightly with { Labels = Labels(("line", new string('a', 129))) }), StringComparison.Ordinal);
        Assert.Contains("at most a day", Refused(Nightly with { Spread = TimeSpan.FromDays(2) }), StringComparison.Ordinal);
        Assert.Contains("hours are 0 to 23", Refused(Nightly with { Budget = [new UplinkBudget(24, 1)] }), StringComparison.Ordinal);
        Assert.Contains("from the same hour", Refused(Nightly with { Budget = [new UplinkBudget(6, 1), new UplinkBudget(6, 2)] }), StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Labels(params (string Key, string Value)[] labels) => labels.ToDictionary(l => l.Key, l => l.Value);

    private static string Refused(DownloadTask task) => Refused(new Company.Company(), new PutDownloadTask(task, "test")).Detail;

    private static CompanyRefused Refused(Company.Company company, ICompanyCommand command)
    {
        var decision = company.Decide(command, Noon);
        Assert.Empty(decision.Events);
        return Assert.IsType<CompanyRefused>(decision.Reply);
    }

    private static Company.Company Done(Company.Company company, params ICompanyCommand[] commands) => commands.Aggregate(company, (now, command) =>
    {
        var decision = now.Decide(command, Noon);
        Assert.IsType<CompanyAccepted>(decision.Reply);
        return decision.Events.Aggregate(now, (c, e) => c.Apply(e));
    });
}
