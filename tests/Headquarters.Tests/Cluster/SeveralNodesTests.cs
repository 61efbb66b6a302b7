using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Company;
using Fleet.TestSupport;

namespace Fleet.Headquarters.Tests.Cluster;

public sealed class SeveralNodesTests
{
    private const int Offices = 12;

    [SkippableFact]
    public async Task Three_nodes_act_as_one_headquarters_and_go_on_when_one_stops()
    {
        await using var cluster = await TestCluster.Start(3);

        await cluster.AddOffices(Offices);

        // Wherever one asks.
        await Until.True(async () => (await cluster.OfficesOnEach()).Sum() == Offices, "every office has one twin");
        Assert.True((await cluster.OfficesOnEach()).Count(n => n > 0) >= 2);
        Assert.Equal(
            [(cluster.Addresses[0], true), (cluster.Addresses[1], false), (cluster.Addresses[2], false)],
            (await cluster.Node(1).View.Nodes()).Select(n => (n.Address, n.Oldest)));

        // The oldest: company and projection move too.
        await cluster.Stop(0);
        await cluster.AddOffices(Offices + 1);

        await Until.True(async () => (await cluster.OfficesOnEach()).Sum() == Offices + 1, "the twins run on the nodes that are left");
        var readModel = new ReadModelQueries(cluster.Store, TimeProvider.System);
        await Until.True(async () => (await readModel.Status()).Offices == Offices + 1, "the read model is written by another node");
    }

    [SkippableFact]
    public async Task A_node_that_is_cut_off_stops_and_the_others_go_on()
    {
        await using var cluster = await TestCluster.Start(3);
        await cluster.AddOffices(Offices);

        cluster.CutOff(0);

        await cluster.Node(0).Ended.WaitAsync(TestCluster.Patience);
        // What was asked of the lost node before the others knew is lost with it; who asks is told so, and asks again.
        await Until.True(() => Accepts(cluster.Node(1), "hull"), "the others decide without the lost node", TestCluster.Patience);
        await Until.True(async () => (await cluster.Node(1).View.Nodes()).Count == 2, "the lost node is no member");
    }

    private static async Task<bool> Accepts(ClusterSystem node, string office)
    {
        try
        {
            return await node.Company.Ask<ICompanyReply>(new AddOffice(new OfficeId(office), office, "test"), TimeSpan.FromSeconds(2)) is CompanyAccepted or CompanyRefused { Code: RefusalCode.AlreadyExists };
        }
        catch (AskTimeoutException)
        {
            return false;
        }
    }

    [SkippableFact]
    public async Task A_second_node_of_one_name_is_refused()
    {
        await using var cluster = await TestCluster.Start(1);

        var refused = await Assert.ThrowsAsync<StorageException>(() => ClusterSystem.Start(cluster.Parts(0)));

        Assert.Contains(cluster.Addresses[0], refused.Message);
    }
}
