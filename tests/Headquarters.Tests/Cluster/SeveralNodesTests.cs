namespace Fleet.Headquarters.Tests.Cluster;

public sealed class SeveralNodesTests
{
    [Fact]
    public async Task Three_nodes_act_as_one_headquarters()
    {
        await using var cluster = await TestCluster.Start(3);

        await cluster.AddOffices(12);

        var onEach = await cluster.OfficesOnEach();
        Assert.Equal(12, onEach.Sum());
        Assert.True(onEach.Count(n => n > 0) >= 2, $"offices are spread, not all on one node: {string.Join(", ", onEach)}");
    }
}
