using System.Net;
using Fleet.NatLab.Nat;

namespace Fleet.NatLab.Tests.Nat;

public sealed class NatTableTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly IPEndPoint Inside = IPEndPoint.Parse("192.168.1.10:40000");
    private static readonly IPEndPoint Headquarters = IPEndPoint.Parse("203.0.113.1:13001");
    private static readonly IPEndPoint SameHostOtherPort = IPEndPoint.Parse("203.0.113.1:9");
    private static readonly IPEndPoint Stranger = IPEndPoint.Parse("198.51.100.7:13001");

    [Theory]
    [InlineData("full-cone", true, true)]
    [InlineData("restricted", true, false)]
    [InlineData("port-restricted", false, false)]
    [InlineData("symmetric", false, false)]
    public void Who_may_answer_to_an_outside_port_depends_on_the_kind(string kind, bool otherPort, bool stranger)
    {
        var nat = Table(kind);
        var outside = nat.Leave(FlowKind.Datagram, Inside, Headquarters, opens: true, Noon)!;

        Assert.Equal(Inside, nat.Enter(FlowKind.Datagram, outside.Port, Headquarters, Noon));
        Assert.Equal(otherPort, nat.Enter(FlowKind.Datagram, outside.Port, SameHostOtherPort, Noon) is not null);
        Assert.Equal(stranger, nat.Enter(FlowKind.Datagram, outside.Port, Stranger, Noon) is not null);
    }

    [Theory]
    [InlineData("full-cone", true)]
    [InlineData("restricted", true)]
    [InlineData("port-restricted", true)]
    [InlineData("symmetric", false)]
    public void Only_a_symmetric_translator_takes_another_port_for_another_peer(string kind, bool same)
    {
        var nat = Table(kind);

        var toHeadquarters = nat.Leave(FlowKind.Datagram, Inside, Headquarters, opens: true, Noon);
        var toStranger = nat.Leave(FlowKind.Datagram, Inside, Stranger, opens: true, Noon);

        Assert.Equal(same, toHeadquarters!.Equals(toStranger));
    }

    [Fact]
    public void A_port_that_nobody_opened_from_inside_lets_nothing_in()
    {
        var nat = Table("full-cone");

        Assert.Null(nat.Enter(FlowKind.Stream, 13000, Headquarters, Noon));
    }

    [Fact]
    public void An_idle_mapping_is_forgotten_and_a_used_one_is_kept()
    {
        var nat = Table("port-restricted");
        var outside = nat.Leave(FlowKind.Datagram, Inside, Headquarters, opens: true, Noon)!;
        var kept = Noon + nat.Behaviour.DatagramTimeout - TimeSpan.FromSeconds(1);

        Assert.NotNull(nat.Enter(FlowKind.Datagram, outside.Port, Headquarters, kept));
        Assert.Null(nat.Enter(FlowKind.Datagram, outside.Port, Headquarters, kept + nat.Behaviour.DatagramTimeout));
    }

    [Fact]
    public void A_stream_whose_mapping_was_forgotten_is_dropped_both_ways_until_a_new_one_opens()
    {
        var nat = Table("port-restricted");
        var outside = nat.Leave(FlowKind.Stream, Inside, Headquarters, opens: true, Noon)!;

        nat.Forget();

        Assert.Null(nat.Enter(FlowKind.Stream, outside.Port, Headquarters, Noon));
        Assert.Null(nat.Leave(FlowKind.Stream, Inside, Headquarters, opens: false, Noon));
        Assert.NotNull(nat.Leave(FlowKind.Stream, Inside, Headquarters, opens: true, Noon));
    }

    [Fact]
    public void Rebinding_changes_the_address_that_the_outside_sees()
    {
        var nat = Table("port-restricted");
        nat.Leave(FlowKind.Datagram, Inside, Headquarters, opens: true, Noon);

        nat.Rebind(IPAddress.Parse("198.51.100.200"));

        Assert.Equal(IPAddress.Parse("198.51.100.200"), nat.Leave(FlowKind.Datagram, Inside, Headquarters, opens: true, Noon)!.Address);
    }

    [Fact]
    public void Two_inside_hosts_with_one_source_port_get_two_outside_ports()
    {
        var nat = Table("port-restricted");
        var other = IPEndPoint.Parse("192.168.1.11:40000");

        var first = nat.Leave(FlowKind.Stream, Inside, Headquarters, opens: true, Noon)!;
        var second = nat.Leave(FlowKind.Stream, other, Headquarters, opens: true, Noon)!;

        Assert.Equal(Inside.Port, first.Port);
        Assert.NotEqual(first.Port, second.Port);
        Assert.Equal(other, nat.Enter(FlowKind.Stream, second.Port, Headquarters, Noon));
    }

    [Fact]
    public void When_all_ports_are_taken_the_next_flow_is_dropped()
    {
        var nat = Table("symmetric");
        // Each inside port asks for its own number, so that none has to be searched for.
        for (var port = 1024; port < 65536; port++)
            Assert.NotNull(nat.Leave(FlowKind.Datagram, new IPEndPoint(Inside.Address, port), Headquarters, opens: true, Noon));

        Assert.Null(nat.Leave(FlowKind.Datagram, Inside, Stranger, opens: true, Noon));
    }

    [Fact]
    public void The_same_seed_gives_the_same_ports_and_another_seed_gives_others()
    {
        static List<int> Ports(int seed)
        {
            var nat = new NatTable(NatBehaviour.Symmetric, IPAddress.Parse("198.51.100.1"), seed);
            return [.. Enumerable.Range(1, 50).Select(i => nat.Leave(FlowKind.Datagram, Inside, new IPEndPoint(Headquarters.Address, i), opens: true, Noon)!.Port)];
        }

        Assert.Equal(Ports(7), Ports(7));
        Assert.NotEqual(Ports(7), Ports(8));
    }

    // A random walk beside a slow, obvious model: whatever was let in must have been sent to, from inside, lately enough.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void A_random_walk_never_lets_in_what_the_rules_forbid(int seed)
    {
        var chance = new Random(seed);
        foreach (var behaviour in NatBehaviour.ByName.Values)
        {
            var nat = new NatTable(behaviour, IPAddress.Parse("198.51.100.1"), seed);
            var sent = new List<(IPEndPoint Inside, IPEndPoint Remote, int Port)>();
            var now = Noon;
            for (var step = 0; step < 2000; step++)
            {
                now += TimeSpan.FromMilliseconds(chance.Next(500));
                var inside = new IPEndPoint(IPAddress.Parse($"192.168.1.{chance.Next(10, 13)}"), 40000 + chance.Next(3));
                var remote = new IPEndPoint(IPAddress.Parse($"203.0.113.{chance.Next(1, 4)}"), 1 + chance.Next(3));
                if (chance.Next(3) == 0)
                {
                    sent.Add((inside, remote, nat.Leave(FlowKind.Datagram, inside, remote, opens: true, now)!.Port));
                    continue;
                }

                var port = sent.Count == 0 ? 5000 : sent[chance.Next(sent.Count)].Port;
                if (nat.Enter(FlowKind.Datagram, port, remote, now) is not { } entered)
                    continue;
                Assert.Contains(sent, s => s.Port == port && s.Inside.Equals(entered) && behaviour.Filtering switch
                {
                    Dependence.EndpointIndependent => true,
                    Dependence.AddressDependent => s.Remote.Address.Equals(remote.Address),
                    _ => s.Remote.Equals(remote),
                });
            }
        }
    }

    private static NatTable Table(string kind) => new(NatBehaviour.ByName[kind], IPAddress.Parse("198.51.100.1"), seed: 1);
}
