using Fleet.Contracts;
using Fleet.Headquarters.Discovery;
using Fleet.Messages.Link;
using Fleet.Messages.Offices;
using static Fleet.Headquarters.Tests.Discovery.NetworkSituation;
using static Fleet.Headquarters.Tests.Offices.Situation;

namespace Fleet.Headquarters.Tests.Discovery;

public sealed class DiscoveredRuleTests
{
    [Fact]
    public void A_device_is_found_again_by_its_mac_at_another_address()
    {
        var printer = New("n-1", Seen(PrinterMac, "192.168.1.20", "printer"));

        Assert.Equal([printer], DiscoveredRule.Match([printer], Seen(PrinterMac, "192.168.1.99")));
    }

    [Fact]
    public void Another_mac_is_another_device_whatever_its_name_and_address()
    {
        var phone = New("n-1", Seen("52:54:00:00:00:01", "192.168.1.20", "android"));

        Assert.Empty(DiscoveredRule.Match([phone], Seen("52:54:00:00:00:02", "192.168.1.20", "android")));
    }

    [Fact]
    public void A_directory_entry_joins_the_one_device_of_its_name_and_is_known_by_its_identity_from_then_on()
    {
        var till = New("n-1", Seen("52:54:00:00:00:01", "192.168.1.20", "till-4.local", source: NameSource.MulticastDns));
        var entry = Seen(identity: "ldap:42", name: "TILL-4.shop.example", source: NameSource.Directory);

        var joined = till.With(entry, Node1, PollMethod.Ldap);

        Assert.Equal([till], DiscoveredRule.Match([till], entry));
        Assert.Equal([joined], DiscoveredRule.Match([joined], Seen(identity: "ldap:42", name: "renamed", source: NameSource.Directory)));
        Assert.Equal("TILL-4.shop.example", DiscoveredRule.NameOf(joined));
        Assert.Equal([PollMethod.IpRange, PollMethod.Ldap], joined.Methods);
    }

    [Fact]
    public void A_name_that_two_devices_have_joins_neither()
    {
        var one = New("n-1", Seen("52:54:00:00:00:01", "192.168.1.20", "raspberrypi"));
        var two = New("n-2", Seen("52:54:00:00:00:02", "192.168.1.21", "raspberrypi"));

        Assert.Empty(DiscoveredRule.Match([one, two], Seen(name: "raspberrypi")));
        Assert.Equal([two], DiscoveredRule.Match([one, two], Seen(address: "192.168.1.21", name: "raspberrypi")));
    }

    [Fact]
    public void What_was_taken_for_two_is_one_when_mac_and_identity_meet()
    {
        var seen = New("n-1", Seen("52:54:00:00:00:01", "192.168.1.20"));
        var entry = New("n-2", Seen(identity: "ldap:42", name: "till-4", source: NameSource.Directory));

        Assert.Equal([seen, entry], DiscoveredRule.Match([entry, seen], Seen("52:54:00:00:00:01", identity: "ldap:42")));
    }

    [Fact]
    public void Names_come_from_each_source_newest_and_services_of_one_method_leave_the_others()
    {
        var found = New("n-1", Seen(PrinterMac, "192.168.1.20", "old", services: new SeenService(22, "tcp", "ssh")));

        var after = found
            .With(Seen(PrinterMac, name: "Office Printer", source: NameSource.MulticastDns, services: new SeenService(631, "tcp", "_ipp._tcp")), Node1, PollMethod.MulticastDns)
            .With(Seen(PrinterMac, "192.168.1.20", "new", services: new SeenService(80, "tcp", "http")), Node1, PollMethod.IpRange);

        Assert.Equal(["new", "Office Printer"], after.Names.Select(n => n.Name));
        Assert.Equal(["80/tcp http", "631/tcp _ipp._tcp"], after.Services.Select(DiscoveredRule.Name));
    }

    [Fact]
    public void Being_seen_again_as_it_was_is_no_difference()
    {
        var found = New("n-1", Seen(PrinterMac, "192.168.1.20", "printer"));

        var after = found.With(Seen(PrinterMac, "192.168.1.20", "printer", at: Noon.AddHours(1)), Node2, PollMethod.IpRange);

        Assert.Equal("", DiscoveredRule.Difference(found, after));
        Assert.Equal((Noon.AddHours(1), Node2), (after.LastSeen, after.SeenBy));
    }

    [Theory]
    [InlineData("52-54-00-AB-CD-EF", "52:54:00:ab:cd:ef")]
    [InlineData("00:00:00:00:00:00", "")]
    [InlineData("ff:ff:ff:ff:ff:ff", "")]
    [InlineData("01:00:5e:00:00:fb", "")]
    [InlineData("52:54:00:ab:cd", "")]
    [InlineData("52:54:00:ab:cd:e\n", "")]
    public void Only_the_mac_of_one_machine_is_one(string text, string mac) => Assert.Equal(mac, CleanSighting.Mac(text));

    [Fact]
    public void What_strangers_sent_is_taken_only_as_far_as_it_can_be_true()
    {
        var hostile = new Sighting(Noon.AddYears(1), "javascript", new string('i', 5000), ["127.0.0.1", "ff02::1", "0.0.0.0", "::ffff:10.0.0.1", "10.0.0.1", "fe80::1%eth0", "nonsense"],
            [.. Enumerable.Range(0, 100).Select(n => new SeenName((NameSource)9, $"n{n}")), new SeenName(NameSource.NetBios, "late")],
            [new SeenService(0, "tcp", ""), new SeenService(22, "sctp", ""), new SeenService(22, "tcp", "ssh\u001b[31m")], "OS\r\nX");

        var clean = CleanSighting.Of(hostile, Noon)!;

        Assert.Equal((Noon, "", Sighting.MostText), (clean.At, clean.Mac, clean.Identity.Length));
        Assert.Equal(["10.0.0.1", "fe80::1"], clean.Addresses);
        Assert.Empty(clean.Names);
        Assert.Equal([new SeenService(22, "tcp", "ssh[31m")], clean.Services);
        Assert.Equal("OSX", clean.OperatingSystem);
        Assert.Null(CleanSighting.Of(Seen(), Noon));
    }

    [Fact]
    public void Vendors_are_known_by_the_longest_prefix_and_made_up_addresses_have_none()
    {
        Assert.Equal("Brother industries, LTD.", Vendors.Of("00:1b:a9:00:00:01"));
        Assert.NotEqual(Vendors.Of("70:b3:d5:00:00:00"), Vendors.Of("70:b3:d5:12:30:00"));
        Assert.Equal("", Vendors.Of("52:54:00:12:34:56"));
        Assert.Equal("", Vendors.Of(""));
    }

    private static DiscoveredDevice New(string id, Sighting seen) => DiscoveredRule.New(new DiscoveredId(id), seen, Node1, PollMethod.IpRange);
}
