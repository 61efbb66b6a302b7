using Fleet.Headquarters.Company;
using Fleet.Messages.Company;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Offices;

public sealed class BudgetTests
{
    private static readonly ConnectionBudgets Budgets = new(Links: 300, Devices: 1000);

    [Fact]
    public void Offices_together_never_hold_more_than_the_budget_and_what_one_gives_back_another_gets()
    {
        var company = new Headquarters.Company.Company().Apply(new OfficeAdded(Leeds, "Leeds", "test", Noon)).Apply(new OfficeAdded(York, "York", "test", Noon));

        (company, var leeds) = Ask(company, new WantConnections(Leeds, 1, 800));
        (company, var york) = Ask(company, new WantConnections(York, 301, 800));
        (company, _) = Ask(company, new WantConnections(Leeds, 0, 100));
        (company, var again) = Ask(company, new WantConnections(York, 301, 800));

        Assert.Equal((1, 800), (leeds.Links, leeds.Devices));
        Assert.Equal((299, 200, 300, 1000), (york.Links, york.Devices, york.LinksTaken, york.DevicesTaken));
        Assert.Equal((300, 800, 900), (again.Links, again.Devices, again.DevicesTaken));
    }

    [Fact]
    public void A_budget_that_was_lowered_holds_as_offices_ask_again_and_a_repeat_journals_nothing()
    {
        var company = new Headquarters.Company.Company().Apply(new OfficeAdded(Leeds, "Leeds", "test", Noon)).Apply(new ConnectionsLeased(Leeds, 5, 5000, Noon));

        var (lowered, granted) = Ask(company, new WantConnections(Leeds, 5, 5000));

        Assert.Equal((5, 1000), (granted.Links, granted.Devices));
        Assert.Empty(lowered.Decide(new WantConnections(Leeds, 5, 5000), Budgets, Noon).Events);
    }

    [Fact]
    public void An_office_that_was_removed_leaves_its_places_to_the_others()
    {
        var company = new Headquarters.Company.Company().Apply(new OfficeAdded(Leeds, "Leeds", "test", Noon)).Apply(new OfficeAdded(York, "York", "test", Noon))
            .Apply(new ConnectionsLeased(Leeds, 300, 0, Noon));

        Assert.Equal(300, Ask(company.Apply(new OfficeRemoved(Leeds, "test", Noon)), new WantConnections(York, 300, 0)).Granted.Links);
    }

    private static (Headquarters.Company.Company Company, ConnectionsGranted Granted) Ask(Headquarters.Company.Company company, WantConnections asked)
    {
        var decision = company.Decide(asked, Budgets, Noon);
        return (decision.Events.Aggregate(company, (c, e) => c.Apply(e)), (ConnectionsGranted)decision.Reply);
    }
}
