using System.Net;
using Fleet.Messages.Transport;
using Fleet.NatLab.Nat;
using Fleet.NatLab.Simulation;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.NatLab.Tests.Simulation;

/// <summary>What a machine of the simulated network does for the programs on it.</summary>
public sealed class SimMachineTests
{
    private static readonly IPAddress Headquarters = IPAddress.Parse("203.0.113.1");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _clock = new();
    private readonly SimHost _headquarters;
    private readonly SimRealm _leeds;
    private readonly SimHost _gateway;

    public SimMachineTests()
    {
        var network = new SimNetwork(_clock, seed: 7);
        _headquarters = network.Internet.AddHost("headquarters", Headquarters.ToString());
        _leeds = network.Internet.AddNat("leeds", "198.51.100.1", NatBehaviour.PortRestricted with { StreamTimeout = TimeSpan.FromMinutes(5) });
        _gateway = _leeds.AddHost("gateway", "192.168.1.10");
    }

    [Fact]
    public async Task Without_a_route_a_machine_reaches_its_lan_and_puts_nothing_else_on_the_wire()
    {
        var till = _leeds.AddHost("till", "192.168.1.50", routed: false);
        await using var gateway = _gateway.Listen(new IPEndPoint(IPAddress.Any, 13000));
        await using var headquarters = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13000));

        await Pair(till, gateway, "192.168.1.10:13000");

        await Assert.ThrowsAsync<IOException>(() => till.Connect($"{Headquarters}:13000", CancellationToken.None));
        Assert.Equal(0, till.PacketsTo(Headquarters));
        Assert.True(till.PacketsTo(_gateway.Address) > 0);
    }

    [Fact]
    public async Task Packets_are_counted_by_whom_they_are_for()
    {
        await using var headquarters = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13000));
        var (near, _) = await Pair(_gateway, headquarters, $"{Headquarters}:13000");
        var opened = _gateway.PacketsTo(Headquarters);

        await near.WriteAsync("sync"u8.ToArray());

        Assert.True(opened > 0);
        Assert.Equal(opened + 1, _gateway.PacketsTo(Headquarters));
        Assert.Equal(0, _gateway.PacketsTo(IPAddress.Parse("203.0.113.2")));
    }

    [Fact]
    public async Task A_stream_that_is_idle_for_longer_than_the_translator_remembers_is_dead_without_a_word()
    {
        await using var headquarters = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        var (kept, keptFar) = await Pair(_gateway, headquarters, $"{Headquarters}:13001");
        var (idle, idleFar) = await Pair(_gateway, headquarters, $"{Headquarters}:13001");

        for (var minute = 0; minute < 6; minute++)
        {
            _clock.Advance(TimeSpan.FromMinutes(1));
            await kept.WriteAsync(new byte[1]);
            await keptFar.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience);
        }

        await idle.WriteAsync(new byte[1]);
        var arrives = idleFar.ReadExactlyAsync(new byte[1]).AsTask();
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(arrives.IsCompleted);
        // Nor does what headquarters sends come in: no mapping leads to the node any more.
        await idleFar.WriteAsync(new byte[1]);
        Assert.False(idle.ReadExactlyAsync(new byte[1]).AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_killed_program_is_silent_for_good_and_the_next_one_on_the_machine_is_not()
    {
        await using var headquarters = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        var first = new SimProcess(_gateway);
        _ = first.Listen(new IPEndPoint(IPAddress.Any, 13000));
        var (near, far) = await Pair(first, headquarters, $"{Headquarters}:13001");

        first.Kill();

        await Assert.ThrowsAsync<IOException>(() => near.WriteAsync(new byte[1]).AsTask());
        await Assert.ThrowsAsync<IOException>(() => far.ReadAsync(new byte[1]).AsTask());
        await Assert.ThrowsAsync<IOException>(() => first.Connect($"{Headquarters}:13001", CancellationToken.None));
        Assert.Throws<IOException>(() => first.Listen(new IPEndPoint(IPAddress.Any, 13000)));
        var second = new SimProcess(_gateway);
        _ = second.Listen(new IPEndPoint(IPAddress.Any, 13000));
        await Pair(second, headquarters, $"{Headquarters}:13001");
    }

    private static async Task<(Stream Near, Stream Far)> Pair(IByteNetwork from, IByteListener listener, string address)
    {
        var accepting = listener.Accept(CancellationToken.None);
        var near = await from.Connect(address, CancellationToken.None).WaitAsync(Patience);
        return (near, (await accepting.WaitAsync(Patience)).Stream);
    }
}
