using System.Collections.Concurrent;
using Akka.Actor;
using Fleet.Contracts;
using Fleet.Contracts.Storage;
using Fleet.Headquarters.Cluster;
using Fleet.Headquarters.ReadModel;
using Fleet.Messages.Cluster;
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

    [SkippableFact]
    public async Task What_is_told_on_one_node_is_told_on_the_other_once()
    {
        await using var cluster = await TestCluster.Start(2);
        var here = Listen(cluster.Node(0));
        var there = Listen(cluster.Node(1));
        // Which nodes want notices spreads by and by.
        await Until.True(() => Tell(cluster.Node(0), "first") && there.Contains("first"), "the first node knows of the second's bridge", TestCluster.Patience);
        await Until.True(() => Tell(cluster.Node(1), "second") && here.Contains("second"), "the second node knows of the first's bridge", TestCluster.Patience);

        // Notices of one node come in order: once the last is there, so is any double of those before it.
        string[] told = ["a", "b", "c", "last"];
        foreach (var office in told)
        {
            Tell(cluster.Node(0), $"{office}-of-0");
            Tell(cluster.Node(1), $"{office}-of-1");
        }
        await Until.True(() => new[] { here, there }.All(h => h.Contains("last-of-0") && h.Contains("last-of-1")), "all notices came", TestCluster.Patience);

        foreach (var heard in new[] { here, there })
        {
            Assert.Equal(told.Select(o => $"{o}-of-0"), heard.Where(o => o.EndsWith("of-0", StringComparison.Ordinal)));
            Assert.Equal(told.Select(o => $"{o}-of-1"), heard.Where(o => o.EndsWith("of-1", StringComparison.Ordinal)));
        }
    }

    private static bool Tell(ClusterSystem node, string office)
    {
        node.System.EventStream.Publish(new OfficeBegan(new OfficeId(office)));
        return true;
    }

    private static ConcurrentQueue<string> Listen(ClusterSystem node)
    {
        var heard = new ConcurrentQueue<string>();
        node.System.EventStream.Subscribe(node.System.ActorOf(Props.Create(() => new Listener(heard))), typeof(OfficeBegan));
        return heard;
    }

    private sealed class Listener : ReceiveActor
    {
        public Listener(ConcurrentQueue<string> heard) => Receive<OfficeBegan>(began => heard.Enqueue(began.OfficeId.Value));
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
