using System.Net;
using Fleet.Messages.Networks;

namespace Fleet.Messages.Tests.Networks;

public sealed class RangeListTests
{
    [Theory]
    [InlineData("192.168.1.0/24", "192.168.1.1", "192.168.1.254", 254)]
    [InlineData("192.168.1.77/24", "192.168.1.1", "192.168.1.254", 254)]
    [InlineData("10.0.0.4/31", "10.0.0.4", "10.0.0.5", 2)]
    [InlineData("10.0.0.5-10.0.0.9", "10.0.0.5", "10.0.0.9", 5)]
    [InlineData(" 10.0.0.5 - 10.0.1.4 ", "10.0.0.5", "10.0.1.4", 256)]
    [InlineData("10.0.0.7", "10.0.0.7", "10.0.0.7", 1)]
    [InlineData("2001:db8::/120", "2001:db8::", "2001:db8::ff", 256)]
    [InlineData("2001:db8::10-2001:db8::1f", "2001:db8::10", "2001:db8::1f", 16)]
    public void A_range_is_read_as_an_administrator_means_it(string text, string first, string last, ulong count)
    {
        var range = Assert.Single(RangeList.Read([text], force: false, out var problems));

        Assert.Empty(problems);
        Assert.Equal((first, last, count), (range.First.ToString(), range.Last.ToString(), range.Count));
        Assert.Equal(last, range[count - 1].ToString());
    }

    [Theory]
    [InlineData("192.168.1")]
    [InlineData("0x7f000001")]
    [InlineData("192.168.1.0/33")]
    [InlineData("192.168.1.0/")]
    [InlineData("192.168.1.0/-1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("printers")]
    [InlineData("")]
    [InlineData("10.0.0.9-10.0.0.5")]
    [InlineData("10.0.0.1-2001:db8::1")]
    [InlineData("224.0.0.0/24")]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0/0")]
    public void What_is_no_range_of_machines_is_refused(string text)
    {
        RangeList.Read([text], force: true, out var problems);

        Assert.NotEmpty(problems);
    }

    [Fact]
    public void Ranges_that_overlap_are_refused_and_both_are_named()
    {
        RangeList.Read(["192.168.1.0/24", "192.168.2.0/24", "192.168.1.200-192.168.2.10"], force: true, out var problems);

        Assert.Equal(2, problems.Count);
        Assert.Contains("192.168.1.200-192.168.2.10 overlaps 192.168.1.1-192.168.1.254", problems[0], StringComparison.Ordinal);
        Assert.Contains("192.168.2.1-192.168.2.254", problems[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.0/16", false, null)]
    [InlineData("10.0.0.0/15", false, "--force")]
    [InlineData("10.0.0.0/15", true, null)]
    [InlineData("10.0.0.0/7", true, "over a /8")]
    [InlineData("2001:db8::/64", true, "over a /8")]
    public void Over_a_16_is_refused_unless_forced_and_over_an_8_always(string text, bool force, string? problem)
    {
        RangeList.Read([text], force, out var problems);

        Assert.Equal(problem is null ? 0 : 1, problems.Count);
        Assert.Contains(problem ?? "", problems.FirstOrDefault() ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Several_ranges_count_together()
    {
        RangeList.Read(["10.0.0.0/17", "10.1.0.0/17", "10.2.0.1"], force: false, out var within);
        RangeList.Read(["10.0.0.0/17", "10.1.0.0/17", "10.2.0.0/28"], force: false, out var over);

        Assert.Empty(within);
        Assert.Single(over);
    }

    [Fact]
    public void The_networks_of_two_cards_in_one_LAN_are_one()
    {
        var merged = RangeList.Merged([Range("192.168.1.0/24"), Range("10.0.0.0/24"), Range("192.168.1.0/25")]);

        Assert.Equal(["10.0.0.1-10.0.0.254", "192.168.1.1-192.168.1.254"], merged.Select(r => r.ToString()));
    }

    [Fact]
    public void An_address_has_its_place_in_a_range_of_its_family_alone()
    {
        var range = Range("192.168.1.0/24");

        Assert.Equal(9ul, range.IndexOf(IPAddress.Parse("192.168.1.10")));
        Assert.Null(range.IndexOf(IPAddress.Parse("192.168.2.10")));
        Assert.Null(range.IndexOf(IPAddress.Parse("::ffff:192.168.1.10")));
    }

    private static AddressRange Range(string text) => AddressRange.Parse(text);
}
