using System.Net;
using Fleet.Office.Discovery.Names;

namespace Fleet.Office.Tests.Discovery.Names;

public sealed class DnsMessageTests
{
    [Fact]
    public void A_question_is_as_resolvers_expect_it()
    {
        var packet = DnsMessage.Query([(DnsName.Reverse(IPAddress.Parse("192.168.1.5")), DnsType.Ptr)], resolverId: 0x1234);

        Assert.Equal("123401000001000000000000" + "0135" + "0131" + "03313638" + "03313932" + "07696e2d61646472" + "0461727061" + "00" + "000c0001", Convert.ToHexStringLower(packet));
    }

    [Fact]
    public void The_reverse_name_of_an_IPv6_address_has_its_thirty_two_digits()
    {
        var name = DnsName.Reverse(IPAddress.Parse("2001:db8::567:89ab"));

        Assert.Equal("b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", name.ToString());
    }

    [Fact]
    public void An_answer_with_compressed_names_is_read()
    {
        var message = DnsMessage.Read(DnsPackets.Printer());

        Assert.NotNull(message);
        Assert.True(message.IsResponse);
        Assert.Equal(["_ipp._tcp.local", "Till printer._ipp._tcp.local", "Till printer._ipp._tcp.local", "printer.local", "printer.local"], message.Records.Select(r => r.Name.ToString()));
        Assert.Equal(["Till printer._ipp._tcp.local", "printer.local"], message.Records.Select(r => r.Target?.ToString()).OfType<string>());
        Assert.Equal(631, message.Records.Single(r => r.Type == DnsType.Srv).Port);
        Assert.Equal(["ty=Lab", ""], message.Records.Single(r => r.Type == DnsType.Txt).Texts);
        Assert.Equal(["192.168.1.9", "fe80::9"], message.Records.Select(r => r.Address?.ToString()).OfType<string>());
    }

    [Fact]
    public void Names_are_equal_whatever_their_case()
    {
        Assert.Equal(DnsName.Of("_IPP", "_tcp", "local"), DnsName.Of("_ipp", "_TCP", "local"));
        Assert.NotEqual(DnsName.Of("a.b", "local"), DnsName.Of("a", "b", "local"));
    }

    [Theory]
    [InlineData("a pointer to itself", "c00c")]
    [InlineData("a pointer forward", "c0ff")]
    [InlineData("two that point at each other", "c00ec00c")]
    [InlineData("a label of a reserved kind", "40")]
    [InlineData("a label beyond the end", "3f41")]
    [InlineData("a pointer cut in half", "c0")]
    public void A_name_that_leads_nowhere_makes_the_message_nothing(string _, string name)
    {
        var packet = Convert.FromHexString("000084000000000100000000" + name + "000c0001000000780002c00c");

        Assert.Null(DnsMessage.Read(packet.AsSpan(0, name == "c0" ? 13 : packet.Length)));
    }

    [Fact]
    public void A_name_grown_by_pointers_over_255_bytes_is_refused()
    {
        // Sixty labels of three bytes, each time with a pointer to the name before: 240 bytes, then 300.
        var packet = new List<byte>(Convert.FromHexString("000084000000000200000000"));
        Assert.NotNull(Read(packet, labels: 60));

        Assert.Null(Read(packet, labels: 90));

        static DnsMessage? Read(List<byte> head, int labels)
        {
            var bytes = new List<byte>(head);
            for (var i = 0; i < labels; i++)
                bytes.AddRange([3, (byte)'a', (byte)'b', (byte)'c']);
            bytes.AddRange([0, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0]);
            bytes.AddRange([0xc0, 12, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0]);
            return DnsMessage.Read([.. bytes]);
        }
    }

    [Fact]
    public void A_header_that_promises_thousands_of_records_is_refused_at_once()
    {
        Assert.Null(DnsMessage.Read(Convert.FromHexString("000084000000ffff00000000")));
        Assert.Null(DnsMessage.Read(Convert.FromHexString("00008400ffff000000000000")));
    }

    [Fact]
    public void Damaged_packets_are_read_or_refused_and_nothing_else()
    {
        byte[][] good = [DnsPackets.Printer(), DnsPackets.Kinds(), DnsMessage.Query([(DnsName.Of("_ssh", "_tcp", "local"), DnsType.Ptr)], null)];
        var (read, refused, allocated) = (0, 0, GC.GetAllocatedBytesForCurrentThread());

        foreach (var packet in Fuzz.Of(good, 200_000))
            if (DnsMessage.Read(packet) is null)
                refused++;
            else
                read++;

        Assert.True(read > 1000 && refused > 1000, $"{read} read, {refused} refused: the damage should do both");
        // The packets themselves are about half of it; no packet may take a multiple of its size.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - allocated) / (read + refused), 0, 16_384);
    }
}
