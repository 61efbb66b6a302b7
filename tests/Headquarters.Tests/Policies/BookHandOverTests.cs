using Fleet.Contracts;
using Fleet.Headquarters.Company;
using Fleet.Messages.Company;
using Fleet.Messages.Offices;

namespace Fleet.Headquarters.Tests.Policies;

public sealed class BookHandOverTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly List<OfficeId> _told = [];
    private readonly BookHandOver _books;
    private Headquarters.Company.Company _company = new();

    public BookHandOverTests() => _books = new BookHandOver(said =>
    {
        if (said is AdoptUpdateBook)
            _told.Add(said.OfficeId);
    });

    [Fact]
    public void A_thousand_offices_are_told_some_at_a_time_and_each_once()
    {
        With(1000);

        _books.Review(_company);
        Assert.InRange(_told.Count, 10, 100);
        for (var i = 0; i < _told.Count; i++)
            Answers(_told[i]);

        Assert.Equal(1000, _told.Distinct().Count());
        Assert.Equal(1000, _told.Count);
        _books.Tick(_company);
        Assert.Equal(1000, _told.Count);
    }

    [Fact]
    public void Offices_that_do_not_answer_hold_nobody_up_and_are_told_again_after_the_others()
    {
        With(200);

        for (var (tick, heard) = (0, 0); tick < 50; tick++)
        {
            _books.Tick(_company);
            for (; heard < _told.Count; heard++)
                if (!_told[heard].Value.EndsWith('7'))
                    Answers(_told[heard]);
        }

        Assert.Equal(200, _told.Distinct().Count());
        Assert.All(_told.GroupBy(o => o), told => Assert.Equal(told.Key.Value.EndsWith('7'), told.Count() > 1));
    }

    [Fact]
    public void A_new_office_is_told_at_once_however_many_wait()
    {
        With(1000);
        _books.Review(_company);
        var added = new OfficeId("new");
        _company = _company.Apply(new OfficeAdded(added, "New", "test", Noon));

        _books.Begin(_company, added);

        Assert.Equal(added, _told[^1]);
    }

    [Fact]
    public void An_office_that_refuses_makes_room()
    {
        With(1000);
        _books.Review(_company);
        var before = _told.Count;

        _books.Refused(_company, _told[0]);

        Assert.Equal(before + 1, _told.Count);
    }

    private void Answers(OfficeId office)
    {
        _books.HasPolicies(_company, office, _company.Book.Version);
        _books.HasRules(_company, office, _company.Rules.Version);
        _books.HasUpdates(_company, office, _company.Updates.Version);
    }

    private void With(int offices) =>
        _company = Enumerable.Range(0, offices).Aggregate(_company, (company, n) => company.Apply(new OfficeAdded(new OfficeId($"office-{n:0000}"), "Office", "test", Noon)));
}
