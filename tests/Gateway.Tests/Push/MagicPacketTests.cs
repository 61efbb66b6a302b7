using System.Net;
using Fleet.Gateway.Push;

namespace Fleet.Gateway.Tests.Push;

public sealed class MagicPacketTests
{
    [Theory]
    [InlineData("52:54:00:12:34:56")]
    [InlineData("52-54-00-12-34-56")]
    [InlineData("525400123456")]
    public void A_packet_is_six_times_255_and_sixteen_times_the_address(string mac)
    {
        byte[] address = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

        var packet = MagicPacket.For(mac)!;

        Assert.Equal([255, 255, 255, 255, 255, 255, .. Enumerable.Repeat(address, 16).SelectMany(a => a)], packet);
    }

    [Theory]
    [InlineData("")]
    [InlineData("till-1")]
    [InlineData("52:54:00:12:34")]
    [InlineData("52:54:00:12:34:56:78:9a")]
    public void What_is_no_address_gets_none(string mac) => Assert.Null(MagicPacket.For(mac));

    [Theory]
    [InlineData("192.168.1.10", 24, "192.168.1.255")]
    [InlineData("10.20.30.40", 12, "10.31.255.255")]
    [InlineData("172.16.5.1", 30, "172.16.5.3")]
    public void Everybody_on_a_network_has_one_address(string member, int prefix, string broadcast) =>
        Assert.Equal(broadcast, MagicPacket.BroadcastOf(IPAddress.Parse(member), prefix).ToString());
}
