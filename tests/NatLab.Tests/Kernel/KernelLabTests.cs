using System.Net;
using Fleet.NatLab.Kernel;
using Fleet.NatLab.Topologies;

namespace Fleet.NatLab.Tests.Kernel;

/// <summary>The real network: root on Linux only. One lab at a time.</summary>
[Collection(OneAtATime)]
public sealed class KernelLabTests
{
    /// <summary>Labs of one process would share their names.</summary>
    public const string OneAtATime = "kernel lab";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(700);

    [SkippableTheory]
    [InlineData("overlapping-subnets")]
    [InlineData("gateway-only")]
    public async Task The_walls_of_a_topology_stand(string name)
    {
        using var lab = Build(name);

        var tried = await Walls.Assert(lab);

        Assert.Contains("headquarters can't reach gw1.leeds by its private address", tried);
    }

    [SkippableFact]
    public async Task After_conntrack_forgot_a_stream_it_is_dead_without_a_reset_and_a_new_one_works()
    {
        using var lab = Build("one-office");
        var (node, office) = (lab.Topology.Offices[0].Nodes[0], lab.Topology.Offices[0].Id);
        await using var listener = lab.Headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        var address = $"{lab.Topology.Headquarters}:13001";
        using var near = await lab.MachineOf(node).Connect(address, CancellationToken.None);
        var (far, _) = await listener.Accept(CancellationToken.None);
        await near.WriteAsync(new byte[] { 1 });
        await far.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience);

        lab.ForgetMappings(office);
        await near.WriteAsync(new byte[] { 2 });
        await far.WriteAsync(new byte[] { 3 });

        await AssertSilent(far);
        await AssertSilent(near);
        using var again = await lab.MachineOf(node).Connect(address, CancellationToken.None).WaitAsync(Patience);
    }

    [SkippableFact]
    public async Task After_a_change_of_address_the_old_stream_is_dead_and_the_new_one_comes_from_the_new_address()
    {
        using var lab = Build("one-office");
        var (node, office) = (lab.Topology.Offices[0].Nodes[0], lab.Topology.Offices[0].Id);
        await using var listener = lab.Headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        var address = $"{lab.Topology.Headquarters}:13001";
        using var near = await lab.MachineOf(node).Connect(address, CancellationToken.None);
        var (far, before) = await listener.Accept(CancellationToken.None);

        lab.ChangeAddress(office, IPAddress.Parse("198.51.100.77"));
        await near.WriteAsync(new byte[] { 1 });

        await AssertSilent(far);
        using var again = await lab.MachineOf(node).Connect(address, CancellationToken.None).WaitAsync(Patience);
        var (_, after) = await listener.Accept(CancellationToken.None);
        Assert.Equal(("198.51.100.1", "198.51.100.77"), (before.Address.ToString(), after.Address.ToString()));
    }

    [SkippableFact]
    public async Task A_cut_uplink_is_silent_and_what_was_sent_arrives_after_it()
    {
        using var lab = Build("one-office");
        var (node, office) = (lab.Topology.Offices[0].Nodes[0], lab.Topology.Offices[0].Id);
        await using var listener = lab.Headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        using var near = await lab.MachineOf(node).Connect($"{lab.Topology.Headquarters}:13001", CancellationToken.None);
        var (far, _) = await listener.Accept(CancellationToken.None);

        lab.CutUplink(office);
        await near.WriteAsync(new byte[] { 7 });
        await AssertSilent(far);
        lab.HealUplink(office);

        var arrived = new byte[1];
        await far.ReadExactlyAsync(arrived).AsTask().WaitAsync(Patience);
        Assert.Equal(7, arrived[0]);
    }

    [SkippableFact]
    public async Task Packets_to_headquarters_are_counted_apart()
    {
        using var lab = Build("one-office");
        var (node, device) = (lab.Topology.Offices[0].Nodes[0], lab.Topology.Offices[0].Devices[0]);
        await using var gateway = lab.MachineOf(node).Listen(new IPEndPoint(IPAddress.Any, 13000));

        using var stream = await lab.MachineOf(device).Connect($"{node.Address}:13000", CancellationToken.None);

        var counted = lab.MachineOf(device).Counted();
        Assert.True(counted is { Sent: > 0, Received: > 0, ToPeer: 0 }, counted.ToString());
    }

    private static KernelLab Build(string topology)
    {
        Skip.If(KernelLab.Unable() is not null, KernelLab.Unable());
        return KernelLab.Build(Topology.Load(topology));
    }

    /// <summary>Nothing arrives for a while: no byte, no end, no reset.</summary>
    private static async Task AssertSilent(Stream stream)
    {
        using var patience = new CancellationTokenSource(Silence);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.ReadAsync(new byte[1], patience.Token).AsTask());
    }
}
