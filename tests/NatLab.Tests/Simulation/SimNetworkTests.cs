using System.Net;
using System.Text;
using Fleet.Messages.Transport;
using Fleet.NatLab.Nat;
using Fleet.NatLab.Simulation;
using Microsoft.Extensions.Time.Testing;

namespace Fleet.NatLab.Tests.Simulation;

public sealed class SimNetworkTests
{
    private const string NodeAddress = "192.168.1.10";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _clock = new();
    private readonly SimNetwork _network;
    private readonly SimHost _headquarters;
    private readonly SimRealm _leeds;
    private readonly SimRealm _york;
    private readonly SimHost _leedsNode;
    private readonly SimHost _yorkNode;

    public SimNetworkTests()
    {
        _network = new SimNetwork(_clock, seed: 42);
        _headquarters = _network.Internet.AddHost("headquarters", "203.0.113.1");
        _leeds = _network.Internet.AddNat("leeds", "198.51.100.1", NatBehaviour.PortRestricted);
        _york = _network.Internet.AddNat("york", "198.51.100.2", NatBehaviour.Symmetric);
        _leedsNode = _leeds.AddHost("leeds node", NodeAddress);
        _yorkNode = _york.AddHost("york node", NodeAddress);
    }

    [Fact]
    public async Task Two_offices_with_the_same_private_address_are_told_apart_by_what_the_translators_show()
    {
        var listener = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));

        var (leeds, _, leedsSeen) = await Pair(_leedsNode, listener);
        var (york, _, yorkSeen) = await Pair(_yorkNode, listener);

        Assert.Equal(IPAddress.Parse("198.51.100.1"), leedsSeen.Address);
        Assert.Equal(IPAddress.Parse("198.51.100.2"), yorkSeen.Address);
        await leeds.DisposeAsync();
        await york.DisposeAsync();
    }

    [Fact]
    public async Task What_is_written_arrives_in_order_both_ways()
    {
        var (near, far, _) = await Pair(_leedsNode, _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001)));

        await near.WriteAsync("hel"u8.ToArray());
        await near.WriteAsync("lo"u8.ToArray());
        await far.WriteAsync("welcome"u8.ToArray());

        Assert.Equal("hello", await Text(far, 5));
        Assert.Equal("welcome", await Text(near, 7));
    }

    [Fact]
    public async Task Headquarters_cannot_dial_into_an_office()
    {
        _leedsNode.Listen(new IPEndPoint(IPAddress.Any, 13000));
        using var patience = new CancellationTokenSource();

        var dial = _headquarters.Connect("198.51.100.1:13000", patience.Token);
        _clock.Advance(TimeSpan.FromSeconds(30));

        Assert.False(dial.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial);
    }

    [Fact]
    public async Task One_office_cannot_reach_another_by_its_private_or_its_outside_address()
    {
        _yorkNode.Listen(new IPEndPoint(IPAddress.Any, 13000));
        var stranger = _leeds.AddHost("leeds till", "192.168.1.50");
        using var patience = new CancellationTokenSource();

        // 192.168.1.10 is, for a machine in Leeds, the node in Leeds, where nothing listens.
        await Assert.ThrowsAsync<IOException>(() => stranger.Connect($"{NodeAddress}:13000", patience.Token));
        var dial = stranger.Connect("198.51.100.2:13000", patience.Token);
        _clock.Advance(TimeSpan.FromSeconds(30));

        Assert.False(dial.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial);
    }

    [Fact]
    public async Task A_dial_that_nobody_answers_fails_after_two_minutes()
    {
        var dial = _leedsNode.Connect("203.0.113.99:1", CancellationToken.None);

        for (var minute = 0; minute < 3; minute++)
            _clock.Advance(TimeSpan.FromMinutes(1));

        await Assert.ThrowsAsync<IOException>(() => dial.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_machine_without_a_way_out_reaches_its_lan_only()
    {
        var island = _network.Internet.AddNat("island", "198.51.100.9", NatBehaviour.FullCone);
        var gateway = island.AddHost("gateway", NodeAddress);
        island.Uplink!.Cut = true;
        var till = island.AddHost("till", "192.168.1.50");
        var (near, far, seen) = await Pair(till, gateway.Listen(new IPEndPoint(IPAddress.Any, 13000)), NodeAddress);

        await near.WriteAsync("sync"u8.ToArray());

        Assert.Equal("sync", await Text(far, 4));
        Assert.Equal(till.Address, seen.Address);
        Assert.Equal(0, island.Uplink.Packets);
    }

    [Fact]
    public async Task After_the_translator_forgot_its_mappings_a_stream_stalls_without_a_word_and_a_new_one_works()
    {
        var listener = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        var (near, far, _) = await Pair(_leedsNode, listener);

        _leeds.Uplink!.ForgetMappings();
        await near.WriteAsync("lost"u8.ToArray());
        await far.WriteAsync("lost"u8.ToArray());
        var (fromNode, fromHeadquarters) = (Text(far, 4), Text(near, 4));
        _clock.Advance(TimeSpan.FromSeconds(60));

        Assert.False(fromNode.IsCompleted || fromHeadquarters.IsCompleted);
        var (again, farAgain, _) = await Pair(_leedsNode, listener);
        await again.WriteAsync("back"u8.ToArray());
        Assert.Equal("back", await Text(farAgain, 4));
    }

    [Fact]
    public async Task After_the_address_changed_the_old_stream_is_dead_and_the_new_one_comes_from_the_new_address()
    {
        var listener = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        var (near, far, _) = await Pair(_leedsNode, listener);

        _leeds.Uplink!.Rebind("198.51.100.77");
        await near.WriteAsync("lost"u8.ToArray());
        var old = Text(far, 4);
        var (_, _, seen) = await Pair(_leedsNode, listener);
        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(IPAddress.Parse("198.51.100.77"), seen.Address);
        Assert.False(old.IsCompleted);
    }

    [Fact]
    public async Task What_was_written_during_a_cut_arrives_after_it()
    {
        var (near, far, _) = await Pair(_leedsNode, _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001)));
        _leeds.Uplink!.Cut = true;
        await near.WriteAsync("held"u8.ToArray());
        var read = Text(far, 4);
        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(read.IsCompleted);

        _leeds.Uplink.Cut = false;
        _clock.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal("held", await read.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_stream_that_is_cut_for_too_long_fails_at_both_ends()
    {
        var (near, far, _) = await Pair(_leedsNode, _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001)));
        _leeds.Uplink!.Cut = true;
        await near.WriteAsync("lost"u8.ToArray());

        for (var minute = 0; minute < 17; minute++)
            _clock.Advance(TimeSpan.FromMinutes(1));

        await Assert.ThrowsAsync<IOException>(() => Text(near, 1));
        await Assert.ThrowsAsync<IOException>(() => Text(far, 1));
    }

    [Fact]
    public async Task A_stream_through_a_slow_and_lossy_line_loses_nothing_and_takes_its_time()
    {
        var (near, far, _) = await Pair(_leedsNode, _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001)));
        (_leeds.Uplink!.Delay, _leeds.Uplink.Loss) = (TimeSpan.FromMilliseconds(80), 0.3);
        var expected = string.Concat(Enumerable.Range(0, 200).Select(i => $"{i:000}."));
        var read = Text(far, expected.Length);

        for (var i = 0; i < 200; i++)
            await near.WriteAsync(Encoding.ASCII.GetBytes($"{i:000}."));
        Assert.False(read.IsCompleted);
        for (var second = 0; second < 600 && !read.IsCompleted; second++)
            _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(expected, await read.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_carrier_that_translates_again_is_one_more_address_on_the_way()
    {
        var carrier = _network.Internet.AddNat("carrier", "198.51.100.50", NatBehaviour.Symmetric);
        var home = carrier.AddNat("home", "100.64.0.7", NatBehaviour.PortRestricted);
        var node = home.AddHost("node", NodeAddress);

        var (near, far, seen) = await Pair(node, _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001)));
        await far.WriteAsync("down"u8.ToArray());

        Assert.Equal(IPAddress.Parse("198.51.100.50"), seen.Address);
        Assert.Equal("down", await Text(near, 4));
        Assert.Equal((1, 1), (carrier.Uplink!.Mappings, home.Uplink!.Mappings));
    }

    [Fact]
    public async Task A_killed_process_resets_its_streams_and_frees_its_ports()
    {
        var listener = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        var (near, _, _) = await Pair(_leedsNode, listener);

        _headquarters.KillProcess();

        await Assert.ThrowsAsync<IOException>(() => Text(near, 1));
        await Assert.ThrowsAsync<IOException>(() => _leedsNode.Connect("203.0.113.1:13001", CancellationToken.None));
        _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
    }

    [Fact]
    public async Task The_reader_comes_to_the_end_after_the_writer_closed()
    {
        var (near, far, _) = await Pair(_leedsNode, _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001)));
        await near.WriteAsync("bye"u8.ToArray());

        await near.DisposeAsync();

        Assert.Equal("bye", await Text(far, 3));
        Assert.Equal(0, await far.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task A_writer_waits_while_the_reader_does_not_read()
    {
        var (near, far, _) = await Pair(_leedsNode, _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001)));

        var write = near.WriteAsync(new byte[1_000_000]).AsTask();
        Assert.False(write.IsCompleted);
        await far.ReadExactlyAsync(new byte[1_000_000]).AsTask().WaitAsync(Patience);

        await write.WaitAsync(Patience);
    }

    [Fact]
    public void A_datagram_is_answered_through_the_mapping_and_a_stranger_is_not_let_in()
    {
        using var node = _leedsNode.Datagrams(15000);
        using var headquarters = _headquarters.Datagrams(15000);
        using var stranger = _network.Internet.AddHost("stranger", "203.0.113.66").Datagrams(15000);

        node.Send("hello"u8.ToArray(), headquarters.Local);
        Assert.True(headquarters.Arrived.TryRead(out var hello));
        headquarters.Send("wake"u8.ToArray(), hello.From);
        stranger.Send("wake"u8.ToArray(), hello.From);

        Assert.True(node.Arrived.TryRead(out var wake));
        Assert.Equal(headquarters.Local, wake.From);
        Assert.False(node.Arrived.TryRead(out _));
    }

    [Fact]
    public void The_same_seed_loses_the_same_datagrams()
    {
        static List<byte> Survivors(int seed)
        {
            var network = new SimNetwork(new FakeTimeProvider(), seed);
            using var there = network.Internet.AddHost("there", "203.0.113.1").Datagrams(15000);
            var realm = network.Internet.AddNat("leeds", "198.51.100.1", NatBehaviour.Symmetric);
            realm.Uplink!.Loss = 0.5;
            using var here = realm.AddHost("here", NodeAddress).Datagrams(0);
            for (byte i = 0; i < 100; i++)
                here.Send([i], there.Local);
            var survivors = new List<byte>();
            while (there.Arrived.TryRead(out var datagram))
                survivors.Add(datagram.Content[0]);
            return survivors;
        }

        Assert.Equal(Survivors(1), Survivors(1));
        Assert.NotEqual(Survivors(1), Survivors(2));
        Assert.InRange(Survivors(1).Count, 20, 80);
    }

    [Fact]
    public async Task Five_hundred_offices_on_one_private_address_talk_to_headquarters_at_once()
    {
        var listener = _headquarters.Listen(new IPEndPoint(IPAddress.Any, 13001));
        var nodes = Enumerable.Range(0, 500).Select(i => _network.Internet
            .AddNat($"office-{i}", $"100.70.{i / 250}.{1 + (i % 250)}", NatBehaviour.PortRestricted).AddHost($"node-{i}", NodeAddress)).ToList();

        var answers = await Task.WhenAll(nodes.Select(async (node, i) =>
        {
            var near = await node.Connect("203.0.113.1:13001", CancellationToken.None);
            var (far, seen) = await listener.Accept(CancellationToken.None);
            await far.WriteAsync(seen.Address.GetAddressBytes());
            var address = new byte[4];
            await near.ReadExactlyAsync(address).AsTask().WaitAsync(Patience);
            return new IPAddress(address);
        }));

        Assert.Equal(500, answers.Distinct().Count());
    }

    private static async Task<(Stream Near, Stream Far, IPEndPoint Seen)> Pair(SimHost from, IByteListener listener, string address = "203.0.113.1")
    {
        var near = await from.Connect($"{address}:{listener.Local.Port}", CancellationToken.None).WaitAsync(Patience);
        var (far, seen) = await listener.Accept(CancellationToken.None).WaitAsync(Patience);
        return (near, far, seen);
    }

    private static async Task<string> Text(Stream stream, int length)
    {
        var text = new byte[length];
        await stream.ReadExactlyAsync(text);
        return Encoding.ASCII.GetString(text);
    }
}
