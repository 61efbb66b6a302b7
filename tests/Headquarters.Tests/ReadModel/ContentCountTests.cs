using Fleet.Headquarters.ReadModel;
using Fleet.Headquarters.Tests.Offices;
using Fleet.Messages.Link;
using Fleet.TestSupport;
using static Fleet.Headquarters.Tests.TestCompany;
using TestKit = Akka.TestKit.Xunit2.TestKit;

namespace Fleet.Headquarters.Tests.ReadModel;

public sealed class ContentCountTests
{
    [Fact]
    public async Task What_a_distribution_point_has_and_counts_shows_and_nothing_of_it_is_journaled()
    {
        await using var company = await Start(offices: [Leeds]);
        var kit = new TestKit(company.System);
        var node = await LinkedNode.Join(company, kit.CreateTestProbe(), Leeds, "gw1");
        var queries = new RolloutQueries(company.Store);
        var before = (await company.Events()).Count;

        await node.Send(Counts(("tills", 900), ("agent-tools", 5)));
        await node.Send(Counts(("tills", 1000)));

        await Until.True(async () => (await queries.Counters(PageRequest.First)).Items is [{ Count.FromPeers: 1000 }], "the newest counts show");
        var count = (await queries.Counters(PageRequest.First, Leeds, "tills")).Items[0];
        Assert.Equal((node.Id, "1.0", 4000), (count.NodeId, count.Count.PackageVersion, count.Count.FromSources["headquarters"]));
        Assert.Equal((77, 100), (await queries.Stores())[node.Id]);
        Assert.Empty((await queries.Counters(PageRequest.First, York)).Items);
        Assert.Equal(before, (await company.Events()).Count);

        await node.Send(LinkedNode.Report(1) with { ContentAddresses = ["192.168.1.2:13111"], Mirror = new MirrorState(3, ["abc"], "disk full") });
        await Until.True(async () => await company.ReadModel.Node(node.Id) is { Mirror: { Timestamp: 3, Problem: "disk full" }, ContentAddresses: ["192.168.1.2:13111"] }, "the mirror shows");
    }

    private static ContentCounts Counts(params (string Package, long FromPeers)[] updates) => new(
        DateTimeOffset.UnixEpoch, [.. updates.Select(u => new UpdateCount(u.Package, "1.0", 5000, 5000, new Dictionary<string, long> { ["headquarters"] = 4000 }, u.FromPeers, 0, 0, 0, 0))], Used: 77, Quota: 100);
}
