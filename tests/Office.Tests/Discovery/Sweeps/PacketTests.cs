using System.Net;
using Fleet.Office.Discovery;
using Fleet.Office.Discovery.Sweeps;

namespace Fleet.Office.Tests.Discovery.Sweeps;

public sealed class PacketTests
{
    private static readonly MacAddress Card = MacAddress.Parse("52-54-00-12-34-56")!.Value;

    [Fact]
    public void An_ARP_request_is_as_RFC_826_has_it_and_is_read_back()
    {
        var packet = new ArpPacket(IsReply: false, Card, IPAddress.Parse("192.168.1.10"), IPAddress.Parse("192.168.1.77")).Bytes();

        Assert.Equal("0001" + "0800" + "06" + "04" + "0001" + "525400123456" + "c0a8010a" + "000000000000" + "c0a8014d", Convert.ToHexStringLower(packet));
        Assert.Equal(new ArpPacket(false, Card, IPAddress.Parse("192.168.1.10"), IPAddress.Parse("192.168.1.77")), ArpPacket.Read(packet));
    }

    [Theory]
    [InlineData("of another hardware", 1)]
    [InlineData("of another protocol", 2)]
    [InlineData("with other lengths", 4)]
    [InlineData("of an unknown operation", 7)]
    [InlineData("from a group", 8)]
    public void ARP_that_is_not_for_IPv4_on_Ethernet_is_nothing(string _, int at)
    {
        var packet = new ArpPacket(IsReply: true, Card, IPAddress.Parse("192.168.1.10"), IPAddress.Parse("192.168.1.77")).Bytes();
        packet[at] = 0xff;

        Assert.Null(ArpPacket.Read(packet));
        Assert.Null(ArpPacket.Read(packet.AsSpan(0, 27)));
    }

    [Fact]
    public void An_echo_is_answered_under_its_own_number_behind_an_IPv4_header_or_without_one()
    {
        var request = EchoPacket.Request(six: false, id: 0x1234, number: 1);
        byte[] reply = [0, 0, .. request[2..]];
        byte[] raw = [0x45, .. new byte[19], .. reply];

        Assert.Equal("0800e5ca12340001", Convert.ToHexStringLower(request));
        Assert.True(EchoPacket.IsReply(six: false, raw, 0x1234));
        Assert.True(EchoPacket.IsReply(six: false, reply, null));
        Assert.False(EchoPacket.IsReply(six: false, raw, 0x1235));
        Assert.False(EchoPacket.IsReply(six: false, request, 0x1234));
        Assert.False(EchoPacket.IsReply(six: false, raw.AsSpan(0, 22), 0x1234));
        Assert.False(EchoPacket.IsReply(six: false, [0x4f, 0, 0], null));
    }

    [Fact]
    public void The_kernels_answer_about_neighbours_is_read_and_a_damaged_one_does_no_harm()
    {
        // One entry: IPv4 192.168.1.7 on card 2, reachable, with card address and ages.
        byte[] answer =
        [
            56, 0, 0, 0, 28, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0,
            8, 0, 1, 0, 192, 168, 1, 7,
            10, 0, 2, 0, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0, 0,
            8, 0, 3, 0, 150, 0, 0, 0,
        ];
        var found = new List<Neighbour>();

        Assert.True(NeighbourTable.Read(answer, found));

        Assert.Equal(new Neighbour(IPAddress.Parse("192.168.1.7"), Card, 2, TimeSpan.FromSeconds(1.5), Reachable: true), Assert.Single(found));
        foreach (var damaged in Fuzz.Of([answer], 20_000))
            NeighbourTable.Read(damaged, []);
    }

    [SkippableFact]
    public void The_kernels_table_is_read_without_any_right()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "only Linux has netlink");

        Assert.All(NeighbourTable.Now(), n => Assert.True(n.Mac.IsCard));
    }
}
