using Fleet.Headquarters.Discovery;
using Fleet.Headquarters.Offices;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Discovery.NetworkSituation;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Discovery;

public sealed class PollerRuleTests
{
    private static readonly TimeSpan MoveAfter = TestOffices.Options.Discovery.MovePollerAfter;

    [Fact]
    public void The_first_linked_node_with_the_role_polls_and_its_document_is_another_then()
    {
        var office = Open(Leeds).WithPollerRole(Node1).WithPoller(Node2);

        Assert.Equal(Node2, office.Polling.Poller);
        Assert.Equal(2UL, office.Nodes[Node2].DesiredVersion);
        Assert.Equal(1UL, office.Nodes[Node1].DesiredVersion);
    }

    [Fact]
    public void A_poller_keeps_polling_when_another_node_comes()
    {
        var office = Open(Leeds).WithPoller(Node2).WithPoller(Node1);

        Assert.Equal(Node2, office.Polling.Poller);
    }

    [Fact]
    public void A_poller_without_a_link_is_followed_after_a_while_and_not_before()
    {
        var office = Open(Leeds).WithPoller(Node1).WithPoller(Node2).Linked(Node1, up: false, Noon);

        Assert.Empty(PollerRule.Step(office, MoveAfter, Noon + MoveAfter - TimeSpan.FromMilliseconds(1)));
        var moved = office.Apply(PollerRule.Step(office, MoveAfter, Noon + MoveAfter));

        Assert.Equal(Node2, moved.Polling.Poller);
    }

    [Fact]
    public void A_poller_without_a_link_stays_while_there_is_no_other()
    {
        var office = Open(Leeds).WithPoller(Node1).WithPollerRole(Node2).Linked(Node1, up: false, Noon);

        Assert.Empty(PollerRule.Step(office, MoveAfter, Noon.AddDays(1)));
    }

    [Fact]
    public void Nobody_polls_until_the_one_before_says_that_it_no_longer_does()
    {
        var office = Open(Leeds).WithPoller(Node1).WithPoller(Node2).With(new NodeRolesAssigned(Leeds, Node1, 3, [], "test", Noon));
        Assert.Null(office.Polling.Poller);
        Assert.Equal(Node1, office.Polling.Leaving);

        var after = office.Obeying(Node1, Noon);

        Assert.Equal(Node2, after.Polling.Poller);
        Assert.Null(after.Polling.Leaving);
    }

    [Fact]
    public void A_removed_poller_is_followed_once_it_must_have_stopped()
    {
        var office = Open(Leeds).WithPoller(Node1).WithPoller(Node2).With(new NodeRemoved(Leeds, Node1, "test", Noon));

        Assert.Empty(PollerRule.Step(office, MoveAfter, Noon));
        Assert.Equal(Node2, office.Apply(PollerRule.Step(office, MoveAfter, Noon + MoveAfter)).Polling.Poller);
    }

    [Fact]
    public void Polls_under_way_end_with_the_link_of_their_node()
    {
        var office = Open(Leeds).WithPoller(Node1);
        var begun = (PollBegun)office.Decide(new StartPoll(Leeds, PollMethod.IpRange, true, [], false, "test"), new("p-1"), TestOffices.Options.Discovery, Noon).Events.Single();

        var events = office.Apply(begun).Settled([new NodeLinkChanged(Leeds, Node1, false, "went away", Noon)], TestOffices.Options, Noon).Events;

        var ended = events.OfType<PollFinished>().Single().Ended;
        Assert.Equal((PollOutcome.Interrupted, new Fleet.Contracts.PollId("p-1")), (ended.Outcome, ended.PollId));
    }
}
